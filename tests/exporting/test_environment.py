"""An export environment is built once, step by step, whoever is killed on the way."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from convertkit.errors import (
    ProcessError,
    StoreError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from convertkit.exporting import toolchain
from convertkit.exporting.build import CREATE, VERIFY, Progress, step_names, telling
from convertkit.exporting.environment import Environment
from convertkit.exporting.inventory import list_environments, remove
from convertkit.exporting.requirements import parse_requirements
from convertkit.exporting.state import FORMAT, State, StepRecord, load_state, save_state, status_of
from convertkit.models.spec import EnvironmentSpec
from tests.exporting.packages import write_slow_source, write_wheel

BUILD = """
import sys
from pathlib import Path
from convertkit.exporting.environment import Environment
from convertkit.exporting.requirements import parse_requirements
Environment("model", parse_requirements(sys.argv[1]), {"FLAVOUR": "spec"}).ensure()
"""


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's pip configuration: no network, wheels from a directory."""
    write_wheel(tmp_path / "index", "quick")
    write_wheel(tmp_path / "index", "broken", "import nothing_like_it")
    write_slow_source(tmp_path / "index")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "TMPDIR", "MAX_JOBS", "CXX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("SLOW_PLACE", str(tmp_path))
    return tmp_path / "index"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment to copy: making one takes seconds."""
    venv = tmp_path_factory.mktemp("template") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    return venv


def seeded(template: Path, text: str) -> Environment:
    """An environment whose first step is done."""
    environment = Environment("model", parse_requirements(text), {"FLAVOUR": "spec"})
    shutil.copytree(template, environment.directory / "venv", symlinks=True)
    state = State(
        format=FORMAT,
        model="model",
        key=environment.key,
        python="",
        requirements=environment.requirements.lines,
        variables={},
        total=len(step_names(environment.requirements)),
        done=(StepRecord(CREATE, 0.0),),
    )
    save_state(environment.directory, state)
    return environment


def forbidden(*_: object) -> None:
    pytest.fail("nothing should be left to do")


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


@pytest.mark.slow
def test_build_from_nothing_then_again_for_free(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# small\nquick==1.0\n")
    spec = EnvironmentSpec(requirements="requirements.txt", variables={"A": "b"})
    environment = Environment.of("model", spec, tmp_path)
    seen: list[Progress] = []
    before = status_of(environment.directory)

    python = environment.ensure(seen.append)

    assert before.phase == "absent"
    assert [(step.step, step.steps, step.what) for step in seen if not step.line] == [
        (1, 3, "virtual environment"),
        (2, 3, "quick==1.0"),
        (3, 3, "import everything"),
    ]
    assert any("Successfully installed quick-1.0" in step.line for step in seen)
    after = status_of(environment.directory)
    assert (after.phase, after.done, after.total, after.versions) == ("complete", 3, 3, {"quick": "1.0"})
    assert "step 2 of 3: quick==1.0" in (environment.directory / "build.log").read_text()
    subprocess.run([python, "-c", "import quick"], check=True)
    assert not (environment.directory / "tmp").exists()

    assert environment.ensure(forbidden, forbidden) == python


def test_key_is_what_decides_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Environment("model", parse_requirements("a==1\n"), {"X": "1"})

    same = Environment("model", parse_requirements("# comment\n\na==1"), {"X": "1"})
    others = [
        Environment("model", parse_requirements("a==2"), {"X": "1"}),
        Environment("model", parse_requirements("a==1"), {"X": "2"}),
        Environment("model", parse_requirements("b\na==1"), {"X": "1"}),
    ]
    keys = {one.key, *(other.key for other in others)}
    assert same.directory == one.directory
    monkeypatch.setattr("platform.machine", lambda: "other")
    elsewhere = replace(one)

    assert one.directory.name == f"model-{one.key[:12]}"
    assert len(keys | {elsewhere.key}) == 5


def test_another_base_python_is_asked_for_its_version(tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    requirements = parse_requirements("a==1")

    assert Environment("m", requirements, base_python=link).key == Environment("m", requirements).key
    with pytest.raises(UsageError, match="not a usable Python interpreter"):
        _ = Environment("m", requirements, base_python=Path("/bin/true")).key


@pytest.mark.slow
def test_killed_build_goes_on_and_the_second_builder_waits(template: Path, tmp_path: Path) -> None:
    text = "quick==1.0\nslow==1.0"
    environment = seeded(template, text)
    compiled = tmp_path / "compiled"

    # Killed while it compiles: nothing of it goes on, what was done stays done.
    with subprocess.Popen([sys.executable, "-c", BUILD, text]) as killed:
        wait_for(compiled)
        assert status_of(environment.directory).phase == "building"
        killed.send_signal(signal.SIGKILL)
    assert status_of(environment.directory).phase == "partial"
    assert status_of(environment.directory).done == 2

    # Two at once: the second says whom it waits for, then finds everything done.
    compiled.unlink()
    with subprocess.Popen([sys.executable, "-c", BUILD, text]) as first:
        wait_for(compiled)
        said: list[str] = []

        def on_wait(phrase: str) -> None:
            said.append(phrase)
            (tmp_path / "gate").touch()

        environment.ensure(forbidden, on_wait)
    assert first.returncode == 0
    assert said[0].startswith(f"waiting for process {first.pid} on ")

    state = load_state(environment.directory)
    assert state is not None
    assert [step.what for step in state.done] == [CREATE, "quick==1.0", "slow==1.0", VERIFY]
    jobs, flavour, temporary, python_path = compiled.read_text().split()[0].split(";")
    assert (jobs, flavour, python_path) == (str(toolchain.default_jobs()), "spec", "-")
    assert temporary == str(environment.directory / "tmp")
    assert (environment.directory / "build.log").read_text().count("step 2 of 4") == 1


@pytest.mark.slow
def test_the_users_variables_hold_but_for_the_specs(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gate").touch()
    monkeypatch.setenv("MAX_JOBS", "7")
    monkeypatch.setenv("FLAVOUR", "user")
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    seeded(template, "slow").ensure()

    assert (tmp_path / "compiled").read_text().split() == [f"7;spec;{tmp_path};-"]


@pytest.mark.slow
def test_failed_step_is_one_line_and_is_tried_again(template: Path, index: Path) -> None:
    environment = seeded(template, "quick==1.0\nlate==1.0")

    with pytest.raises(UnavailableError) as caught:
        environment.ensure()
    write_wheel(index, "late")
    seen: list[Progress] = []
    environment.ensure(seen.append)

    assert str(caught.value).startswith("pip install late==1.0: the package index has nothing that fits")
    assert str(caught.value).endswith(f"log: {environment.directory / 'build.log'})")
    assert [step.what for step in seen if not step.line] == ["late==1.0", VERIFY]


@pytest.mark.slow
def test_unreachable_index_is_told_from_a_wrong_requirement(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    environment = seeded(template, "absent")

    for retries in ("1", "0"):  # at 0 pip itself only says that it has found nothing
        monkeypatch.setenv("PIP_RETRIES", retries)
        with pytest.raises(
            UnavailableError, match=r"^pip install absent: the package index cannot be reached"
        ):
            environment.ensure()


@pytest.mark.slow
def test_missing_compiler_is_found_before_compiling(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    environment = seeded(template, "quick==1.0\nslow==1.0")

    with pytest.raises(UnavailableError) as caught:
        environment.ensure()

    assert "slow==1.0 has no wheel for this machine and a C++ compiler to compile it is missing" in str(
        caught.value
    )
    assert "apt-get install g++ python3-dev" in str(caught.value)
    assert not (tmp_path / "compiled").exists()
    assert status_of(environment.directory).done == 2


@pytest.mark.slow
def test_what_cannot_be_imported_is_not_complete(template: Path) -> None:
    environment = seeded(template, "broken")

    with pytest.raises(ProcessError) as caught:
        environment.ensure()

    assert "broken cannot be imported: ModuleNotFoundError: No module named 'nothing_like_it'" in str(
        caught.value
    )
    assert status_of(environment.directory).phase == "partial"


@pytest.mark.slow
def test_half_installed_package_is_installed_again(template: Path) -> None:
    environment = seeded(template, "quick==1.0")
    (packages,) = (environment.directory / "venv" / "lib").glob("python*/site-packages")
    half = packages / "quick-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: quick\nVersion: 1.0\n")

    environment.ensure()

    assert (packages / "quick" / "__init__.py").exists()
    assert (half / "RECORD").exists()


@pytest.mark.slow
def test_environment_whose_python_is_gone_is_made_anew(template: Path) -> None:
    environment = seeded(template, "quick==1.0")
    environment.ensure()
    environment.python.unlink()
    seen: list[Progress] = []

    environment.ensure(seen.append)

    assert [step.what for step in seen if not step.line] == [CREATE, "quick==1.0", VERIFY]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[7/73] c++ -MMD -c nms.cpp", "compiled 7 of 73"),
        ("  Downloading torch-2.13.0.whl (200 MB)", "Downloading torch-2.13.0.whl (200 MB)"),
        ("  90 |   bool enabled_ : 1 = true;", ""),
        ("Installing collected packages: torch", "Installing collected packages: torch"),
    ],
)
def test_only_telling_lines_are_shown(line: str, shown: str) -> None:
    assert telling(line) == shown


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, convertkit.exporting.environment, convertkit.downloads.fetch, convertkit.exporting.worker; "
    code += "print(*{'numpy', 'onnx', 'onnxruntime', 'cv2', 'torch', 'typer', 'rich'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "\n"


def test_base_python_without_ensurepip_is_explained(tmp_path: Path) -> None:
    shim = tmp_path / "python"
    shim.write_text(
        f'#!/bin/sh\n[ "$2" = venv ] && echo "ensurepip is not available" && exit 1\nexec {sys.executable} "$@"\n'
    )
    shim.chmod(0o755)

    with pytest.raises(UnavailableError, match="apt-get install python3-venv"):
        Environment("model", parse_requirements("quick"), base_python=shim).ensure()


def test_environments_are_listed_and_removed(tmp_path: Path) -> None:
    assert list_environments() == []
    some = [Environment("model", parse_requirements(text)) for text in ("a", "b")]
    other = Environment("other", parse_requirements("a"))
    for environment in (*some, other):
        (environment.directory / "venv").mkdir(parents=True)

    assert [status.phase for status in list_environments()] == ["partial"] * 3
    with pytest.raises(UsageError, match="'model' has several environments"):
        remove("model")
    assert remove("other") == other.directory
    assert remove(some[0].directory.name) == some[0].directory
    with pytest.raises(UnknownNameError, match=f"unknown environment 'modle' .*{some[1].directory.name}"):
        remove("modle")
    assert [status.name for status in list_environments()] == [some[1].directory.name]


def test_environment_under_construction_is_not_removed(tmp_path: Path) -> None:
    from convertkit.exporting.state import lock_of
    from convertkit.storage.files import FileLock

    environment = Environment("model", parse_requirements("a"))
    environment.directory.mkdir(parents=True)

    with (
        FileLock(lock_of(environment.directory)),
        pytest.raises(StoreError, match="is being built by process"),
    ):
        remove("model")

    assert environment.directory.exists()
