"""The agent as a member of AutoGen's chats. The only part of the package that imports AutoGen."""
