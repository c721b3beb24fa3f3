"""A child process that stays: it is asked one thing after the other, each within a time limit.

Questions and answers are JSON lines on a socket of their own, so that nothing a native library prints gets between
them; :func:`convertkit.children.answers.answer` is the child's side.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.children.answers import heard
from convertkit.children.child import INHERITS, Child, ChildError, failure, overran
from convertkit.children.lines import LineReader
from convertkit.children.unsupervised import start
from convertkit.errors import UnavailableError
from convertkit.storage.files import work_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GRACE_SECONDS = 5.0
"""What a child that is no longer needed gets to put down what it holds, before it is killed."""


class Dialogue:
    """A supervised command that answers; it ends with this object, with :meth:`close`, and with us.

    One caller at a time. After an error of :meth:`ask` that is not the child's own answer there is no child any more.

    It runs in an empty directory, which goes with it: native libraries leave files where they run.

    Args:
        command: receives one argument more, the number of its end of the socket.
        name: what errors call it.
        descriptors: files of ours that it finds open under the same numbers.

    Raises:
        ChildError: it cannot be started. UnavailableError: we are on Windows.
    """

    def __init__(self, command: Sequence[str | Path], *, name: str, descriptors: Iterable[int] = ()) -> None:
        if not INHERITS:
            raise UnavailableError(
                f"{name} needs a child process that stays, which there is none of on Windows"
            )
        self._name = name
        self._reader = LineReader(None, None, None)
        self._heard = b""
        room = contextlib.ExitStack()
        place = room.enter_context(work_directory("child"))
        self._channel, theirs = socket.socketpair()
        with theirs:
            argv = [*map(str, command), str(theirs.fileno())]
            try:
                self._child = start(argv, None, place, [theirs.fileno(), *descriptors])
            except ChildError:
                self._channel.close()
                room.close()
                raise
        self._held = (self._child, self._channel, self._reader, room)
        self._end = weakref.finalize(self, _end, *self._held, GRACE_SECONDS)

    def ask(self, question: str, *, timeout: float, **given: Any) -> dict[str, Any]:
        """The answer to a question.

        Args:
            timeout: seconds.
            given: what the child's function of that name is called with; it must have a JSON form.

        Raises:
            ConvertkitError: the child's own answer, of the class it raised.
            ChildError: the child died or took longer than ``timeout``.
        """
        if not self._end.alive:
            raise ChildError(self._name, "has ended", returncode=None)
        try:
            answer = self._exchange({"question": question, "given": given}, timeout)
        except BaseException:
            self.kill()
            raise
        return heard(answer)

    def output(self) -> str:
        """The last 10,000 lines of what it printed: standard output, then standard error."""
        return self._reader.text("stdout") + self._reader.text("stderr")

    def close(self) -> None:
        """Lets the child end by itself, within :data:`GRACE_SECONDS`."""
        self._end()

    def kill(self) -> None:
        """Ends the child at once: one that hangs, or holds nothing that it would have to put down."""
        if self._end.detach():
            _end(*self._held, 0.0)

    def stop(self) -> None:
        """Ends the child from another thread than the one that asks, which gets a ChildError."""
        self._child.stop()

    def _exchange(self, message: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        self._heard = b""
        # Where it died meanwhile, its end says more than the broken pipe.
        with contextlib.suppress(ConnectionError):
            self._channel.sendall(json.dumps(message).encode() + b"\n")
        deadline = time.monotonic() + timeout
        over = self._child.feed(
            self._take, deadline, channel=self._channel, enough=lambda: self._heard.endswith(b"\n")
        )
        if self._heard.endswith(b"\n"):
            return dict(json.loads(self._heard))
        self.kill()
        reason, code = (overran(over, timeout), None) if over else _ending(self._child.report)
        last = self._reader.last_line() if over != "output" else ""
        raise ChildError(self._name, reason, last_line=last, returncode=code, over=over)

    def _take(self, stream: str, data: bytes) -> None:
        if stream == "channel":
            self._heard += data
        else:
            self._reader.take(stream, data)


def _ending(report: str) -> tuple[str, int | None]:
    return failure(report) or ("ended in the middle of its work", 0)


def _end(
    child: Child, channel: socket.socket, reader: LineReader, room: contextlib.ExitStack, grace: float
) -> None:
    """The end of the socket tells the child to go; its output is read on, so that it is not held up by that.

    Without ``grace`` it is not told.
    """
    try:
        with channel, reader, child:
            if grace:
                channel.shutdown(socket.SHUT_RDWR)
                child.feed(reader.take, time.monotonic() + grace)
    finally:
        room.close()
