"""What makes a model faster, what it costs in accuracy, and which of it to take."""
