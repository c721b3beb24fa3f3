"""Where the vendor operators live inside the pipeline; on its own, because every command needs the name."""

DOMAIN = "convertkit.ascend"
"""The vendor's parser looks for its operators in the default domain only (facts 2.5; a node of another domain is
E13010), so the last step before the compiler has to move them there."""
