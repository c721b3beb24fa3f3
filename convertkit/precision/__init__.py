"""What fp16 does to the numbers of a graph, and what that does to its detections."""
