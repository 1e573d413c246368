"""The store in SQL, for every engine that implements ``database.Database``."""
