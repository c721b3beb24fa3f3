"""Datasets on disk: photos and what is known to be on them."""
