"""Finding multi-level RoI extraction: candidates by data flow, everything else by running them."""
