"""Fixtures every room may use: a home of its own, a tiny model package, and the command line in process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.distribution import uv
from tests.tiny import write_package

MASKRCNN = Path(__file__).parents[1] / "models" / "maskrcnn"

settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

USERS_HOME = os.environ.get("CONVERTKIT_HOME")


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test sees or fills the user's cache."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CONVERTKIT_HOME", str(home))
    monkeypatch.delenv("CONVERTKIT_DEBUG", raising=False)
    monkeypatch.setattr("convertkit.models.known.first_time", lambda root: False)  # it has a test of its own
    yield home


@pytest.fixture(scope="session")
def export_python() -> Path:
    """The interpreter of the managed export environment, as the user's own cache has it (``make env`` builds it)."""
    from convertkit.exporting.interpreter import VARIABLE

    if named := os.environ.get(VARIABLE):
        return Path(named)
    return _managed(None, "make env")


@pytest.fixture(scope="session")
def seed_python() -> Path:
    """The same of the environment called ``seed``, for which there has to be a Python 3.7."""
    return _managed("seed", "make env-seed")


def _managed(env: str | None, remedy: str) -> Path:
    from convertkit.exporting.environment import Environment
    from convertkit.exporting.state import status_of
    from convertkit.models.hook import hook_of
    from convertkit.models.package import read_spec

    with pytest.MonkeyPatch.context() as users:
        if USERS_HOME is None:
            users.delenv("CONVERTKIT_HOME", raising=False)
        else:
            users.setenv("CONVERTKIT_HOME", USERS_HOME)
        hook = hook_of(MASKRCNN, read_spec(MASKRCNN), env)
        environment = Environment.of(hook.name, hook.environment, hook.root)
        if status_of(environment.directory).phase != "complete":
            pytest.skip(f"the export environment {env or ''} is not built: {remedy}")
        return environment.python


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution, and the wheel made of that."""
    target = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", target, MASKRCNN.parents[1])
    return target


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs ``convertkit`` in process, in an empty working directory."""
    from convertkit.cli.app import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(
        "COLUMNS", raising=False
    )  # of pytest-xdist: tables are wrapped as on a terminal of that width

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A complete model package whose graph has a handful of nodes."""
    return write_package(tmp_path / "tiny")
