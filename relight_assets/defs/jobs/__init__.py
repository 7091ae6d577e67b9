"""What can be started from the Jobs page, beside materializing assets."""
