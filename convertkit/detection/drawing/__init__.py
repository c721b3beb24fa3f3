"""Pictures of what a model found: masks, boxes and labels in a photo, several photos side by side."""
