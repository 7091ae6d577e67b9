"""Devices, memory and locks of this machine."""
