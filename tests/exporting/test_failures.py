"""What is known to fail in the field is one line with the way out, whatever pip prints around it."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from convertkit.errors import UnavailableError
from convertkit.exporting.build import Builder
from convertkit.exporting.environment import Environment
from convertkit.exporting.failures import Watch
from convertkit.exporting.requirements import parse_requirements
from convertkit.exporting.state import FORMAT, State

EMPTY = "ERROR: Could not find a version that satisfies the requirement x (from versions: none)"
RETRY = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError('...: {}')': /simple/x/"

FIELD = {
    "g++ is absent": (
        "error: command 'g++' failed: No such file or directory",
        "a working C++ compiler is missing",
    ),
    "a cross g++": (
        "unable to execute 'x86_64-linux-gnu-g++': No such file",
        "a working C++ compiler is missing",
    ),
    "ninja": ("/bin/sh: 1: c++: not found", "a working C++ compiler is missing"),
    "cc1plus": (
        "g++: fatal error: cannot execute ‘cc1plus’: execvp: No such file",
        "a working C++ compiler is missing",
    ),
    "old cc1plus": (
        "gcc: error trying to exec 'cc1plus': execvp: No such file",
        "a working C++ compiler is missing",
    ),
    "Popen": (
        "FileNotFoundError: [Errno 2] No such file or directory: 'g++'",
        "a working C++ compiler is missing",
    ),
    "headers": (
        "a.cpp:1:10: fatal error: Python.h: No such file or directory",
        "the Python headers are missing",
    ),
    "clang headers": ("a.cpp:1:10: fatal error: 'Python.h' file not found", "the Python headers are missing"),
    "full": ("ERROR: Could not install packages: [Errno 28] No space left on device", "no space is left"),
    "quota": ("OSError: [Errno 122] Disk quota exceeded", "no space is left"),
    "no TMPDIR": (
        "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/x']",
        "no directory for temp",
    ),
    "407": (
        "ProxyError('Cannot connect', OSError('Tunnel connection failed: 407 Proxy Authentication'))",
        "the proxy",
    ),
    "certificate": (
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] ...'))",
        "the package index's certificate",
    ),
    "slow": (
        "ReadTimeoutError(\"HTTPSConnectionPool(host='x'): Read timed out. (read timeout=15)\")",
        "answers too slowly",
    ),
    "403": (
        "ERROR: HTTP error 403 while getting https://index/torch.whl",
        "the package index refuses access",
    ),
    "401": (
        "ERROR: 401 Client Error: Unauthorized for url: https://index/",
        "the package index refuses access",
    ),
    "404": (
        "ERROR: HTTP error 404 while getting https://index/simple/x",
        "the package index has no such page",
    ),
    "PIP_RETRIES=x": (
        "An error occurred during configuration: option retries: invalid integer value: 'x'",
        "pip's own options",
    ),
    "no wheel": (EMPTY, "the package index has nothing that fits"),
    "wheel": (
        "ERROR: torch-2.whl is not a supported wheel on this platform.",
        "it is not made for this Python",
    ),
    "killed": ("c++: fatal error: Killed signal terminated program cc1plus", "memory ran out"),
    "internal": ("g++: internal compiler error: Killed (program cc1plus)", "memory ran out"),
    "allocation": ("cc1plus: out of memory allocating 65536 bytes", "memory ran out"),
    "rights": ("PermissionError: [Errno 13] Permission denied: '/x'", "a place cannot be written"),
}


def cause_of(*lines: str) -> str:
    watch = Watch()
    for line in lines:
        watch.take(line)
    return watch.cause.what if watch.cause else ""


@pytest.mark.parametrize("kind", FIELD)
def test_a_failure_of_the_field_is_recognised(kind: str) -> None:
    line, what = FIELD[kind]

    assert what in cause_of("Collecting x", line, "ERROR: Failed building wheel for x")


def test_an_index_that_seems_empty_is_the_consequence() -> None:
    assert "cannot be reached" in cause_of(RETRY, EMPTY)
    assert "refuses access" in cause_of("ERROR: HTTP error 403 while getting x", EMPTY)
    assert "does not let pip through" in cause_of("ProxyError('Unable to connect')", EMPTY)


def test_what_a_retry_has_overcome_is_no_cause() -> None:
    assert cause_of(RETRY, "  Downloading x.whl (1 MB)", "error: expected ';' before '}'") == ""
    assert "Python headers" in cause_of(
        RETRY, "Downloading x", "fatal error: Python.h: No such file or directory"
    )


def builder(tmp_path: Path, script: str) -> Builder:
    """A builder whose interpreter is a double: whatever pip is asked, it does ``script``."""
    python = tmp_path / "env" / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    requirements = parse_requirements("x==1")
    state = State(
        format=FORMAT,
        model="m",
        key="k",
        python="cpython-3.11",
        requirements=("x==1",),
        variables={},
        total=3,
    )
    return Builder(tmp_path / "env", requirements, {}, Path(sys.executable), tmp_path, state)


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (
            "echo 'No space left on device'; exit 1",
            "pip install x==1: no space is left (free some, or set TMPDIR",
        ),
        ("kill -9 $$", "pip install x==1: memory ran out (run this again with MAX_JOBS=1"),
        (f'echo "{EMPTY}"; exit 1', "has nothing that fits (this environment has Python 3.11 on "),
        ("echo 'ProxyError'; exit 1", "the proxy does not let pip through (check HTTPS_PROXY"),
    ],
)
def test_the_line_names_step_reason_way_out_and_log(tmp_path: Path, script: str, line: str) -> None:
    made = builder(tmp_path, script)

    with pytest.raises(UnavailableError) as caught:
        made._pip(("x==1",), lambda _: None)

    assert line in str(caught.value)
    assert str(caught.value).endswith(f"log: {made.log})")
    assert (caught.value.exit_code, str(caught.value).count("\n")) == (3, 0)


def test_a_python_whose_version_was_never_learnt_is_named_as_that(tmp_path: Path) -> None:
    made = builder(tmp_path, f'echo "{EMPTY}"; exit 1')
    made.state = msgspec.structs.replace(made.state, python="")

    with pytest.raises(UnavailableError, match=r"\(this environment has a Python of unknown version on "):
        made._pip(("x==1",), lambda _: None)


def test_a_python_that_cannot_carry_the_framework_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    environment = Environment("m", parse_requirements("x"), pythons=("3.6", "3.7"))

    with pytest.raises(UnavailableError, match=r"of m needs Python 3\.6 or 3\.7, and .* is cpython-3"):
        environment.ensure()

    assert not environment.directory.exists()


def test_a_suitable_python_is_looked_for_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convertkit.exporting.environment import _suitable

    ours = "{}.{}".format(*sys.version_info)
    (tmp_path / "python3.6").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3.7").symlink_to(sys.executable)
    (tmp_path / "python3.6").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert _suitable((ours,)) == _suitable(()) == Path(sys.executable)
    assert _suitable(("3.7", "3.6")) == tmp_path / "python3.7"  # a double: only its name is looked at here
    assert _suitable(("3.1",)) == Path(sys.executable)
