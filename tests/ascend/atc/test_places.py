"""ATC in a container and on another host: what it leaves, how it fails, and that nothing of it stays there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from convertkit_ascend.atc import AtcError, Compiled, Docker, Ssh, compile_with_atc

from tests.ascend.atc.asked import KEEPING, OPTIONS, body
from tests.ascend.atc.conftest import executable, orphans

# A container is a subdirectory here: the stand-in for docker runs the command in the mounted directory.
DOCKER = r"""
printf '%s\n' "$*" >>"$LOG"
case "$1" in
rm) kill -KILL "$(cat "$LOG.pid")" 2>/dev/null; exit 0 ;;
esac
shift
while [ $# -gt 0 ]; do
    case "$1" in
    --volume) work="${2%%:/work}"; shift 2 ;;
    --env) export "$2"; shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
shift
echo $$ >"$LOG.pid"
cd "$work" && exec "$@"
"""


@pytest.fixture
def docker(bin_dir: Path, stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``docker`` on PATH, a stand-in; returns the file where it writes down how it was called."""
    monkeypatch.setenv("LOG", str(tmp_path / "docker.log"))
    executable(bin_dir / "docker", DOCKER)
    return tmp_path / "docker.log"


def test_a_container_compiles(docker: Path, models: dict[str, Path], tmp_path: Path) -> None:
    done = compile_with_atc(
        models["plain"], OPTIONS, tmp_path / "m.om", compiler=Docker("cann:8.1"), timeout=100
    )

    assert body(done.path)["model"] == "plain.onnx"
    call = docker.read_text().splitlines()[0]
    assert "--network=none" in call
    assert f"--user={os.getuid()}:{os.getgid()}" in call
    assert "cann:8.1 timeout -s KILL 160 sh -c" in call
    assert not (tmp_path / "user").exists()


@pytest.mark.slow
def test_a_container_that_runs_too_long_is_removed_by_name(
    docker: Path, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", "hang")

    with pytest.raises(AtcError, match="time limit of 1 s"):
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Docker("cann"), timeout=1.0)

    lines = docker.read_text().splitlines()
    name = next(word for word in lines[0].split() if word.startswith("--name=")).removeprefix("--name=")
    assert lines[-1] == f"rm --force {name}"


@pytest.mark.parametrize(
    ("exit_code", "said", "line"),
    [
        (125, "docker: no such image", "atc was not found on docker:cann"),
        (
            127,
            "no atc here: install CANN",
            r"atc was not found on docker:cann: it is neither .* \(check the image",
        ),
        (137, "", "was killed by SIGKILL"),
        (139, "", "crashed with SIGSEGV"),
    ],
)
def test_dockers_own_exit_codes_are_understood(
    bin_dir: Path, models: dict[str, Path], tmp_path: Path, exit_code: int, said: str, line: str
) -> None:
    executable(bin_dir / "docker", f"echo {said!r} >&2; exit {exit_code}")

    with pytest.raises(AtcError, match=line):
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Docker("cann"))


# The other host is this one: the stand-ins for ssh and scp drop the host's name.
SSH = r"""
printf 'ssh %s\n' "$*" >>"$LOG"
[ "$3" = deaf ] && { echo "ssh: connect to host deaf port 22: Connection refused" >&2; exit 255; }
shift 3
exec env -i PATH="$PATH" HOME="$HOME" STAND_IN_ATC="$STAND_IN_ATC" sh -c "$*"
"""
SCP = r"""
printf 'scp %s\n' "$*" >>"$LOG"
shift 4
from="${1#host:}"; to="${2#host:}"
exec cp -r "$from" "$to"
"""


@pytest.fixture
def ssh(bin_dir: Path, stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``ssh`` and ``scp`` on PATH, stand-ins; returns the file where they write down how they were called."""
    monkeypatch.setenv("LOG", str(tmp_path / "ssh.log"))
    monkeypatch.setenv("STAND_IN_ATC", "")
    executable(bin_dir / "ssh", SSH)
    executable(bin_dir / "scp", SCP)
    return tmp_path / "ssh.log"


def there(log: Path) -> Path:
    """The directory on the other host."""
    line = next(
        line for line in log.read_text().splitlines() if line.startswith("scp") and " host:/tmp/" in line
    )
    return Path(line.rpartition("host:")[2])


@pytest.mark.slow
def test_another_host_compiles(ssh: Path, models: dict[str, Path], tmp_path: Path) -> None:
    done: Compiled = compile_with_atc(
        models["plain"], KEEPING, tmp_path / "m.om", compiler=Ssh("host"), timeout=100
    )

    assert body(done.path)["keep_dtype"] == "keep_dtype.cfg"
    assert not there(ssh).exists()
    assert "BatchMode=yes host" in ssh.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("situation", ["no-engine", "hang", "segfault"])
def test_a_failure_on_another_host_is_explained_and_cleaned_up(
    ssh: Path, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, situation: str
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", situation)
    line = {"no-engine": "EZ3003", "hang": "time limit", "segfault": "crashed with SIGSEGV"}[situation]

    with pytest.raises(AtcError, match=line):
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Ssh("host"), timeout=1.0)

    assert not there(ssh).exists()
    assert orphans(there(ssh)) == []


def test_a_host_that_does_not_answer_is_named(ssh: Path, models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(AtcError, match=r"ssh:deaf was not reached: .*Connection refused") as caught:
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Ssh("deaf"))

    assert "ssh -o BatchMode=yes deaf true" in caught.value.details


@pytest.mark.parametrize("said", ["", "/", "welcome"])
def test_a_host_that_names_no_directory_is_not_cleaned_up(
    ssh: Path, models: dict[str, Path], tmp_path: Path, bin_dir: Path, said: str
) -> None:
    executable(bin_dir / "ssh", f"echo \"$*\" >>$LOG; echo '{said}'")

    with pytest.raises(AtcError, match=r"ssh:host was not reached: .*mktemp named no directory there"):
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Ssh("host"))

    assert "rm -rf" not in ssh.read_text()


@pytest.mark.slow
def test_a_host_that_greets_is_understood(
    ssh: Path, models: dict[str, Path], tmp_path: Path, bin_dir: Path
) -> None:
    executable(
        bin_dir / "ssh",
        "echo welcome; " + SSH.replace("exec", "").strip() + "; code=$?; echo bye; exit $code",
    )

    done = compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Ssh("host"))

    assert body(done.path)["model"] == "plain.onnx"
