"""How passes, targets and models come in, and what plugins may implement."""
