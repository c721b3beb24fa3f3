"""``verify --dataset`` and ``--subset``: photos by name, and a choice of them that the result records."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Cli, Outcome
from tests.finder import dataset, write_finder, write_photos


class Verify:
    """Runs ``verify`` on the rung ``stock``, which needs no build."""

    def __init__(self, cli: Cli, model: Path) -> None:
        self.cli, self.model = cli, model

    def __call__(self, *words: object) -> Outcome:
        return self.cli("verify", self.model, "--runtime", "stock", *words)


@pytest.fixture
def verify(cli: Cli, tmp_path: Path) -> Verify:
    return Verify(cli, write_finder(tmp_path / "finder"))


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that names six photos in an archive of this machine ``ours``."""
    photos = write_photos(tmp_path / "photos", 6)
    with zipfile.ZipFile(tmp_path / "ours.zip", "w") as archive:
        archive.writestr("labels/instances.json", json.dumps(dataset(photos=6)))
        for photo in photos.iterdir():
            archive.write(photo, f"photos/{photo.name}")
    entry = {"files": [{"url": (tmp_path / "ours.zip").as_uri()}]}
    entry |= {"annotations": "labels/instances.json", "images": "photos"}
    file = tmp_path / "datasets.yaml"
    file.write_text(json.dumps({"ours": entry}))
    monkeypatch.setenv("CONVERTKIT_DATASETS", str(file))
    return file


@pytest.mark.slow
def test_a_fetched_dataset_is_verified_by_its_name(verify: Verify, named: Path) -> None:
    before = verify("--dataset", "ours")
    fetched = verify.cli("fetch", "--dataset", "ours", "--json")
    done = verify("--dataset", "ours", "--json")

    assert (before.code, before.err.strip().splitlines()[-1]) == (
        2,
        "error: dataset ours is not on this machine (run convertkit fetch --dataset ours)",
    )
    assert fetched.code == 0, fetched.err
    assert Path(fetched.json["annotations"]).is_file()
    assert len(fetched.json["files"][0]["sha256"]) == 64
    assert done.json["images"] == 6
    assert done.json["subset"] is None
    shown = verify.cli("fetch", "--dataset", "ours")
    assert shown.out.startswith(f"ours: {fetched.json['annotations']}, photos in {fetched.json['images']}\n")


@pytest.mark.slow
def test_a_subset_is_recorded_so_that_it_can_be_repeated(verify: Verify, named: Path) -> None:
    verify.cli("fetch", "--dataset", "ours")

    first, again = (verify("--dataset", "ours", "--subset", 3, "--seed", 5, "--json") for _ in range(2))
    other = verify("--dataset", "ours", "--subset", 3, "--json")
    shown = verify("--dataset", "ours", "--subset", 3, "--seed", 5)

    assert first.json["images"] == 3
    assert first.json["subset"] == again.json["subset"]
    assert first.json["subset"] | {"sha256": ""} == {
        "photos": 3,
        "seed": 5,
        "of": 6,
        "sha256": "",
        "method": "iterative stratification by class",
    }
    assert other.json["subset"]["sha256"] != first.json["subset"]["sha256"]
    assert "a subset: 3 of 6 photos by iterative stratification by class, seed 5, ids" in shown.out


@pytest.mark.slow
def test_shards_of_a_subset_are_merged_to_the_same(verify: Verify, named: Path, tmp_path: Path) -> None:
    verify.cli("fetch", "--dataset", "ours")
    chosen = ("--dataset", "ours", "--subset", 4, "--seed", 1)

    whole = verify(*chosen, "--results", tmp_path / "whole", "--json")
    for shard in ("1/2", "2/2"):
        assert verify(*chosen, "--shard", shard, "--results", tmp_path / "parts").code == 0
    merged = verify.cli("merge", tmp_path / "parts", "--results", tmp_path / "merged", "--json")

    assert merged.code == 0, merged.err
    assert merged.json["subset"] == whole.json["subset"]
    assert merged.json["rungs"][0]["scores"] == whole.json["rungs"][0]["scores"]
    files = [(tmp_path / name / "stock.jsonl").read_bytes() for name in ("whole", "merged")]
    assert files[0] == files[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--subset", 7), "error: --subset 7 of 6 photos (give a number from 1 to 6)"),
        (("--subset", 3, "--limit", 2), "error: --limit and --subset exclude each other (give one of them)"),
        (("--seed", 3), "error: --seed has no meaning for all photos, without --subset (leave it out)"),
        (("--images", "."), "error: --dataset and --annotations exclude each other (give one of them)"),
        (
            ("--dataset", "our"),
            "error: unknown dataset 'our' (did you mean 'ours'? known: coco-val2017, ours)",
        ),
    ],
)
def test_what_cannot_be_is_one_line(
    verify: Verify, named: Path, words: tuple[object, ...], line: str
) -> None:
    verify.cli("fetch", "--dataset", "ours")

    done = verify("--dataset", "ours", *words)

    assert (done.code, done.err.strip().splitlines()[-1]) == (2, line)


def test_fetch_takes_a_model_or_a_dataset(cli: Cli, verify: Verify, named: Path) -> None:
    line = "error: give MODEL or --dataset NAME (convertkit fetch --dataset coco-val2017)\n"
    both = cli("fetch", verify.model, "--dataset", "ours")

    assert [(done.code, done.err) for done in (cli("fetch"), both)] == [(2, line)] * 2
    meaningless = cli("fetch", "--dataset", "ours", "--url", "http://a/b")
    assert meaningless.err == "error: --url has no meaning for a dataset (leave it out)\n"
