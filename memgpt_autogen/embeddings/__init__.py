"""Turning text into vectors: the contract in ``base``, the offline default in ``bundled``."""
