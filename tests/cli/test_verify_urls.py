"""Photos, annotations and results in a store of objects: the same figures as from files, one photo after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convertkit.storage.urls import Url
from convertkit.workers import local as workers
from tests.conftest import Cli, Outcome
from tests.finder import dataset, write_finder, write_photos

PHOTOS = 6


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = pytest.importorskip(
        "moto.server", reason="moto, which serves S3 on this machine, is not installed"
    )
    pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        running.stop()


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket with the dataset in it, open to whoever reads the variables of the AWS tools."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1", "no_proxy": "*",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    if not system.exists("house"):
        system.mkdir("house")
        photos = write_photos(tmp_path / "photos", PHOTOS)
        system.put_file(str(photos / "1.png"), "house/photos/1.png")
        for photo in photos.iterdir():
            system.put_file(str(photo), f"house/photos/{photo.name}")
        (tmp_path / "instances.json").write_text(json.dumps(dataset(photos=PHOTOS)))
        system.put_file(str(tmp_path / "instances.json"), "house/instances.json")
    return system


class Verify:
    def __init__(self, cli: Cli, model: Path) -> None:
        self.cli, self.model = cli, model

    def __call__(self, *words: object, images: str = "s3://house/photos") -> Outcome:
        given = ("--annotations", "s3://house/instances.json", "--images", images)
        return self.cli("verify", self.model, "--runtime", "stock", *given, *words)


@pytest.fixture
def verify(cli: Cli, bucket: Any, tmp_path: Path) -> Verify:
    return Verify(cli, write_finder(tmp_path / "finder"))


@pytest.mark.slow
def test_figures_and_results_are_those_of_files(verify: Verify, bucket: Any, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "here", PHOTOS)
    (tmp_path / "instances.json").write_text(json.dumps(dataset(photos=PHOTOS)))
    files = ("--annotations", tmp_path / "instances.json", "--images", photos)
    here = verify.cli(
        "verify", verify.model, "--runtime", "stock", *files, "--results", tmp_path / "r", "--json"
    )

    done = verify("--results", "s3://house/results", "--json")

    assert done.code == 0, done.err
    assert done.json["rungs"][0]["scores"] == here.json["rungs"][0]["scores"]
    assert bucket.cat("house/results/stock.jsonl") == (tmp_path / "r" / "stock.jsonl").read_bytes()


@pytest.mark.slow
def test_shards_of_a_store_are_merged(verify: Verify, bucket: Any, tmp_path: Path) -> None:
    whole = verify("--json")
    for shard in ("1/2", "2/2"):
        done = verify("--shard", shard, "--results", "s3://house/parts")
        assert done.code == 0, done.err
    assert "convertkit merge s3://house/parts" in done.out

    merged = verify.cli("merge", "s3://house/parts", "--json")

    assert merged.code == 0, merged.err
    assert merged.json["rungs"][0]["scores"] == whole.json["rungs"][0]["scores"]
    record = json.loads(bucket.cat("house/parts/shard-1-of-2/shard.json"))
    assert record["annotations"] == "s3://house/instances.json"


@pytest.mark.slow
def test_workers_read_from_the_store_as_well(verify: Verify) -> None:
    one, two = (verify("--workers", count, "--json") for count in (1, 2))

    assert two.code == 0, two.err
    assert two.json["rungs"][0]["scores"] == one.json["rungs"][0]["scores"]


@pytest.mark.slow
def test_errors_name_the_url(verify: Verify, bucket: Any) -> None:
    nowhere = verify(images="s3://house/nothing")
    bucket.pipe("house/broken/1.png", b"no photo")
    broken = verify("--limit", 1, images="s3://house/broken")
    missing = verify("--limit", 2, images="s3://house/broken")
    framework = verify.cli("merge", "s3://house/nothing")

    assert nowhere.err == "error: s3://house/nothing: no such directory of images\n"
    assert "s3://house/broken/1.png: not an image that OpenCV can read" in broken.err
    assert "no such image '2.png' in s3://house/broken" in missing.err
    assert framework.err == "error: s3://house/nothing: nothing is there\n"


@pytest.mark.slow
def test_an_artifact_of_the_store_is_measured_and_looked_through(
    verify: Verify, bucket: Any, tmp_path: Path
) -> None:
    built = verify.cli("build", verify.model, "--output", tmp_path / "built")
    assert built.code == 0, built.err
    bucket.put(str(tmp_path / "built"), "house/built", recursive=True)
    url = ("--output", "s3://house/built")
    files = ("--annotations", "s3://house/instances.json", "--images", "s3://house/photos")

    here = verify.cli("verify", verify.model, *files, "--output", tmp_path / "built", "--json")
    there = verify.cli("verify", verify.model, *files, *url, "--json")
    two = verify.cli("verify", verify.model, *files, *url, "--workers", 2, "--json")
    photo = write_photos(tmp_path / "own", 1) / "1.png"
    seen = verify.cli("detect", "s3://house/built", photo, "--package", verify.model, "--json")
    nothing = verify.cli("verify", verify.model, *files, "--output", "s3://house/nothing")

    assert there.code == 0, there.err
    assert there.json["rungs"][-1]["name"] == "target"
    assert there.json["rungs"][-1]["scores"] == here.json["rungs"][-1]["scores"]
    assert two.json["rungs"][-1]["scores"] == here.json["rungs"][-1]["scores"]
    assert seen.code == 0, seen.err
    assert (nothing.code, nothing.err) == (2, "error: s3://house/nothing: nothing is there\n")


@pytest.mark.slow
def test_a_machine_without_a_shared_disk_copies_the_artifact_itself(
    verify: Verify, bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify.cli("build", verify.model, "--output", tmp_path / "built")
    bucket.put(str(tmp_path / "built"), "house/shipped", recursive=True)
    sent: list[Any] = []
    hand = workers.RecipeHand

    def abroad(recipe: Any, talk: Any) -> Any:
        sent.append(recipe.abroad())
        return hand(sent[-1], talk)

    monkeypatch.setattr(workers, "RecipeHand", abroad)
    done = verify.cli(
        "verify", verify.model, "--annotations", "s3://house/instances.json", "--images", "s3://house/photos",
        "--output", "s3://house/shipped", "--workers", 2, "--json",
    )  # fmt: skip

    assert done.code == 0, done.err
    assert sent[0].artifacts == (Url("s3://house/shipped"),)
    assert done.json["rungs"][-1]["scores"]["bbox"]["AP"] > 0


@pytest.mark.slow
def test_an_artifact_of_another_model_is_not_built_into_a_copy(
    verify: Verify, bucket: Any, tmp_path: Path
) -> None:
    bucket.pipe("house/other/notes.txt", b"no artifact")

    done = verify.cli(
        "verify", verify.model, "--annotations", "s3://house/instances.json", "--images", "s3://house/photos",
        "--output", "s3://house/other",
    )  # fmt: skip

    assert done.code == 2
    assert "s3://house/other: not the artifact that is built of this model now" in done.err
