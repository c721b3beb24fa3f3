"""Fewer rows of an NMS, and everything behind it that has as many."""
