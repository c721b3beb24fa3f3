"""``convertkit`` and ``python -m convertkit``."""

from convertkit.cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
