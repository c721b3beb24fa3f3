"""What is fetched from where others published it: checkpoints, and datasets by name."""
