"""A whole model under its name or nothing, and nobody left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from convertkit_ascend import reproducer
from convertkit_ascend.atc import (
    AtcError,
    AtcOptions,
    Docker,
    Local,
    Ssh,
    Status,
    compile_with_atc,
    has_local,
    open_compiler,
)
from convertkit_ascend.atc.outcome import defect
from convertkit_ascend.atc.phases import phase_of
from convertkit_ascend.reproducer import telling_environment

from convertkit.errors import UnavailableError, UsageError
from tests.ascend.atc.asked import KEEPING, OPTIONS, body
from tests.ascend.atc.conftest import STAND_IN, executable, orphans


def test_the_command_is_kept_and_its_paths_are_relative(
    models: dict[str, Path], stand_in: Path, tmp_path: Path
) -> None:
    done = compile_with_atc(models["plain"], KEEPING, tmp_path / "a b" / "net.om", compiler=Local())

    assert done.command == (
        "atc",
        "--model=plain.onnx",
        "--framework=5",
        "--output=out/net",
        "--input_format=NCHW",
        "--log=error",
        "--soc_version=Ascend310P3",
        "--keep_dtype=keep_dtype.cfg",
        "--precision_mode=force_fp16",
    )
    assert body(done.path)["keep_dtype"] == "keep_dtype.cfg"
    assert done.where == "this machine"
    assert "ATC run success" in done.log
    assert [path.name for path in (tmp_path / "a b").iterdir()] == ["net.om"]


def test_names_atc_does_not_take_are_replaced(
    models: dict[str, Path], stand_in: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "my model (1).onnx"
    odd.write_bytes(models["plain"].read_bytes())

    done = compile_with_atc(odd, OPTIONS, tmp_path / "ünï.om", compiler=Local())

    assert done.command[1] == "--model=model.onnx"
    assert done.path.name == "ünï.om"
    assert done.path.exists()


def test_a_failure_leaves_the_former_model_alone(
    models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = tmp_path / "made" / "model.om"
    compile_with_atc(models["plain"], OPTIONS, destination, compiler=Local())
    before = destination.read_bytes()
    monkeypatch.setenv("STAND_IN_ATC", "cut-short")

    with pytest.raises(AtcError, match="is cut short"):
        compile_with_atc(models["plain"], OPTIONS, destination, compiler=Local())

    assert destination.read_bytes() == before
    assert [path.name for path in destination.parent.iterdir()] == ["model.om"]


def test_the_model_itself_may_ask_for_a_situation(
    stand_in: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    import onnx

    model = onnx.load(models["plain"])
    model.metadata_props.add(key="stand_in_atc", value="no-engine")
    onnx.save(model, tmp_path / "asks.onnx")

    with pytest.raises(AtcError, match="EZ3003"):
        compile_with_atc(tmp_path / "asks.onnx", OPTIONS, tmp_path / "model.om", compiler=Local())


def test_external_data_goes_along_and_weights_come_back(
    models: dict[str, Path], bin_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "weights.bin").write_bytes(b"123")
    checks = (
        "test -f weights.bin && mkdir out/weight && cp weights.bin out/weight/part && test ! -L weights.bin"
    )
    executable(bin_dir / "atc", f'{checks} && exec {sys.executable} -S -E {STAND_IN} "$@"')

    compile_with_atc(
        models["plain"],
        AtcOptions(soc_version="Ascend310P3", external_weight=True),
        tmp_path / "made" / "model.om",
        compiler=Local(),
        beside=[tmp_path / "weights.bin"],
    )

    assert (tmp_path / "made" / "weight" / "part").read_bytes() == b"123"
    assert (tmp_path / "weights.bin").read_bytes() == b"123"


@pytest.mark.slow
def test_the_status_tells_phase_and_time(
    models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", "phases")
    monkeypatch.setenv("STAND_IN_ATC_SECONDS", "1.2")
    seen: list[Status] = []

    compile_with_atc(models["plain"], OPTIONS, tmp_path / "model.om", compiler=Local(), on_status=seen.append)

    assert list(dict.fromkeys(status.phase for status in seen)) == [
        "compiling",
        "reading the model",
        "preparing the graph",
        "fusing operators",
        "compiling operators",
        "building the model",
        "finished",
    ]
    waiting = [status for status in seen if status.seconds > 1.0 and status.phase == "building the model"]
    assert waiting
    assert waiting[-1].line.endswith("working")


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("ATC start working now, please wait for a moment.", "compiling"),
        ("[INFO] GE(1,atc.bin):2026-03-18-09:02:18.501.341 [graph_prepare.cc:10]text", "preparing the graph"),
        ("[INFO] GE(1,atc.bin):2026-03-18-09:02:18.501.341 [nothing.cc:10]onnx_parser.cc", None),
        ("something else", None),
    ],
)
def test_phases_are_read_from_the_log(line: str, phase: str | None) -> None:
    assert phase_of(line) == phase


DRIVER = """
import signal, sys
from pathlib import Path
from convertkit_ascend.atc import *
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children ignore it otherwise
compile_with_atc(Path(sys.argv[1]), AtcOptions(soc_version="Ascend310P3"), Path(sys.argv[2]), compiler=Local())
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whoever_is_stopped_takes_the_compiler_along(
    number: signal.Signals,
    models: dict[str, Path],
    stand_in: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", "hang")
    destination = tmp_path / "made" / "model.om"
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, models["plain"], destination], stderr=subprocess.PIPE
    )
    wait_for(lambda: any("time.sleep(600)" in line for line in orphans(tmp_path)))

    process.send_signal(number)
    process.communicate(timeout=30)

    wait_for(lambda: orphans(tmp_path) == [])
    if number == signal.SIGINT:
        assert [*destination.parent.iterdir()] == []
    assert not destination.exists()
    monkeypatch.delenv("STAND_IN_ATC")
    compile_with_atc(models["plain"], OPTIONS, destination, compiler=Local())
    assert [path.name for path in destination.parent.iterdir()] == [
        "model.om"
    ]  # a killed one's leftovers are gone


def wait_for(true: object, seconds: float = 20.0) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def test_a_reproducer_repeats_the_failure(
    models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", "no-engine")
    with pytest.raises(AtcError) as caught:
        compile_with_atc(
            models["plain"],
            KEEPING,
            tmp_path / "model.om",
            compiler=Local(),
            settings={"TE_PARALLEL_COMPILER": "2", "MY_TOKEN": "hidden"},
            failures=tmp_path / "failures",
        )
    assert caught.value.reproducer is not None

    again = subprocess.run([caught.value.reproducer / "command.sh"], capture_output=True, text=True, cwd="/")

    assert again.returncode == 255
    assert "EZ3003" in again.stdout
    environment = json.loads((caught.value.reproducer / "environment.json").read_text())
    assert environment["TE_PARALLEL_COMPILER"] == "2"
    assert "MY_TOKEN" not in environment
    assert (caught.value.reproducer / "keep_dtype.cfg").read_text() == "relu_1\n"
    assert "EZ3003" in (caught.value.reproducer / "explanation.txt").read_text()


@pytest.mark.slow
def test_only_the_newest_reproducers_stay(
    models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", "silent-255")
    monkeypatch.setattr(reproducer, "KEPT", 2)
    last = None
    for _ in range(3):
        with pytest.raises(AtcError) as caught:
            compile_with_atc(
                models["plain"], OPTIONS, tmp_path / "m.om", compiler=Local(), failures=tmp_path / "failures"
            )
        last = caught.value.reproducer

    kept = [*(tmp_path / "failures").iterdir()]
    assert len(kept) == 2
    assert last in kept


def test_a_reproducer_that_cannot_be_written_hides_nothing(
    models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", "no-engine")
    (tmp_path / "failures").write_text("a file in the way")

    with pytest.raises(AtcError, match="EZ3003") as caught:
        compile_with_atc(
            models["plain"], OPTIONS, tmp_path / "m.om", compiler=Local(), failures=tmp_path / "failures"
        )

    assert caught.value.reproducer is None
    assert "no reproducer" in caught.value.details


def test_the_environment_is_kept_without_secrets() -> None:
    kept = telling_environment(
        {
            "ASCEND_OPP_PATH": "/o",
            "ASCEND_API_KEY": "s",
            "TE_TOKEN": "s",
            "AWS_SECRET": "s",
            "PATH": "/b",
            "FOO": "x",
        }
    )

    assert kept == {"ASCEND_OPP_PATH": "/o", "PATH": "/b"}


def test_errors_in_the_home_directory_are_found(
    models: dict[str, Path], bin_dir: Path, tmp_path: Path
) -> None:
    plog = tmp_path / "user" / "ascend" / "log" / "debug" / "plog"
    plog.mkdir(parents=True)
    (plog / "plog-1_old.log").write_text("E20007: an old failure\n")
    os.utime(plog / "plog-1_old.log", (1.0, 1.0))
    (plog / "plog-3_gone.log").symlink_to("nowhere")
    (plog / "plog-4_closed.log").mkdir()
    executable(bin_dir / "atc", f"echo 'EZ3003: No engine for [relu_1]' > {plog}/plog-2_new.log; exit 255")

    with pytest.raises(AtcError, match="EZ3003") as caught:
        compile_with_atc(
            models["plain"], OPTIONS, tmp_path / "m.om", compiler=Local(), failures=tmp_path / "failures"
        )

    assert caught.value.explanation.others == ()
    assert caught.value.reproducer is not None
    assert "EZ3003" in (caught.value.reproducer / "plog.txt").read_text()


def test_set_env_sh_is_found_and_devlib_added(
    models: dict[str, Path], bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "user" / "Ascend" / "ascend-toolkit"
    machine = os.uname().machine
    (root / "bin").mkdir(parents=True)
    (root / f"{machine}-linux" / "devlib").mkdir(parents=True)
    (root / "set_env.sh").write_text(f"export ASCEND_TOOLKIT_HOME={root}\nexport PATH={root}/bin:$PATH\n")
    seen = tmp_path / "seen"
    script = f'echo "$LD_LIBRARY_PATH" >{seen}; exec {sys.executable} -S -E {STAND_IN} "$@"'
    executable(root / "bin" / "atc", script)

    assert has_local()
    done = compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Local())

    assert done.path.exists()
    assert seen.read_text().strip().endswith(f"{root}/{machine}-linux/devlib")


@pytest.mark.skipif(
    any(Path(place).exists() for place in ("/usr/local/Ascend", "/dev/davinci_manager")), reason="CANN"
)
def test_a_machine_without_atc_says_so(bin_dir: Path, models: dict[str, Path], tmp_path: Path) -> None:
    assert open_compiler("none") is None
    assert open_compiler("auto") is None
    with pytest.raises(
        UnavailableError, match=r"there is no atc on this machine \(install CANN"
    ) as unavailable:
        open_compiler("local")
    with pytest.raises(UsageError, match=r"compiler 'dokcer:x' is unknown \(did you mean 'docker:IMAGE'"):
        open_compiler("dokcer:x")
    with pytest.raises(AtcError, match="atc was not found on this machine") as caught:
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Local())

    assert str(caught.value).count("install CANN") == 1
    assert unavailable.value.exit_code == 3


def test_compilers_are_named(bin_dir: Path, stand_in: Path) -> None:
    for name in ("docker", "ssh"):
        executable(bin_dir / name, "exit 0")

    assert open_compiler("auto") == Local()
    assert open_compiler("local") == Local()
    assert open_compiler("docker:ascend/cann:8.1") == Docker("ascend/cann:8.1")
    assert open_compiler("ssh:user@host") == Ssh("user@host")
    for wrong in ("docker:", "ssh:-oProxyCommand=x", "remote"):
        with pytest.raises(UsageError, match="is unknown"):
            open_compiler(wrong)


def test_what_cannot_be_compiled_is_refused(models: dict[str, Path], stand_in: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.onnx: no such file"):
        compile_with_atc(tmp_path / "nowhere.onnx", OPTIONS, tmp_path / "m.om", compiler=Local())
    with pytest.raises(UsageError, match=r"an offline model is named \.om"):
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.bin", compiler=Local())


@pytest.mark.parametrize("size", [0, 3, 200, 256, 300])
def test_a_model_is_whole_or_it_is_not(size: int, tmp_path: Path) -> None:
    import struct

    whole = b"IMOD" + bytes(72) + struct.pack("<I", 44) + bytes(176) + bytes(44)
    (tmp_path / "m.om").write_bytes(whole[:size])

    assert (defect(tmp_path / "m.om") == "") == (size == len(whole))


def test_interrupting_a_thread_is_not_needed_to_see_ticks(
    models: dict[str, Path], stand_in: Path, tmp_path: Path
) -> None:
    """Status callbacks run in the caller's thread, so that they may raise to stop a build."""
    threads: set[int] = set()

    class Stop(Exception):
        pass

    def stop(status: Status) -> None:
        threads.add(threading.get_ident())
        raise Stop

    with pytest.raises(Stop):
        compile_with_atc(models["plain"], OPTIONS, tmp_path / "m.om", compiler=Local(), on_status=stop)

    assert threads == {threading.get_ident()}
    assert not (tmp_path / "m.om").exists()
