"""Where agents are kept: the contract in ``base``, the store in SQL in ``sql``, and one folder for each engine."""
