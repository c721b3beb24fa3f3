"""Folding: which nodes can be computed ahead of time, and computing them."""
