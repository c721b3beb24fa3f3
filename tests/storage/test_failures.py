"""Failed work stays to be seen again, a few of a kind; killed work goes with the next."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from convertkit.errors import ProcessError, StoreError, UsageError
from convertkit.storage.failures import KEPT, RUNNING, attempt, keep_failure


def work(error: Exception | None) -> Path:
    try:
        with attempt("worker") as directory:
            (directory / "log").write_text("seen")
            if error is not None:
                raise error
    except (ProcessError, UsageError):
        pass
    return directory


@pytest.mark.parametrize(
    ("error", "stays"), [(None, False), (UsageError("a mistake"), False), (ProcessError("it died"), True)]
)
def test_only_the_death_of_a_child_leaves_its_directory(error: Exception | None, stays: bool) -> None:
    directory = work(error)

    assert directory.exists() == stays
    assert [path.name for path in directory.glob("*")] == (["log"] if stays else [])


def test_a_few_of_a_kind_stay(own_home: Path) -> None:
    for _ in range(KEPT + 2):
        work(ProcessError("it died"))

    assert len(list((own_home / "failures").glob("worker-*"))) == KEPT


def test_what_a_killed_process_was_working_in_goes_and_living_work_stays(own_home: Path) -> None:
    dead = own_home / "failures" / "worker-20260101-000000-dead"
    dead.mkdir(parents=True)
    (dead / RUNNING).touch()

    with attempt("worker") as living:
        work(None)

        assert not dead.exists()
        assert living.exists()


def test_living_work_counts_for_no_failure_and_is_not_pruned(own_home: Path) -> None:
    with attempt("worker") as living:
        os.utime(living, (0, 0))
        for _ in range(KEPT + 1):
            work(ProcessError("it died"))

        assert living.exists()


@pytest.mark.parametrize("operation", ["mkdir", "touch", "rename", "rmtree"])
def test_killed_at_any_moment_nothing_stays_that_looks_like_a_failure(own_home: Path, operation: str) -> None:
    child = os.fork()
    if child == 0:
        owner = shutil if operation == "rmtree" else Path
        before = getattr(owner, operation)

        def last(*given: Any, **more: Any) -> None:
            if operation != "rmtree":
                before(*given, **more)
            os._exit(9)

        setattr(owner, operation, last)
        work(None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    work(None)

    assert list((own_home / "failures").iterdir()) == []


def test_files_of_a_failure_are_copied(tmp_path: Path, own_home: Path) -> None:
    (tmp_path / "model.onnx").write_text("graph")

    kept = keep_failure("simplify", tmp_path / "model.onnx")

    assert kept is not None
    assert (kept / "model.onnx").read_text() == "graph"
    assert kept.parent == own_home / "failures"


def test_no_room_for_them_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVERTKIT_HOME", os.devnull)

    assert keep_failure("simplify", tmp_path / "model.onnx") is None
    with pytest.raises(StoreError), attempt("worker"):
        pass
