"""Files that are whole or absent, locks that go with their holder, and files of other people read with care."""
