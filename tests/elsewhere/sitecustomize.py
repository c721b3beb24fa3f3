"""Python runs this first, where it is on PYTHONPATH: from then on our sources are on another system.

What CONVERTKIT_ELSEWHERE names (a JSON file, made of tests/elsewhere/names.py) is hidden from modules below its
``roots``, and from nobody else: the standard library and the packages below keep what they need of Linux, as their own
ports do without it. How honest that is:

* names and modules: whatever typeshed knows of Linux and not of that system is gone from ours;
* Windows besides: a directory cannot be opened, nothing that is open (or that this process has mapped) can be removed
  or renamed, ``Popen`` takes no descriptors, selectors take sockets only, ``msvcrt`` locks whole files;
* not simulated: paths (drives, letter case, backslashes, names that are not allowed), text that is not UTF-8, the
  libraries' own builds for that system, and whatever nobody here knows of it.
"""

import builtins
import contextlib
import enum
import errno
import glob
import importlib
import io
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import types

with open(os.environ["CONVERTKIT_ELSEWHERE"]) as told:
    SYSTEM = json.load(told)
WINDOWS = SYSTEM["platform"] == "win32"
import_, open_, os_open = builtins.__import__, io.open, os.open


class View(types.ModuleType):
    """A module without some of its names, and with others in place of its own."""

    def __init__(self, real: types.ModuleType, missing: list[str], **given: object) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _missing=frozenset(missing), **given)

    def __getattr__(self, name: str) -> object:
        if name in self._missing:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name)
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)


def imported(name, given=None, local=None, fromlist=(), level=0):
    file = (given or {}).get("__file__") or ""
    if level or not file.startswith(tuple(SYSTEM["roots"])):
        return import_(name, given, local, fromlist, level)
    if name in SYSTEM["absent"]:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    if WINDOWS and name == "msvcrt":
        return msvcrt
    found = import_(name, given, local, fromlist, level)
    return VIEWS.get(found.__name__, found)


def open_without_proc(file, *args, **how):
    if str(file).startswith(("/proc/", "/sys/")):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
    return open_(file, *args, **how)


def open_on_windows(path, flags, *rest, **how):
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return os_open(path, flags, *rest, **how)


def in_use(path: str) -> bool:
    """Whether a process has it open, or this one mapped, or something in it."""
    whole = os.path.realpath(os.path.dirname(os.path.abspath(path))) + "/" + os.path.basename(path)
    used = set()
    for entry in glob.glob("/proc/[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            used.add(os.readlink(entry))
    with open_("/proc/self/maps") as maps:
        used.update(line.split(None, 5)[5].rstrip("\n") for line in maps if line.count("/"))
    return any(name == whole or name.startswith(whole + "/") for name in used)


def refusing(call):
    def refuse(*paths, **how):
        for path in paths if not how else ():
            if in_use(os.fsdecode(path)):
                raise PermissionError(errno.EACCES, "Access is denied", os.fsdecode(path))
        return call(*paths, **how)

    return refuse


class Popen(subprocess.Popen):
    def __init__(self, *given, **how):
        assert not how.keys() & {"pass_fds", "preexec_fn", "process_group"}, "not on Windows"
        how.pop("start_new_session", None)
        super().__init__(*given, **how)


class Selector(selectors.SelectSelector):
    def register(self, fileobj, events, data=None):
        assert isinstance(fileobj, socket.socket), "Windows selects sockets only"
        return super().register(fileobj, events, data)


def locking(descriptor, mode, count):
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


msvcrt = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
VIEWS = {}
for module, missing in {"sys": [], "subprocess": [], "selectors": [], **SYSTEM["missing"]}.items():
    VIEWS[module] = View(importlib.import_module(module), missing)
VIEWS["sys"].__dict__["platform"] = SYSTEM["platform"]
if WINDOWS:
    VIEWS["os"].__dict__.update(open=open_on_windows, O_BINARY=0, name="nt")
    left = {item.name: item.value for item in signal.Signals if item.name not in SYSTEM["missing"]["signal"]}
    VIEWS["signal"].__dict__["Signals"] = enum.IntEnum("Signals", left)
    VIEWS["subprocess"].__dict__["Popen"] = Popen
    VIEWS["selectors"].__dict__["DefaultSelector"] = Selector
    shutil._use_fd_functions = False
    for name in ("unlink", "remove", "rename", "replace", "rmdir"):
        setattr(os, name, refusing(getattr(os, name)))
io.open = open_without_proc
builtins.__import__ = imported
