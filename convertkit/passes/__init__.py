"""Passes: named graph rewrites with a declared effect, and the pipelines they form."""
