"""Publishing: exports and finished splits are uploaded to a bucket or copied to a folder, and checked there."""
