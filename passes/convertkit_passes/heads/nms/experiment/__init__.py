"""What comes out of an NMS: the graph is run, and its tensors are compared with what the operator gives."""
