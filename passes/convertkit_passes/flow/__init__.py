"""Control flow: what decides between branches, and which of them is enough."""
