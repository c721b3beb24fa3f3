"""``verify --engine ray``: the figures of one process, to the bit, whatever becomes of workers and nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convertkit.rungs.journal import Journals
from tests.cli.paced import Pace, wait_for
from tests.cli.test_verify_resumed import Scene, figures, photos_in
from tests.cli.test_verify_workers import ROUNDS, deadly
from tests.conftest import Cli
from tests.processes import alive, wait_until_dead

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that runs nothing, and two nodes with room for one worker each."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": 80 << 20, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as env:
        env.setenv("RAY_memory_monitor_refresh_ms", "0")  # which ends workers where others fill the memory
        env.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
        found = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            found.add_node(wait=False, **NODE)
        found.wait_for_nodes()
        yield found
        found.shutdown()


@pytest.fixture
def whole(cluster: Any) -> Any:
    """With two nodes, whatever a test before has ended."""
    for _ in range(2 - len(cluster.worker_nodes)):
        cluster.add_node(**NODE)
    return cluster


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, 12)


def words(scene: Scene, cluster: Any, workers: int = 2) -> list[str]:
    more = ["--workers", workers, "--engine", "ray", "--address", cluster.address]
    return [str(word) for word in (*scene.words, *more)]


@pytest.mark.slow
@pytest.mark.parametrize("rung", ["stock", "target"])
def test_actors_find_what_one_process_finds(
    cli: Cli, scene: Scene, whole: Any, tmp_path: Path, rung: str
) -> None:
    one = cli(*scene.words, "--runtime", rung, "--results", tmp_path / "one")

    two = cli(*words(scene, whole), "--runtime", rung, "--results", tmp_path / "two")

    assert two.json["rungs"][0]["stages"]["run"] > 0
    assert figures(two) == figures(one)
    for file in (tmp_path / "one").iterdir():
        assert (tmp_path / "two" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_a_node_that_goes_in_the_middle_loses_nothing(
    cli: Cli, own_home: Path, whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, 60)
    pace = Pace(scene, own_home)
    monkeypatch.setattr(Journals, "discard", lambda self: None)
    thread = threading.Thread(target=lambda: ended.append(cli(*words(scene, whole))))
    ended: list[Any] = []
    thread.start()
    pace.until(10)
    wait_for(lambda: len(pace.workers()) == 2)

    whole.remove_node(next(iter(whole.worker_nodes)), allow_graceful=False)
    pace.without_end()
    thread.join()

    photos = photos_in(own_home)
    assert len(photos) == len(set(photos)) == 60
    for file in (own_home / "journals").iterdir():
        file.unlink()
    assert figures(ended[0]) == figures(cli(*scene.words))


@pytest.mark.slow
def test_a_photo_that_ends_two_actors_is_named_and_left_out_only_if_asked_for(
    cli: Cli, scene: Scene, whole: Any
) -> None:
    marks = deadly(scene, 7, deaths=99)

    ended = cli(*words(scene, whole))

    assert (ended.code, len(list(marks.iterdir()))) == (4, 2)
    assert "7.png: two workers ended with it: the last ended on node" in ended.err
    assert "(--skip-bad-photos leaves it out)" in ended.err

    skipped = cli(*words(scene, whole), "--skip-bad-photos")

    assert skipped.json["left_out"]["photos"] == 1
    (scene.photos / "7.png").unlink()
    without = cli(*scene.words, "--skip-bad-photos").json
    assert [rung["scores"] for rung in skipped.json["rungs"]] == [rung["scores"] for rung in without["rungs"]]


@pytest.mark.slow
def test_what_an_actor_says_ends_the_run_and_names_the_node(cli: Cli, scene: Scene, whole: Any) -> None:
    plugin = scene.model / "plugin.py"
    plugin.write_text(plugin.read_text().replace("dets[:, :4]", "dets[:, :3]"))

    one, done = cli(*scene.words), cli(*words(scene, whole))

    assert (done.code, done.json["error"]["kind"]) == (one.code, one.json["error"]["kind"])
    assert f"node {socket.gethostname()}: " in done.err and "postprocess failed" in done.err


@pytest.mark.slow
def test_killed_again_and_again_worker_node_and_whole_it_ends_with_the_same_figures(
    cli: Cli, own_home: Path, whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, step = Scene(tmp_path, 500), 270 // (3 * ROUNDS)
    pace = Pace(scene, own_home)
    command, seen = [sys.executable, "-m", "convertkit", *words(scene, whole)], list[str]()

    def kill_worker() -> None:
        os.kill(next(worker for worker in pace.workers() if alive(worker)), signal.SIGKILL)

    def kill_node() -> None:
        whole.remove_node(next(iter(whole.worker_nodes)), allow_graceful=False)
        whole.add_node(**NODE)

    for _ in range(ROUNDS):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            for number, kill in enumerate((kill_worker, kill_node, run.kill), 1):
                pace.until(len(seen) + step * number)
                kill()
        wait_until_dead(pace.workers())
        photos = photos_in(own_home)
        assert photos[: len(seen)] == seen
        seen = photos
    pace.without_end()
    monkeypatch.setattr(Journals, "discard", lambda self: None)

    resumed = cli(*words(scene, whole))

    photos = photos_in(own_home)
    assert (photos[: len(seen)], len(photos), len(set(photos))) == (seen, 500, 500)
    for file in (own_home / "journals").iterdir():
        file.unlink()
    assert figures(resumed) == figures(cli(*scene.words))


CHIP = '''

from convertkit.api import graphs, heads
from convertkit.api.targets import Target


class Chip(Target):
    """Runs where a cluster has a chip."""

    def resources(self, runtime):
        return {"NPU": 1}

    def open(self, directory):
        return graphs.open_session(heads.lower(graphs.load(directory / "model.onnx")), threads=1)


@hookimpl
def register_targets(register):
    register(Chip("chip"))
'''


@pytest.mark.slow
def test_chips_are_asked_for_by_the_name_that_the_target_has(cli: Cli, scene: Scene, whole: Any) -> None:
    plugin = scene.model / "plugin.py"
    plugin.write_text(plugin.read_text() + CHIP)
    asked = [*words(scene, whole), "--target", "chip", "--runtime", "target"]

    none = cli(*asked)

    assert (none.code, none.out.count("has no NPU, which the runtime needs")) == (3, 1)
    node = whole.add_node(resources={"NPU": 2}, **{**NODE, "num_cpus": 2})
    try:
        assert cli(*asked).json["images"] == 12
    finally:
        whole.remove_node(node)


WITHOUT = ["--engine", "ray"]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--engine", "dask"], 2, "unknown engine 'dask'"),
        (["--address", "localhost:6379"], 2, "--address has no meaning for engine local"),
        (WITHOUT, 2, "--engine ray needs --address"),
        ([*WITHOUT, "--address", "here"], 2, "--address here: no address of a cluster"),
        ([*WITHOUT, "--address", "localhost:65536"], 2, "no address of a cluster"),
        ([*WITHOUT, "--address", "ray://localhost:10001"], 2, "no address of a cluster"),
        ([*WITHOUT, "--address", "localhost:6379", "--device", "1"], 2, "--device has no meaning for"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, scene: Scene, more: list[str], code: int, said: str
) -> None:
    done = cli(*scene.words, *more)

    assert (done.code, said in done.err) == (code, True), done.err


def test_where_ray_is_not_installed_the_extra_is_named(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    done = cli(*scene.words, "--engine", "ray", "--address", "localhost:6379")

    assert done.code == 3
    assert "pip install 'convertkit-compiler[ray]'" in done.err


@pytest.mark.parametrize(
    ("answer", "said"), [(None, "nobody answers"), (b"SSH-2.0-x\r\n", "who answers is not Ray")]
)
def test_who_is_not_ray_is_not_waited_for(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch, answer: bytes | None, said: str
) -> None:
    monkeypatch.setattr("convertkit.workers.on_ray.REACHING", 0.5)
    monkeypatch.setattr("convertkit.workers.on_ray._module", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answering, args=(server, answer))
        thread.start()
        done = cli(*scene.words, "--engine", "ray", "--address", f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()

    assert (done.code, said in done.err) == (2, True), done.err


def test_where_nobody_listens_one_line_says_so(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convertkit.workers.on_ray._module", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    done = cli(*scene.words, "--engine", "ray", "--address", f"127.0.0.1:{port}")

    assert done.code == 2
    assert f"--address 127.0.0.1:{port}: nobody answers: " in done.err


def _answering(server: socket.socket, answer: bytes | None) -> None:
    channel, _ = server.accept()
    with channel, contextlib.suppress(ConnectionError):
        if answer:
            channel.sendall(answer)
        while channel.recv(100):
            pass
