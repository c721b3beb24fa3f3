"""What passes are tested with: graphs as text, golden files, equivalence, and a conformance kit."""
