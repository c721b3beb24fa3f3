"""The command line: the only room that prints and exits. One module per command, heavy imports inside functions."""
