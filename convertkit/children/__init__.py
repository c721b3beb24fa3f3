"""Child processes that cannot hang, be orphaned, flood their parent or fail without a reason."""
