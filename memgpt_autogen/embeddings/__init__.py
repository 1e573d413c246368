"""Embedders: the protocol in ``base``, the offline default in ``bundled``."""
