"""Type flow: which int64 tensors of a graph can be int32, decided for the whole graph at once."""
