"""From a dataset and a graph to a metric: the stream of photos, the result file, the numbers."""
