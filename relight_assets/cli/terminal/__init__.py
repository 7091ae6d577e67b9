"""What the command line shows: messages, tables and progress."""
