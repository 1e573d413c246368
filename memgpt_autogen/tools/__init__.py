"""What a model can call: schemas from signatures, the registry, the memory functions."""
