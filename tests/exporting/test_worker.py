"""However a worker ends, its parent knows how, and what is needed to see it again is kept."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from convertkit.errors import ConvertkitError, ProcessError
from convertkit.exporting.worker import run_worker

PYTHON = Path(sys.executable)


def write_worker(directory: Path, body: str) -> Path:
    """A worker that reads its job into ``job`` and may call ``say(event, **fields)``."""
    script = directory / "export" / "worker.py"
    script.parent.mkdir()
    head = """
        import json, os, resource, sys, time
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        job = json.load(open(sys.argv[1]))
        def say(event, **fields):
            print(json.dumps({"event": event, **fields}), flush=True)
    """
    script.write_text(textwrap.dedent(head) + textwrap.dedent(body))
    return script


def test_events_arrive_in_order_and_done_is_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = write_worker(
        tmp_path,
        """
        import helper
        say("progress", what="trace", done=1, total=2)
        say("result", image_id=7)
        say("done", output=job["output"], cwd=os.getcwd(), extra=os.environ["EXTRA"])
        """,
    )
    (script.parent / "helper.py").write_text("")
    heard: list[Any] = []
    monkeypatch.setenv("EXTRA", "1")

    done = run_worker(
        PYTHON,
        script,
        {"task": "export", "output": "x.onnx"},
        workdir=tmp_path / "work",
        on_progress=lambda *progress: heard.append(progress),
        on_result=heard.append,
    )

    assert heard == [("trace", 1, 2), {"event": "result", "image_id": 7}]
    assert done == {"event": "done", "output": "x.onnx", "cwd": str(tmp_path / "work"), "extra": "1"}


def test_refusal_is_the_workers_own_words_with_exit_code_2(tmp_path: Path) -> None:
    script = write_worker(
        tmp_path, 'say("error", message="weights\\nare\\nwrong", hint="use others"); sys.exit(1)'
    )

    with pytest.raises(ConvertkitError) as caught:
        run_worker(PYTHON, script, {}, workdir=tmp_path / "work")

    assert str(caught.value) == "weights are wrong (use others)"
    assert caught.value.exit_code == 2


def test_death_points_to_what_reproduces_it(tmp_path: Path) -> None:
    script = write_worker(tmp_path, 'print("loading", file=sys.stderr, flush=True); os.kill(os.getpid(), 11)')
    work = tmp_path / "work"

    with pytest.raises(ProcessError) as caught:
        run_worker(PYTHON, script, {"size": [64, 64]}, workdir=work)

    assert str(caught.value).startswith(
        "worker export/worker.py was killed by SIGSEGV: loading (reproduce with: "
    )
    assert f"{script} {work}/job.json; log: {work}/worker.log" in str(caught.value)
    assert json.loads((work / "job.json").read_text()) == {"size": [64, 64]}
    assert "loading" in (work / "worker.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('raise RuntimeError("no memory")', r"failed with exit code 1: RuntimeError: no memory"),
        ('say("progress", what="x", done=1, total=1)', r"ended without a result"),
        ('say("done"); sys.stdout.flush(); os.abort()', r"was killed by SIGABRT"),
        ('say("error", message="half-way"); os.abort()', r"was killed by SIGABRT"),
        ('print("started", flush=True); time.sleep(600)', r"was killed after its time limit of 3 s: started"),
    ],
)
def test_every_other_end_is_a_process_error(tmp_path: Path, body: str, message: str) -> None:
    timeout = 3 if "sleep" in body else None

    with pytest.raises(ProcessError, match=message):
        run_worker(PYTHON, write_worker(tmp_path, body), {}, workdir=tmp_path / "work", timeout=timeout)


def test_chatter_and_malformed_lines_are_only_logged(tmp_path: Path) -> None:
    script = write_worker(
        tmp_path,
        """
        print("hello"); print("{"); print('["event"]'); print('{"event": 1}')
        say("progress", what="x", done="many"); say("unheard-of"); say("done", n=1)
        """,
    )

    done = run_worker(
        PYTHON, script, {}, workdir=tmp_path / "work", on_progress=lambda *_: pytest.fail("not progress")
    )

    assert done["n"] == 1
    assert "hello\n{\n" in (tmp_path / "work" / "worker.log").read_text()


def test_callback_that_fails_ends_the_worker(tmp_path: Path) -> None:
    script = write_worker(tmp_path, 'say("result"); time.sleep(600)')

    def full(event: dict[str, Any]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_worker(PYTHON, script, {}, workdir=tmp_path / "work", on_result=full)
