"""Runtimes in processes of their own, here or on a cluster: who gives them photos, and what becomes of their deaths."""
