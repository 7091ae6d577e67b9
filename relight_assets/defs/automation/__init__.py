"""Runs that start by themselves, dead runs that are closed, and alerts."""
