"""A child that stays answers, dies in one line, and never outlives whoever asks it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from convertkit.children import dialogue, lines
from convertkit.children.child import Child, ChildError
from convertkit.children.dialogue import Dialogue
from convertkit.errors import ConvertkitError, GraphError, ProcessError, UnavailableError
from tests.processes import alive, wait_until_dead, wait_until_stopped

CHILD = """
import ctypes, os, pathlib, resource, signal, sys, time
from convertkit import errors
from convertkit.api.system import answer

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def double(text):
    return {"text": 2 * text}


def who():
    return {"pid": os.getpid(), "supervisor": os.getppid(), "directory": os.getcwd()}


def litter():
    pathlib.Path("kernel_meta").mkdir()
    pathlib.Path("kernel_meta/x").write_text("")
    return {}


def noise():
    for stream in (1, 2):
        os.write(stream, b'{"text": "no"}\\n\\xff half a line' * 20000)
    return {"text": "yes"}


def refuse(name):
    raise getattr(errors, name)("no such thing", hint="try another")


def fail():
    print("[ERROR] the last word")
    raise ValueError("never said")


def leave(code):
    print("error: half a line", end="", file=sys.stderr, flush=True)
    os._exit(code)


def crash():
    ctypes.string_at(0)


def hang():
    print("error: half a line", end="", flush=True)
    signal.pause()


def spawn():
    if (pid := os.fork()) == 0:
        os.setsid()
        time.sleep(600)
    return {"pid": pid}


answer(int(sys.argv[-1]), {name: value for name, value in globals().items() if callable(value)})
if len(sys.argv) > 2:
    pathlib.Path(sys.argv[1]).write_text("ended by itself")
if len(sys.argv) > 3:
    time.sleep(600)
"""


def started(*arguments: object) -> Dialogue:
    return Dialogue([sys.executable, "-c", CHILD, *map(str, arguments)], name="the child")


def test_it_answers_one_question_after_the_other() -> None:
    child = started()

    assert [child.ask("double", text=text, timeout=60)["text"] for text in ("a", "é\n")] == ["aa", "é\né\n"]
    large = child.ask("double", text="x" * (1 << 20), timeout=60)["text"]
    assert large == "x" * (2 << 20)


def test_what_it_prints_gets_between_nothing() -> None:
    child = started()

    assert child.ask("noise", timeout=60) == {"text": "yes"}
    assert child.ask("double", text="a", timeout=60) == {"text": "aa"}
    assert child.output().count('{"text": "no"}\n') == 20_000


def test_one_that_prints_without_end_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    child = started()
    pid = child.ask("who", timeout=60)["pid"]
    monkeypatch.setattr(lines, "MOST_PRINTED", 1000)

    with pytest.raises(ChildError, match=r"^the child was killed: it printed without end$") as caught:
        child.ask("noise", timeout=60)

    assert (caught.value.over, caught.value.returncode) == ("output", None)
    assert not alive(pid)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("GraphError", GraphError), ("UnavailableError", UnavailableError), ("LintError", ProcessError)],
)
def test_its_errors_are_answers(name: str, kind: type[ConvertkitError]) -> None:
    child = started()

    with pytest.raises(kind) as caught:
        child.ask("refuse", name=name, timeout=60)

    assert type(caught.value) is kind
    assert str(caught.value) == "no such thing (try another)"
    assert child.ask("double", text="a", timeout=60) == {"text": "aa"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "given", "line", "code"),
    [
        ("crash", {}, "the child was killed by SIGSEGV", -signal.SIGSEGV),
        ("fail", {}, "the child failed with exit code 1: ValueError: never said", 1),
        ("leave", {"code": 3}, "the child failed with exit code 3: error: half a line", 3),
        ("leave", {"code": 0}, "the child ended in the middle of its work: error: half a line", 0),
        ("hang", {}, "the child was killed after its time limit of 3 s: error: half a line", None),
    ],
)
def test_its_end_is_one_line(question: str, given: dict[str, int], line: str, code: int | None) -> None:
    child = started()
    pid = child.ask("who", timeout=60)["pid"]

    with pytest.raises(ChildError) as caught:
        child.ask(question, timeout=3, **given)

    assert (str(caught.value), caught.value.returncode) == (line, code)
    assert not alive(pid)
    with pytest.raises(ChildError, match=r"^the child has ended$"):
        child.ask("who", timeout=60)


def test_a_command_that_cannot_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = Dialogue(["no-such-command"], name="the child")

    with pytest.raises(ChildError, match="the child cannot be started: No such file or directory"):
        child.ask("who", timeout=60)

    assert list(tmp_path.iterdir()) == []


def test_one_that_died_meanwhile_is_noticed_at_the_next_question() -> None:
    child = started()
    pid = child.ask("who", timeout=60)["pid"]

    os.kill(pid, signal.SIGKILL)

    with pytest.raises(ChildError, match=r"the child was killed by SIGKILL \(out of memory\?\)"):
        child.ask("double", text="a", timeout=60)


@pytest.mark.parametrize("how", ["close", "drop"])
def test_it_ends_by_itself_and_takes_all_along(tmp_path: Path, how: str) -> None:
    child = started(tmp_path / "said")
    found, spawned = child.ask("who", timeout=60), child.ask("spawn", timeout=60)
    child.ask("litter", timeout=60)
    assert (Path(found["directory"]) / "kernel_meta" / "x").is_file()

    if how == "close":
        child.close()
    else:
        del child
        gc.collect()

    assert (tmp_path / "said").read_text() == "ended by itself"
    assert not any(map(alive, [found["pid"], found["supervisor"], spawned["pid"]]))
    assert not Path(found["directory"]).exists()


def test_a_killed_one_is_gone_at_once(tmp_path: Path) -> None:
    child = started(tmp_path / "said")
    found, spawned = child.ask("who", timeout=60), child.ask("spawn", timeout=60)

    child.kill()
    child.kill()
    child.close()

    assert not (tmp_path / "said").exists()
    assert not any(map(alive, [found["pid"], found["supervisor"], spawned["pid"]]))
    assert not Path(found["directory"]).exists()


def test_one_that_does_not_go_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "GRACE_SECONDS", 0.2)
    child = started(tmp_path / "said", "and stays")
    pid = child.ask("who", timeout=60)["pid"]

    child.close()
    child.close()

    assert not alive(pid)


def test_one_that_dies_before_it_has_read_the_question_is_one_line() -> None:
    child = started()
    pid = child.ask("who", timeout=60)["pid"]
    os.kill(pid, signal.SIGSTOP)
    wait_until_stopped(pid)  # a child that is still on its way to the stop may read the question
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()

    with pytest.raises(ChildError, match="was killed by SIGKILL"):
        child.ask("who", timeout=60)


def test_a_channel_that_is_reset_has_ended() -> None:
    """Whether a child that dies leaves a reset or an end depends on who else holds the socket: here it is a reset."""
    heard: list[tuple[str, bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()

    with channel, Child([sys.executable, "-c", ""], None, None) as child:
        over = child.feed(
            lambda *what: heard.append(what), None, channel=channel, enough=lambda: ("channel", b"") in heard
        )

    assert over == ""
    assert ("channel", b"") in heard


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where a shell has started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_an_interrupt_kills_it(interruptible: None) -> None:
    child = started()
    pid = child.ask("who", timeout=60)["pid"]
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        child.ask("hang", timeout=60)

    assert not alive(pid)


def test_it_outlives_the_thread_that_started_it() -> None:
    found: list[Dialogue] = []

    def start() -> None:
        found.append(started())
        found[0].ask("who", timeout=60)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    for text in "abc":
        assert found[0].ask("double", text=text, timeout=60) == {"text": 2 * text}


PARENT = """
import os
import signal
import sys
from convertkit.children.dialogue import Dialogue
signal.signal(signal.SIGINT, signal.default_int_handler)
child = Dialogue(sys.argv[2:], name="the child")
print(child.ask("who", timeout=60)["pid"], child.ask("spawn", timeout=60)["pid"], flush=True)
if sys.argv[1] == "asking":
    child.ask("hang", timeout=600)
elif sys.argv[1] == "forked" and os.fork() == 0:
    print("forked", flush=True)
    signal.pause()
elif sys.argv[1] == "error":
    raise ValueError
elif sys.argv[1] != "end":
    signal.pause()
"""


@pytest.mark.parametrize(
    ("state", "number"),
    [
        ("asking", signal.SIGKILL),
        ("idle", signal.SIGKILL),
        ("forked", signal.SIGKILL),
        ("asking", signal.SIGTERM),
        ("asking", signal.SIGINT),
        ("idle", signal.SIGINT),
        ("end", None),
        ("error", None),
    ],
)
def test_no_orphan_remains(state: str, number: signal.Signals | None) -> None:
    command = [sys.executable, "-c", PARENT, state, sys.executable, "-c", CHILD]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        if number is not None:
            assert all(map(alive, pids))
            if state == "forked":  # a sibling that holds our descriptors
                assert parent.stdout.readline() == "forked\n"
            os.kill(parent.pid, number)
        parent.wait()

        left = wait_until_dead(pids)
        if state == "forked":
            os.killpg(parent.pid, signal.SIGKILL)

    assert left == []
