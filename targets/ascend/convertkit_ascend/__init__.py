"""The Ascend target: vendor operators that can be run and checked where there is no chip."""
