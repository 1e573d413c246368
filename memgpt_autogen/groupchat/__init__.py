"""The memory agent as a participant of AutoGen chats. The only package that imports classic AutoGen."""
