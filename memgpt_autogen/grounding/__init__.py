"""Help for the smallest models: the program searches for them and checks what they reply."""
