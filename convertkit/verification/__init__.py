"""A ladder of rungs and its verdict: which photos, what is measured, shards put together, gates, the conclusion."""
