"""What an agent remembers: core, recall and archival memory, the window and its summary."""
