"""Filters of scores in front of an NMS: what they take, and who would see that they take more."""
