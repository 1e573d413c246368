"""What an agent remembers, as HTML: the parts that the page of ``memgpt inspect`` and notebooks share."""
