"""Detection heads found by what they compute, and what their framework meant by them."""
