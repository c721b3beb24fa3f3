"""Checkpoints of any origin, read without torch and without running code from them."""
