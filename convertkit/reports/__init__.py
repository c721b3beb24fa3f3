"""Documents that people hand on: what a report of a fault has to carry, and the page of a build or a verification."""
