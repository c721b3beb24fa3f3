"""Graphs: how a model is loaded, held in memory, edited, checked and run on the host."""
