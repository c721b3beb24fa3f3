"""Children without a supervisor: all that can be done for them is done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from convertkit.children import lines, unsupervised
from convertkit.children.dialogue import Dialogue
from convertkit.children.process import ChildError, run_child
from tests.processes import wait_until_dead

ANSWERS = """
import sys
from convertkit.children.answers import answer
print("noise")
answer(int(sys.argv[1]), {"double": lambda text: {"text": 2 * text}, "leave": lambda: sys.exit(3)})
"""


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsupervised, "SUPERVISES", False)


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def test_output_is_whole(tmp_path: Path) -> None:
    code = "import os, sys; print('x' * 300_000); print(os.environ['A'], os.getcwd(), file=sys.stderr)"

    done = run_child(python(code), env={"A": "b"}, cwd=tmp_path, log=tmp_path / "log")

    assert done.stdout == "x" * 300_000 + "\n"
    assert done.stderr == f"b {tmp_path}\n"
    assert (tmp_path / "log").stat().st_size == len(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("command", "directory", "said", "code"),
    [
        (["no-such-command"], None, "no-such-command cannot be started: No such file or directory", None),
        (python(""), "/nowhere", "cannot be started in /nowhere: No such file or directory", None),
        (python("import sys; sys.exit('oh')"), None, "failed with exit code 1: oh", 1),
        (python("import os; os.kill(os.getpid(), 15)"), None, "was killed by SIGTERM", -15),
    ],
)
def test_a_failure_is_one_line(
    command: list[str], directory: str | None, said: str, code: int | None
) -> None:
    with pytest.raises(ChildError) as caught:
        run_child(command, cwd=directory)

    assert str(caught.value).endswith(said)
    assert caught.value.returncode == code


@pytest.mark.slow
def test_the_limits_hold_for_the_whole_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"sleep 600 & echo $! $$ >{tmp_path}/pids; echo ready; sleep 600"
    with pytest.raises(ChildError, match=r"was killed after its time limit of 2 s: ready") as caught:
        run_child(["sh", "-c", script], timeout=2)

    assert caught.value.over == "time"
    assert wait_until_dead([int(pid) for pid in (tmp_path / "pids").read_text().split()]) == []

    monkeypatch.setattr(lines, "MOST_PRINTED", 1 << 16)
    with pytest.raises(ChildError, match="printed without end"):
        run_child(python("while True: print('y' * 1000)"))


@pytest.mark.slow
def test_whoever_keeps_the_output_open_is_not_waited_for() -> None:
    done = run_child(
        python("import subprocess; subprocess.Popen(['sleep', '600']); print('done')"), timeout=60
    )

    assert done.stdout == "done\n"


def test_an_error_of_ours_ends_it(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    seen: list[int] = []

    def take(line: str) -> None:
        seen.append(int(line))
        raise ValueError

    with pytest.raises(ValueError):
        run_child(python(code), on_line=take)

    assert wait_until_dead(seen) == []


def test_a_dialogue_needs_no_supervisor() -> None:
    child = Dialogue(python(ANSWERS), name="it")

    assert child.ask("double", timeout=60, text="ab") == {"text": "abab"}
    assert child.ask("double", timeout=60, text="c") == {"text": "cc"}
    with pytest.raises(ChildError, match="it failed with exit code 3") as caught:
        child.ask("leave", timeout=60)

    assert caught.value.returncode == 3
    assert "noise" in child.output()
