"""Model packages: directories that say what a model is, and how its photos and outputs are handled."""
