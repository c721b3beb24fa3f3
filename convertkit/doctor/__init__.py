"""What can be said of this machine without building anything, and what a report of a fault has to carry."""
