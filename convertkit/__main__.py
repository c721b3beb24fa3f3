"""``convertkit`` and ``python -m convertkit``."""

import signal


def main() -> int:
    """The command line; Ctrl-C before that can answer ends it without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from convertkit.cli.app import main

    return main()


if __name__ == "__main__":
    raise SystemExit(main())
