"""Where documents come from: the contract in ``base``, loaders beside it, splitting in ``split``."""
