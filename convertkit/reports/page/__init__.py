"""One self-contained HTML page of a build or of a verification: records first, then a template that only shows them."""
