"""Mask heads: choosing one class per detection as early as the data flow allows."""
