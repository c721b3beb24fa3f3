"""Detections between a photo and a metric: letterbox, boxes, masks, and the comparison of two raw outputs."""
