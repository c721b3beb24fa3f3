"""Children report as they go, fail in one line, and never outlive whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from convertkit.children import lines
from convertkit.children.process import ChildError, run_child, usable_processors
from convertkit.errors import ProcessError
from tests.conftest import Cli
from tests.processes import alive, wait_until_dead

# A tree that tries to get away: a child in the same group, and a grandchild in a session of its own whose
# parent is gone. Each writes its process id; all sleep far longer than any test.
TREE = """
import os, subprocess, sys, time
here = sys.argv[1]
sleeper = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", sleeper, here + "/near"])
daemon = "import subprocess, sys; subprocess.Popen([sys.executable, *sys.argv[1:]], start_new_session=True)"
subprocess.Popen([sys.executable, "-c", daemon, "-c", sleeper, here + "/far"])
open(here + "/top", "w").write(str(os.getpid()))
while not all(os.path.exists(here + "/" + name) and open(here + "/" + name).read() for name in ("near", "far")):
    time.sleep(0.01)
print("ready", flush=True)
"""
STAY = TREE + "time.sleep(600)\n"


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def tree(directory: Path) -> list[int]:
    return [int((directory / name).read_text()) for name in ("top", "near", "far")]


def test_output_arrives_line_by_line_and_whole(tmp_path: Path) -> None:
    code = """
import os, sys
print("one"); print("10%\\r20%\\rtwo", flush=True); print("err", file=sys.stderr, flush=True)
sys.stdout.write(os.environ["WHAT"] + " in " + os.getcwd()); sys.stdout.flush()
"""
    seen: list[str] = []

    done = run_child(
        python(code), env={"WHAT": "here"}, cwd=tmp_path, log=tmp_path / "a" / "log", on_line=seen.append
    )

    assert done.stdout == f"one\ntwo\nhere in {tmp_path}\n"
    assert done.stderr == "err\n"
    assert sorted(seen) == sorted((done.stdout + done.stderr).splitlines())
    assert "10%\r20%\rtwo\n" in (tmp_path / "a" / "log").read_bytes().decode()
    assert done.seconds > 0


def test_events_are_told_from_chatter(tmp_path: Path) -> None:
    code = """
print('{"event": "progress", "done": 1}'); print('{"event": 5}'); print("{broken"); print("chatter")
"""
    events: list[dict[str, Any]] = []
    lines: list[str] = []

    run_child(python(code), on_event=events.append, on_line=lines.append, log=tmp_path / "log")

    assert events == [{"event": "progress", "done": 1}]
    assert lines == ['{"event": 5}', "{broken", "chatter"]
    assert "progress" in (tmp_path / "log").read_text()


def test_failure_is_one_line_with_name_reason_cause_and_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import sys; print('x'); print('note: see above'); sys.exit('ValueError: no good\\n\\n====')"

    with pytest.raises(ProcessError) as caught:
        run_child(python(code), name="worker", log=log)

    assert str(caught.value) == f"worker failed with exit code 1: ValueError: no good (log: {log})"


def test_signal_is_named() -> None:
    code = "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), 11)"

    with pytest.raises(ChildError, match=r"^python\S* was killed by SIGSEGV$") as caught:
        run_child(python(code))

    assert caught.value.returncode == -signal.SIGSEGV


@pytest.mark.slow
def test_time_limit_kills_the_tree_and_says_what_was_last_heard(tmp_path: Path) -> None:
    with pytest.raises(ChildError, match=r"was killed after its time limit of \S+ s: ready") as caught:
        run_child(python(STAY, tmp_path), timeout=6)

    assert caught.value.returncode is None
    assert not any(map(alive, tree(tmp_path)))


@pytest.mark.parametrize(
    ("command", "directory", "message"),
    [
        ("no-such-command", None, "no-such-command cannot be started: No such file or directory"),
        ("true", "/no/such/place", "true cannot be started in /no/such/place: No such file or directory"),
    ],
)
def test_command_that_cannot_start(command: str, directory: str | None, message: str) -> None:
    with pytest.raises(ProcessError, match=f"^{message}$"):
        run_child([command], cwd=directory)


def test_standard_input_is_empty() -> None:
    assert run_child(["cat"]).stdout == ""


def test_success_takes_the_stragglers_along(tmp_path: Path) -> None:
    run_child(python(TREE, tmp_path))

    assert not any(map(alive, tree(tmp_path)))


def test_exception_in_a_callback_kills_the_tree(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(python(STAY, tmp_path), on_line=interrupt)

    assert not any(map(alive, tree(tmp_path)))


PARENT = """
import signal
import sys
from pathlib import Path
from convertkit.children import lines
from convertkit.children.process import run_child
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children ignore it otherwise
try:
    run_child([sys.executable, *sys.argv[1:]], on_line=lambda line: print(line, flush=True))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_orphan_remains_when_the_parent_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(python(PARENT, "-c", STAY, tmp_path), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        pids = tree(tmp_path)
        assert all(map(alive, pids))

        parent.send_signal(number)
        parent.wait()

    assert wait_until_dead(pids) == []


def test_no_child_remains_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    def kill_supervisor(line: str) -> None:
        top = int((tmp_path / "top").read_text())
        os.kill(int(Path(f"/proc/{top}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)

    with pytest.raises(ProcessError, match="was killed together with its supervisor"):
        run_child(python(STAY, tmp_path), on_line=kill_supervisor)

    top, near, far = tree(tmp_path)
    assert wait_until_dead([top, near]) == []
    os.kill(far, signal.SIGKILL)  # the one case that is not covered: its own session, its own parent


def test_children_run_side_by_side_from_threads() -> None:
    results: list[str] = []

    def work(number: int) -> None:
        results.append(run_child(["echo", str(number)]).stdout)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [f"{number}\n" for number in range(8)]


@pytest.mark.slow
def test_ticks_come_whether_or_not_anything_is_printed() -> None:
    ticks: list[float] = []

    run_child(python("import time; time.sleep(1.3)"), on_tick=ticks.append)

    assert len(ticks) == 1
    assert ticks[0] == pytest.approx(1.0, abs=0.3)


def test_processors_are_counted_where_the_system_does_not_tell_which_are_ours(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS has no ``sched_getaffinity``."""
    monkeypatch.delattr("os.sched_getaffinity")

    assert usable_processors() == os.cpu_count()
    assert cli("doctor").code in (0, 3)


def test_a_command_that_prints_without_end_is_killed_and_leaves_no_endless_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MOST_PRINTED", 1 << 20)
    log = tmp_path / "log.txt"

    with pytest.raises(ChildError, match="cat was killed: it printed without end") as caught:
        run_child(["cat", "/dev/zero"], log=log)

    assert (caught.value.over, caught.value.returncode) == ("output", None)
    assert log.stat().st_size <= (1 << 20) + 2


def test_a_command_may_print_so_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_PRINTED", 1 << 20)

    done = run_child(["head", "-c", str(1 << 20), "/dev/zero"])

    assert len(done.stdout) == (1 << 20) + 1


def test_of_endless_output_only_the_last_letters_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "KEPT_LETTERS", 10)

    with lines.LineReader(None, None, None) as reader:
        for text in (b"abcde\n", b"fghij\n", b"kl\n", b"mnopqrstuvwxyz\n", b"1234567890\n"):
            reader.take("stdout", text)
            kept = reader.text("stdout")
            assert len(kept.replace("\n", "")) <= 10
            assert text.decode() in kept or len(text) > 11

    assert reader.text("stdout") == "1234567890\n"
