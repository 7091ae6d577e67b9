"""Exports: snapshots of finished splits in the layouts that trainers read."""
