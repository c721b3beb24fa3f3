"""The public door, in parts.

``passes``, ``targets`` and ``models`` are for what plugins bring; ``graphs``, ``heads``, ``system`` and ``errors`` for
all three. Plugins import these and nothing else of convertkit. Names are loaded on first use: a part costs next to
nothing.
"""
