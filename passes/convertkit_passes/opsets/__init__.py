"""One version of ONNX's operators into another, node by node.

A node whose operator is the same in both versions stays as it is, whatever its domain. For the others each version
in between is one step, and of the ways to take it the first that fits is taken: an adapter of our own; the same node,
where only types or unused attributes differ; ONNX's own definition of an operator that the version does not have; and,
upwards only, onnx's version converter, which sees that one node.
"""
