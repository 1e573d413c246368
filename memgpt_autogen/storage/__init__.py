"""Where agents are kept: the contract in ``base``, SQLite in ``sqlite``."""
