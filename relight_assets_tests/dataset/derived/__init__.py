"""Tests of ``relight_assets.dataset``."""
