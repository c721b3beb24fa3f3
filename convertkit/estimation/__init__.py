"""What a graph costs at least on a machine that is not here: operations, bytes, and the roofline over them."""
