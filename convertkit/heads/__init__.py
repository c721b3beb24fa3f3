"""Detection heads as operators: found once by the passes, lowered by every target to what it has."""
