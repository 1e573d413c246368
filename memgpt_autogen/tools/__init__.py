"""Functions for the model: schemas from signatures, the registry, the memory functions."""
