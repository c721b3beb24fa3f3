"""The pass after which things went wrong, and the smallest graph that shows it."""
