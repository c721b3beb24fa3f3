"""What runs, and what it finds: the same photos through any graph or framework, kept photo by photo."""
