"""How a native library ends its process, for the stand-ins: never as an exception."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

ENDS = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(3),
    "hang": signal.pause,
}
"""What comes in place of an answer; ``kill`` is what the kernel does where memory runs out."""

NOISE = b'{"event": "done"}\n{"outputs": []}\n\xff\x00 half a line'


def perhaps(flavour, moment):
    """Does what a flavour like ``segfault-opening`` says, if it is of this moment; ``chatty`` prints."""
    if "chatty" in flavour:
        for stream in (1, 2):
            os.write(stream, NOISE * 5000)
    for name, end in ENDS.items():
        if f"{name}-{moment}" in flavour:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            print(f"[ERROR] TDT: {name} while {moment}, says the driver\n\n----", file=sys.stderr, flush=True)
            end()
