"""Everything around exporting: the isolated interpreter, and the worker that runs in it."""
