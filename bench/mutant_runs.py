"""The tests of a group, collected once, then run in a fork for each fault: for ``bench.mutants``.

First they run without a fault, traced: which lines of the group's modules each test reaches. A fault is then put into
the functions that are loaded, and the tests that reach its line run, quickest first, up to the first that fails. What
only runs on import (constants, defaults, decorators) needs a process that has not imported the module; a line that no
test reaches needs none.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import json
import math
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

SECONDS = 300.0
"""A fault that makes the tests run on for so long has been found."""

SPARE, TIMES = 3.0, 8.0
"""A test with a fault may take so many seconds of the processor's time and so many times its own."""

KILLED, SURVIVED, TIMEOUT, FRESH = "killed", "survived", "timeout", "fresh"


@dataclass
class Reached:
    """Lines by the test that reached them, ``""`` for those on import.

    Args:
        files: absolute paths of the modules.
    """

    files: frozenset[str]
    test: str = ""
    lines: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))

    def trace(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        """For ``sys.settrace``."""
        code = frame.f_code
        if code.co_filename not in self.files:
            return None
        test = self.test if code.co_flags & inspect.CO_OPTIMIZED else ""

        def line(frame: FrameType, event: str, arg: object) -> Any:
            if event == "line":
                self.lines[code.co_filename, frame.f_lineno].add(test)
            return line

        return line


@dataclass
class Chosen:
    """A pytest plugin: the tests named run, in this order; the process ends with 1 at the first that fails.

    Args:
        seconds: by the test's id, of the processor's time.
    """

    seconds: dict[str, float]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        os._exit(0 if run(session, self.of(session.items), self.seconds) else 1)

    def of(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        order = {name: place for place, name in enumerate(self.seconds)}
        return sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])


@dataclass
class Judge:
    """A pytest plugin: tells of each fault how the tests that were collected end with it.

    Args:
        faults: each a module's absolute path, the line, and the module's text with the fault.
        tell: takes a fault's place in the list and ``killed``, ``survived`` or ``timeout``; or ``fresh``, with the
            tests to run in a process that has not imported the module, by their seconds.
        work: a directory.
        reached: traces since before the collection.
    """

    faults: Sequence[tuple[Path, int, bytes]]
    tell: Callable[[int, str, dict[str, float]], None]
    work: Path
    reached: Reached

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.settrace(None)
        if session.testsfailed:
            os._exit(1)
        where = self.work / "reached.json"
        if forked(lambda: self._plain(session, where), None) != SURVIVED:
            os._exit(1)
        report = json.loads(where.read_text())
        seconds, by_line = report["seconds"], {(name, line): tests for name, line, tests in report["lines"]}
        live = _live({str(path) for path, _, _ in self.faults})
        gc.freeze()  # or every fork would copy what it only looks at
        for place, (path, line, source) in enumerate(self.faults):
            tests = self._tests(by_line, str(path), line)
            chosen = Chosen({name: seconds[name] for name in sorted(tests, key=seconds.__getitem__)})
            self.tell(place, self._judged(session, path, source, chosen, live), chosen.seconds)
        os._exit(0)

    def _plain(self, session: pytest.Session, where: Path) -> bool:
        seconds = {}
        sys.settrace(self.reached.trace)
        for item in session.items:
            self.reached.test, before = item.nodeid, time.process_time()
            if not run(session, [item], {}):
                return False
            seconds[item.nodeid] = time.process_time() - before
        sys.settrace(None)
        lines = [(name, line, sorted(tests)) for (name, line), tests in self.reached.lines.items()]
        where.write_text(json.dumps({"seconds": seconds, "lines": lines}))
        return True

    @staticmethod
    def _tests(by_line: dict[tuple[str, int], list[str]], name: str, line: int) -> set[str]:
        """Those that reach a line; of one that runs on import, those that reach anything in its module."""
        tests = set(by_line.get((name, line), ()))
        if "" in tests:
            tests = {test for (other, _), found in by_line.items() if other == name for test in found}
        return tests - {""}

    @staticmethod
    def _judged(
        session: pytest.Session, path: Path, source: bytes, chosen: Chosen, live: dict[tuple[Any, ...], Any]
    ) -> str:
        if not chosen.seconds:
            return SURVIVED
        before = path.read_bytes()
        old, new = (_codes(compile(text, str(path), "exec", dont_inherit=True)) for text in (before, source))
        changed = [(key, codes) for key, codes in new.items() if _differ(codes, old.get(key, []))]
        if not all(_fits(codes, live.get(key, [])) for key, codes in changed):
            return FRESH

        def tried() -> bool:
            for key, codes in changed:
                for function in live.get(key, ()):
                    function.__code__ = codes[0]
            return run(session, chosen.of(session.items), chosen.seconds)

        path.write_bytes(source)  # for what imports the module later
        try:
            return forked(tried)
        finally:
            path.write_bytes(before)


def run(session: pytest.Session, items: Sequence[pytest.Item], seconds: dict[str, float]) -> bool:
    """Whether none fails."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        if item.nodeid in seconds:
            signal.setitimer(signal.ITIMER_PROF, SPARE + TIMES * seconds[item.nodeid])  # it kills
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return False
    return True


def forked(act: Callable[[], bool], limit: float | None = SECONDS) -> str:
    """How ``act`` ends in a fork of this process, within seconds: true is ``survived``."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        code = 1
        try:
            code = int(not act())
        finally:
            os._exit(code)
    deadline = time.monotonic() + (limit or math.inf)
    ended, status = 0, 0
    while not ended and time.monotonic() < deadline:
        time.sleep(0.005)
        ended, status = os.waitpid(child, os.WNOHANG)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it started, too
    if not ended:
        os.waitpid(child, 0)
        return TIMEOUT
    code = os.waitstatus_to_exitcode(status)
    return TIMEOUT if code == -signal.SIGPROF else KILLED if code else SURVIVED


def _codes(code: CodeType) -> dict[tuple[Any, ...], list[CodeType]]:
    """A module's code and all that is in it, by file, qualified name and first line."""
    found: dict[tuple[Any, ...], list[CodeType]] = defaultdict(list)
    waiting = [code]
    while waiting:
        code = waiting.pop()
        found[code.co_filename, code.co_qualname, code.co_firstlineno].append(code)
        waiting += [item for item in code.co_consts if isinstance(item, CodeType)]
    return found


def _differ(new: Sequence[CodeType], old: Sequence[CodeType]) -> bool:
    """Whether a function, or code in it, does something else; of a module or class: its own code."""
    deep = bool(new[0].co_flags & inspect.CO_OPTIMIZED)
    return [_does(code, deep=deep) for code in new] != [_does(code, deep=deep) for code in old]


def _fits(new: Sequence[CodeType], live: Sequence[FunctionType]) -> bool:
    """Whether code can be put into functions that are loaded."""
    if not new[0].co_flags & inspect.CO_OPTIMIZED or (live and len(new) > 1):
        return False
    return all(len(function.__code__.co_freevars) == len(new[0].co_freevars) for function in live)


def _does(code: CodeType, *, deep: bool = True) -> Any:
    values = [
        (_does(item) if deep else "code") if isinstance(item, CodeType) else repr(item)
        for item in code.co_consts
    ]
    return code.co_code, values, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars


def _live(files: set[str]) -> dict[tuple[Any, ...], list[FunctionType]]:
    """The functions of some files that are loaded, by file, qualified name and first line."""
    found: dict[tuple[Any, ...], list[FunctionType]] = defaultdict(list)
    for item in gc.get_objects():
        if type(item) is FunctionType and item.__code__.co_filename in files:
            code = item.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(item)
    return found
