"""Models: what the agent calls to think, behind the one contract in :mod:`.base`."""
