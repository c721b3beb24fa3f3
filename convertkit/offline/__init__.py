"""The same inference by way of files, for people who run the compiled model with a tool of the vendor's."""
