"""Places for vectors outside of a store."""
