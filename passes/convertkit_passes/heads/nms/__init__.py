"""Finding a class-wise NMS in a graph: where its boxes and scores come from, and what its detections are read from."""
