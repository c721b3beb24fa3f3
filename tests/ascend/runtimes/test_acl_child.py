"""The chip's runtime when its child dies, hangs, chatters or is no longer needed; stand-ins of Huawei's modules."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from convertkit_ascend.runtimes import acl, open_runtime

from convertkit.errors import GraphError, ProcessError, UnavailableError
from convertkit.targets.context import RuntimeOptions
from tests.ascend.runtimes import stand_in_aclruntime as stand_in
from tests.ascend.runtimes.test_acl import arrays, expected, opened, same
from tests.children.test_dialogue import alive, wait_until_dead

ENDS = [
    ("segfault", "was killed by SIGSEGV"),
    ("abort", "was killed by SIGABRT"),
    ("kill", "was killed by SIGKILL (out of memory?)"),
    ("exit", "failed with exit code 3"),
    ("hang", "was killed after its time limit of 9 s"),
]


@pytest.fixture
def limits(monkeypatch):
    """A time limit for what hangs; everything else has the usual ones."""

    def set_to(end, moment):
        if end == "hang":
            field = {"opening": "opening", "running": "running"}[moment]
            monkeypatch.setattr(acl, "LIMITS", acl.Limits(**{field: 9.0}))

    return set_to


def child_of(runtime):
    """The process that holds the chip."""
    supervisor = runtime._child._child._process.pid
    return int(Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text())


def reproducers(home):
    return sorted((home / "failures").glob("acl-*"))


@pytest.mark.slow
@pytest.mark.parametrize(("end", "words"), ENDS)
def test_a_child_that_ends_while_opening(artifact, monkeypatch, limits, own_home, end, words):
    stand_in.install_aclruntime(monkeypatch, f"{end}-opening")
    limits(end, "opening")

    with pytest.raises(UnavailableError) as caught:
        opened(artifact)

    (kept,) = reproducers(own_home)
    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        f"{artifact}/model.om: device 0 does not take it: the runtime of the chip {words}: "
        f"[ERROR] TDT: {end} while opening, says the driver (to repeat it: {kept}/command.sh)"
    )
    assert caught.value.details.splitlines()[-1] == f"log: {kept}/log.txt"
    assert sorted(path.name for path in kept.iterdir()) == [
        "command.sh",
        "environment.json",
        "job.json",
        "log.txt",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("end", "words"), ENDS)
def test_a_child_that_ends_while_running(artifact, monkeypatch, limits, own_home, end, words):
    stand_in.install_ais_bench(monkeypatch, f"{end}-running")
    limits(end, "running")
    runtime = opened(artifact)
    pid = child_of(runtime)

    with pytest.raises(ProcessError) as caught:
        runtime.run(arrays())

    (kept,) = reproducers(own_home)
    assert caught.value.exit_code == 4
    assert str(caught.value) == (
        f"the runtime of the chip {words}: [ERROR] TDT: {end} while running, says the driver "
        f"(to repeat it: {kept}/command.sh)"
    )
    np.testing.assert_array_equal(np.load(kept / "input0.npy"), arrays()["input"])
    np.testing.assert_array_equal(np.load(kept / "input1.npy"), arrays()["picture"])
    assert not alive(pid)


@pytest.mark.slow
def test_a_reproducer_repeats_the_failure(artifact, monkeypatch, own_home):
    stand_in.install_aclruntime(monkeypatch, "segfault-running")
    with pytest.raises(ProcessError):
        opened(artifact).run(arrays())
    (kept,) = reproducers(own_home)

    again = subprocess.run([kept / "command.sh"], capture_output=True, text=True, cwd="/")
    monkeypatch.setenv(stand_in.VARIABLE, "")
    well = subprocess.run([kept / "command.sh"], capture_output=True, text=True, cwd="/")

    assert (again.returncode, again.stdout) == (-signal.SIGSEGV, "opened\n")
    assert "segfault while running" in again.stderr
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout.splitlines() == ["opened", "float32 (4, 5)", "int32 (4,)", "float32 (4, 28, 28)"]
    assert json.loads((kept / "job.json").read_text())["model"] == f"{artifact}/model.om"


@pytest.mark.slow
def test_a_reproducer_that_cannot_be_written_hides_nothing(artifact, monkeypatch, tmp_path):
    stand_in.install_aclruntime(monkeypatch, "abort-running")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CONVERTKIT_HOME", str(tmp_path / "file"))

    with pytest.raises(ProcessError, match=r"killed by SIGABRT: .* \(no reproducer: "):
        opened(artifact).run(arrays())


@pytest.mark.slow
def test_after_its_death_every_call_is_one_line(artifact, monkeypatch):
    stand_in.install_aclruntime(monkeypatch)
    runtime = opened(artifact)
    os.kill(child_of(runtime), signal.SIGKILL)

    with pytest.raises(ProcessError, match=r"^the runtime of the chip was killed by SIGKILL"):
        runtime.take_timings()
    with pytest.raises(ProcessError, match=r"^the runtime of the chip has ended"):
        runtime.run(arrays())


@pytest.mark.slow
@pytest.mark.parametrize("install", [stand_in.install_aclruntime, stand_in.install_ais_bench])
def test_what_the_driver_prints_is_not_seen(artifact, monkeypatch, capfd, install):
    install(monkeypatch, "chatty")

    runtime = opened(artifact)
    for seed in range(3):
        same(runtime.run(arrays(seed)), expected(artifact, arrays(seed)))

    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["close", "drop"])
def test_the_chip_is_free_when_the_runtime_is_gone(artifact, monkeypatch, how):
    stand_in.install_aclruntime(monkeypatch)
    runtime = opened(artifact)
    found = runtime.run(arrays())
    pid = child_of(runtime)
    assert alive(pid)

    if how == "close":
        runtime.close()
    else:
        del runtime
        gc.collect()

    assert not alive(pid)
    same(found, expected(artifact, arrays()))


@pytest.mark.slow
def test_a_model_that_does_not_fit_leaves_no_child(artifact, monkeypatch):
    from tests.ascend.runtimes.test_acl import write_any_batch

    stand_in.install_aclruntime(monkeypatch)
    kept = (artifact / "model.onnx").read_bytes()
    write_any_batch(artifact)
    (artifact / "model.onnx").write_bytes(kept)
    seen = []
    original = acl.AclRuntime._open
    monkeypatch.setattr(
        acl.AclRuntime, "_open", lambda self: (original(self), seen.append(child_of(self)))[0]
    )

    with pytest.raises(GraphError):
        opened(artifact)

    assert not any(map(alive, seen)) and len(seen) == 1


@pytest.mark.slow
def test_outputs_stay_what_they_were(artifact, monkeypatch):
    """Whether they are lent or copied: there are more of them than blocks."""
    stand_in.install_aclruntime(monkeypatch)
    runtime = opened(artifact)

    found = [runtime.run(arrays(seed)) for seed in range(acl.BLOCKS + 2)]

    for seed, outputs in enumerate(found):
        same(outputs, expected(artifact, arrays(seed)))


@pytest.mark.slow
def test_only_bytes_go_to_the_chip(artifact, monkeypatch):
    stand_in.install_aclruntime(monkeypatch)
    objects = np.full((1, 3, 160, 320), None)  # as many bytes as the input has

    with pytest.raises(GraphError, match="an array of object cannot be shared"):
        opened(artifact).run({**arrays(), "input": objects})


PARENT = """
import os
import signal
import sys
from pathlib import Path
from convertkit_ascend.runtimes import open_runtime
from convertkit.targets.context import RuntimeOptions
from tests.ascend.runtimes.test_acl import arrays
from tests.ascend.runtimes.test_acl_child import child_of
runtime = open_runtime(Path(sys.argv[1]), "acl", RuntimeOptions())
print(child_of(runtime), flush=True)
if sys.argv[2] == "running":
    runtime.run(arrays())
elif sys.argv[2] == "idle":
    signal.pause()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "number"), [("running", signal.SIGKILL), ("idle", signal.SIGKILL), ("end", None)]
)
def test_no_child_outlives_its_parent(artifact, monkeypatch, state, number):
    stand_in.install_aclruntime(monkeypatch, "hang-running")
    command = [sys.executable, "-c", PARENT, artifact, state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        if number is not None:
            assert alive(pid)
            parent.send_signal(number)
        parent.wait()

    assert wait_until_dead([pid]) == []


def test_the_child_imports_little():
    """It is there in a fraction of the time that onnx alone takes."""
    code = "import sys, convertkit_ascend.runtimes._acl_child; print(*sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {"onnx", "onnxruntime", "cv2", "typer", "rich", "yaml", "msgspec", "onnx_graphsurgeon"}
    assert heavy & set(found.stdout.split()) == set()
    assert "numpy" in found.stdout.split()


@pytest.mark.slow
def test_a_verification_that_loses_the_chip_shows_where_to_look(artifact, monkeypatch):
    stand_in.install_aclruntime(monkeypatch, "segfault-running")

    with pytest.raises(ProcessError) as caught:
        open_runtime(artifact, "acl", RuntimeOptions()).run(arrays())

    shown = caught.value.details.splitlines()
    assert shown[0].strip() == "[ERROR] TDT: segfault while running, says the driver"
    assert len(shown) == 3
