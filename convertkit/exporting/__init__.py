"""Everything around exporting: the isolated interpreter, the worker that runs in it, and fetched checkpoints."""
