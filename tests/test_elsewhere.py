"""Commands run where Linux' own system calls are missing: simulated; tests/elsewhere/sitecustomize.py says how far."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.conftest import MASKRCNN, Cli, Outcome
from tests.elsewhere.names import absent, missing
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("convertkit", "passes", "targets", "models")
SYSTEMS = ("win32", "darwin")


class System:
    """Runs Python there. Files below ``own`` are taken for sources of ours."""

    def __init__(self, platform: str, room: Path) -> None:
        self.platform, self.own = platform, room / "own"
        self._told, self.temporary = room / "system.json", room / "tmp"
        self.own.mkdir()
        self.temporary.mkdir()
        roots = [f"{path}/" for path in (*(REPOSITORY / name for name in SOURCES), self.own)]
        told = {
            "platform": platform,
            "roots": roots,
            "missing": missing(platform),
            "absent": absent(platform),
        }
        self._told.write_text(json.dumps(told))

    def start(self, *words: object) -> subprocess.Popen[str]:
        variables = {
            "CONVERTKIT_ELSEWHERE": self._told,
            "PYTHONPATH": REPOSITORY / "tests" / "elsewhere",
            "TMPDIR": self.temporary,
        }
        return subprocess.Popen(
            [sys.executable, *map(str, words)],
            env={**os.environ, **{name: str(value) for name, value in variables.items()}},
            cwd=self.own,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *words: object) -> Outcome:
        started = self.start(*words)
        out, err = started.communicate(timeout=300)
        return Outcome(started.returncode, out, err)

    def cli(self, *words: object) -> Outcome:
        return self("-m", "convertkit", *words)

    def script(self, code: str) -> Path:
        path = self.own / "script.py"
        path.write_text(code)
        return path


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    room = tmp_path / "room"
    room.mkdir()
    return System(request.param, room)


@pytest.fixture
def windows(tmp_path: Path) -> System:
    room = tmp_path / "room"
    room.mkdir()
    return System("win32", room)


GONE = {
    "win32": [
        "os.fork",
        "os.O_NONBLOCK",
        "os.pwrite",
        "os.statvfs",
        "signal.SIGKILL",
        "signal.sigtimedwait",
        "fcntl",
    ],
    "darwin": ["os.sched_getaffinity", "os.posix_fallocate", "os.memfd_create", "signal.sigtimedwait"],
}
LOOK = """
def there(name):
    module, _, name = name.partition(".")
    try:
        exec(f"import {{module}}", globals())
        return not name or hasattr(globals()[module], name)
    except ModuleNotFoundError:
        return False
import os, signal
print(*(name for name in {names} if there(name)))
"""


def test_the_simulation_hides_what_it_should_from_us_and_from_nobody_else(system: System) -> None:
    names = GONE[system.platform]

    ours = system(system.script(LOOK.format(names=names)))
    others = system("-c", LOOK.format(names=names))

    assert (ours.code, ours.out.split()) == (0, [])
    assert (others.code, others.out.split()) == (0, names)


MOVES = """
import os, pathlib, shutil
place = pathlib.Path("place"); place.mkdir()
with (place / "file").open("w"):
    for act in (lambda: (place / "file").unlink(), lambda: place.rename("x"), lambda: shutil.rmtree(place)):
        try:
            act()
        except PermissionError:
            print("refused")
try:
    os.open(place, os.O_RDONLY)
except PermissionError:
    print("refused")
shutil.rmtree(place)
print(place.exists())
"""


def test_the_simulated_windows_keeps_what_is_open(windows: System) -> None:
    done = windows(windows.script(MOVES))

    assert done.out.split() == ["refused"] * 4 + ["False"], done.err


def test_doctor_says_once_what_there_is_not(system: System, cli: Cli) -> None:
    there = system.cli("doctor", "--json")

    assert there.code == 0, there.err
    lines = [item for item in there.json if item["what"] == "child processes"]
    assert [line["state"] for line in lines] == ["note"]
    assert "guard" in lines[0]["found"]
    assert not any(item["what"] == "child processes" for item in cli("doctor", "--json").json)


def test_it_lists_the_same(system: System, cli: Cli) -> None:
    there = system.cli("list", "passes", "--json")

    assert (there.code, there.out) == (0, cli("list", "passes", "--json").out), there.err


HOLD = """
import sys, time
from convertkit.storage.files import FileLock, clean_leftovers, scratch_directory
from convertkit.storage.temporary import reserve
from pathlib import Path
with FileLock(sys.argv[1] + "/lock"), scratch_directory(sys.argv[1] + "/work") as work:
    reserve(Path(sys.argv[1], "file"), directory=False)
    print("here", flush=True)
    sys.stdin.read() if len(sys.argv) < 3 else time.sleep(60)
"""
WAIT = """
import sys
from convertkit.errors import StoreError
from convertkit.storage.files import FileLock, clean_leftovers
print(len(clean_leftovers(sys.argv[1])), FileLock.holder(sys.argv[1] + "/lock"))
try:
    with FileLock(sys.argv[1] + "/lock", timeout=0.2):
        print("taken")
except StoreError as error:
    print(error)
"""


def test_locks_hold_between_processes_and_go_with_them(system: System, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    holder = system.start(system.script(HOLD), place, "for long")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "here\n"
    wait = system.own / "wait.py"
    wait.write_text(WAIT)

    meanwhile = system(wait, place).out
    holder.kill()
    holder.communicate()
    after = system(wait, place).out

    assert meanwhile.startswith(f"0 process {holder.pid} on "), meanwhile
    assert f"still locked by process {holder.pid} on " in meanwhile
    assert after == "2 None\ntaken\n"
    assert list(place.iterdir()) == []


KILL = """
import sys
from convertkit.children.process import run_child
print(run_child([sys.executable, "-c", "print(1 + 1)"]).stdout.strip())
run_child([sys.executable, "-c", "import time; print('last', flush=True); time.sleep(600)"], timeout=1)
"""


def test_children_run_and_end_at_their_limit(system: System) -> None:
    done = system(system.script(KILL))

    assert done.out == "2\n"
    assert "ChildError: python was killed after its time limit of 1 s" in done.err.splitlines()[-1]


def test_what_cannot_be_is_one_line(windows: System) -> None:
    stays = windows(
        windows.script("from convertkit.api.system import Dialogue; Dialogue(['x'], name='the runtime')")
    )
    built = windows.cli("env", "build", MASKRCNN)

    assert stays.err.splitlines()[-1].endswith(
        "UnavailableError: the runtime needs a child process that stays, which there is none of on Windows"
    )
    assert (built.code, built.err) == (
        3,
        "error: the export environment of maskrcnn cannot be built on Windows (name an interpreter that has everything "
        "with CONVERTKIT_EXPORT_PYTHON, or export on Linux)\n",
    )


def test_a_graph_is_rewritten_linted_and_estimated(system: System, cli: Cli, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "tiny.onnx")
    graph = tmp_path / "tiny.onnx"

    for words in (
        ("opt", graph, "-p", "simplify,cast-int64-to-int32", "-o", tmp_path / "PLACE.onnx"),
        ("lint", graph, "-t", "ascend310p3", "--json"),
        ("estimate", graph, "-t", "ascend310p3", "--json"),
        ("show", "pass", "simplify"),
    ):
        there = system.cli(*[str(word).replace("PLACE", "there") for word in words])
        here = cli(*[str(word).replace("PLACE", "here") for word in words])
        assert there.code == here.code, there.err
        assert words[0] == "opt" or there.out == here.out
    assert (tmp_path / "there.onnx").read_bytes() == (tmp_path / "here.onnx").read_bytes()
    assert list(system.temporary.iterdir()) == []


def test_mini_is_built_verified_and_preprocessed(
    system: System, cli: Cli, tmp_path: Path, own_home: Path
) -> None:
    artifact, files = tmp_path / "artifact", tmp_path / "files"
    common = ("--variant", "mini", "--target", "cpu")

    built = system.cli("build", MASKRCNN, *common, "--output", artifact)
    verified = system.cli(
        "verify", MASKRCNN, *common, "--output", artifact, "-n", 2, "--results", tmp_path / "r"
    )
    prepared = system.cli("preprocess", MASKRCNN, *common, "-n", 2, "--output", files)
    scored = system.cli("postprocess", MASKRCNN, tmp_path / "r", "--inputs", files, "--artifact", artifact)

    for done in (built, verified, prepared):
        assert done.code == 0, done.err
    assert scored.code == 2  # what verify left is no chip's output
    assert scored.err.startswith("error: ")
    replayed = cli("replay", artifact / "manifest.json")
    assert replayed.code == 0, replayed.out
    names = {path.name for path in tmp_path.rglob("*")}
    assert not [name for name in names if name.endswith((".lock", ".convertkit-tmp"))]
    assert not [path for path in own_home.rglob("*") if path.parent.name == "locks"]
    assert list(system.temporary.iterdir()) == []


@pytest.mark.parametrize("platform", SYSTEMS)
def test_the_type_checker_knows_of_no_name_that_is_missing_there(platform: str, tmp_path: Path) -> None:
    words = ["--platform", platform, "--no-warn-unreachable", "--cache-dir", tmp_path]

    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, words)], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout
