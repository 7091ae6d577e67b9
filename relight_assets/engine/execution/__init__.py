"""Handing images to workers: the dispatch loop and the engines that run workers."""
