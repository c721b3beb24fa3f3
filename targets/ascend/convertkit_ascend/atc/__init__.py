"""ATC, the vendor's compiler: its options, its command line, how it is run, and what its errors mean."""
