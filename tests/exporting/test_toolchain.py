from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.exporting import toolchain


def test_jobs_follow_cores_until_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))

    jobs = []
    for memory in (64_000_000_000, 7_000_000_000, 500_000_000):
        monkeypatch.setattr(toolchain, "memory_bytes", lambda memory=memory: memory)
        jobs.append(toolchain.default_jobs())

    assert jobs == [8, 3, 1]


def test_container_limit_counts_as_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "limited").write_text("3000000000\n")
    (tmp_path / "free").write_text("max\n")

    monkeypatch.setattr(toolchain, "_CGROUP_LIMITS", (str(tmp_path / "free"), str(tmp_path / "absent")))
    machine = toolchain.memory_bytes()
    monkeypatch.setattr(toolchain, "_CGROUP_LIMITS", (str(tmp_path / "limited"),))

    assert toolchain.memory_bytes() == min(machine, 3_000_000_000)


def test_missing_tools_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    nothing = toolchain.missing_tools(tmp_path)

    (tmp_path / "Python.h").touch()
    monkeypatch.setenv("CXX", "true -m64")

    monkeypatch.setenv("CXX", "false")  # stands for gcc without its cc1plus
    assert toolchain.missing_tools(tmp_path)[0].startswith("a C++ compiler that works (")
    monkeypatch.setenv("CXX", "true -m64")

    assert nothing == ["a C++ compiler", "the Python headers"]
    assert toolchain.missing_tools(tmp_path) == []
