"""``verify --shard`` and ``merge``: together they say what one run says, to the bit; nothing where one is missing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from convertkit.errors import UsageError
from convertkit.verification.merging import find_shards
from convertkit.verification.sealed import NAME
from tests.cli.test_verify_resumed import Scene, cut_off
from tests.conftest import MASKRCNN, Cli
from tests.finder import write_finder
from tests.reports.page.reading import Elements

GATED = "segm: {AP: 1.0}, images: 2, floor: {bbox: {AP: 0.2}}, drop: {stock: {segm: {AP: 0.01}}}}"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path, 11)
    spec = scene.model / "model.yaml"
    spec.write_text(spec.read_text().replace("segm: {AP: 1.0}, images: 2}", GATED))
    return scene


def shards(cli: Cli, scene: Scene, count: int, place: Path, *words: object) -> Path:
    for number in range(1, count + 1):
        done = cli(*scene.words, "--shard", f"{number}/{count}", "--results", place, *words)
        assert done.code == 0, done.err
    return place


def compared(found: Any) -> Any:
    """Without what depends on the time that it took."""
    for rung in found["rungs"]:
        rung.pop("images_per_second"), rung.pop("stages")
    return found


@pytest.mark.parametrize("count", [2, 3])
def test_shards_put_together_are_one_run_to_the_bit(
    cli: Cli, scene: Scene, tmp_path: Path, count: int
) -> None:
    rungs = ("--runtime", "after:set-opset-window")
    place = shards(cli, scene, count, tmp_path / "parts", *rungs)
    whole = cli(*scene.words, *rungs, "--results", tmp_path / "whole")

    merged = cli("merge", place, "--results", tmp_path / "merged", "--json")

    assert merged.code == whole.code, merged.err
    assert compared(merged.json) == compared(whole.json)
    assert merged.json["rungs"][0]["intervals"]["bbox"]["AP"]["error"] > 0
    assert merged.json["differences"]
    assert merged.json["verdict"]["gates"]
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "merged" / file.name).read_bytes() == file.read_bytes()


def test_shards_with_bad_photos_and_a_limit_are_one_run(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    (scene.photos / "2.png").write_bytes(b"no image")
    (scene.photos / "5.png").unlink()
    words = ("--skip-bad-photos", "--limit", 9)
    place = shards(cli, scene, 2, tmp_path / "parts", *words)

    merged, whole = cli("merge", place, "--json"), cli(*scene.words, *words)

    assert compared(merged.json) == compared(whole.json)
    assert merged.json["left_out"]["photos"] == 2


def test_a_shard_says_what_is_left_to_do_and_judges_nothing(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    words = [word for word in scene.words if word != "--json"]

    done = cli(*words, "--shard", "2/3", "--results", tmp_path / "parts")

    assert done.code == 0
    assert done.out.splitlines() == [
        "finder small on cpu, shard 2/3: 4 photos",
        "stock measured",
        f"when all 3 are there: convertkit merge {tmp_path / 'parts'}",
    ]


def test_a_task_of_a_launcher_is_a_shard(
    cli: Cli, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")

    done = cli(*scene.words, "--results", tmp_path / "parts")

    assert "note: shard 2/3, by RANK=1 and WORLD_SIZE=3" in done.err
    assert (done.json["number"], done.json["count"], done.json["photos"]) == (2, 3, 4)
    assert "shard 2/3 needs --results DIRECTORY" in cli(*scene.words).err
    assert cli(*scene.words, "--shard", "1/1").json["images"] == 11


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        ("missing", "shards 1/3, 3/3 are missing"),
        ("twice", "shard 2/3 is there twice: "),
        ("other count", "is one of 3 shards, "),
        ("model", "rung stock: shards 1/3 and 2/3 differ in the model, settings or versions"),
        ("limit", "shards 1/3 and 2/3 differ in their limit"),
        ("damaged", "not the detections that shard 2/3 has measured"),
        ("torn record", "not a record of a shard"),
        ("annotations", "not the annotations that the shards were measured on"),
        ("empty", "no shard that is finished in it"),
    ],
)
def test_what_is_not_all_of_one_verification_is_refused_by_name(
    cli: Cli, scene: Scene, tmp_path: Path, harm: str, line: str
) -> None:
    place = shards(cli, scene, 3, tmp_path / "parts") if harm != "empty" else tmp_path
    second, given = place / "shard-2-of-3", [place]
    again = [*scene.words, "--shard", "2/3", "--results", place]
    if harm == "missing":
        given = [second]
    elif harm == "twice":
        given.append(Path(shutil.copytree(second, tmp_path / "copy")))
    elif harm == "other count":
        cli(*scene.words, "--shard", "2/4", "--results", tmp_path / "four")
        given.append(tmp_path / "four")
    elif harm == "model":
        other = write_finder(tmp_path / "other", spread=0.001)
        (scene.model / "small.onnx").write_bytes((other / "small.onnx").read_bytes())
        cli(*again)
    elif harm == "limit":
        cli(*again, "--limit", 8)
    elif harm == "damaged":
        (second / "stock.jsonl").write_bytes((second / "stock.jsonl").read_bytes()[:-300])
    elif harm == "torn record":
        (second / "shard.json").write_bytes((second / "shard.json").read_bytes()[:-300])
    elif harm == "annotations":
        scene.file.write_text(scene.file.read_text() + " ")

    done = cli("merge", *given)

    assert done.code == 2
    assert line in done.err


def test_a_whole_run_beside_shards_in_one_directory_is_not_guessed_at(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "shard-1-of-2"):
        place.mkdir(exist_ok=True)
        (place / NAME).write_text("{}")

    with pytest.raises(UsageError, match="which one is meant"):
        find_shards([tmp_path])


def test_annotations_that_were_moved_are_given(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    place = shards(cli, scene, 2, tmp_path / "parts")
    moved = scene.file.rename(tmp_path / "moved.json")

    assert "instances.json: no such file of annotations (give --annotations)" in cli("merge", place).err
    assert cli("merge", place, "--annotations", moved, "--json").json["images"] == 11


def test_more_shards_than_photos_are_refused(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    done = cli(*scene.words, "--shard", "12/12", "--results", tmp_path)

    line = "instances.json: there is no photo to work on (there are fewer than shards)"
    assert (done.code, line in done.err) == (2, True)


def test_a_shard_decides_nothing(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    done = cli(*scene.words, "--shard", "1/2", "--results", tmp_path, "--until-decided")

    assert (done.code, "shard 1/2 alone decides nothing" in done.err) == (2, True)


def test_a_shard_that_was_cut_off_goes_on(
    cli: Cli, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*scene.words, "--shard", "1/2", "--results", tmp_path / "parts"]
    with monkeypatch.context() as patch:
        cut_off(patch, 3)
        assert cli(*words).code == 130
    assert not (tmp_path / "parts" / "shard-1-of-2" / "shard.json").exists()

    assert "going on with 3 of 6 photos" in cli(*words).err
    record = json.loads((tmp_path / "parts" / "shard-1-of-2" / "shard.json").read_text())
    assert record["photos"] == 6


@pytest.mark.slow
def test_a_real_export_in_shards_and_with_workers_is_one_run(cli: Cli, tmp_path: Path) -> None:
    """The embedded mini: mmdet 2.28.2's Mask R-CNN as torch exported it, on drawn scenes."""
    words = ["verify", MASKRCNN, "--runtime", "stock", "--limit", 6, "--json"]
    one = cli(*words, "--results", tmp_path / "one")
    two = cli(*words, "--results", tmp_path / "two", "--workers", 2)
    for number in (1, 2):
        cli(*words, "--results", tmp_path / "parts", "--shard", f"{number}/2")
    merged = cli("merge", tmp_path / "parts", "--results", tmp_path / "merged", "--json")

    assert compared(two.json) == compared(merged.json) == compared(one.json)
    files = [(tmp_path / name / "stock.jsonl").read_bytes() for name in ("one", "two", "merged")]
    assert files[0] == files[1] == files[2] != b""


@pytest.mark.slow
def test_a_page_of_all_shards_is_that_of_one_run(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    pytest.importorskip("jinja2"), pytest.importorskip("matplotlib")
    rungs = ("--runtime", "stock", "--runtime", "after:set-opset-window")
    place = shards(cli, scene, 2, tmp_path / "parts", *rungs)
    pages = {name: tmp_path / f"{name}.html" for name in ("whole", "merged", "unseen")}
    cli(*scene.words, *rungs, "--report", pages["whole"])

    done = cli("merge", place, "--images", scene.photos, "--report", pages["merged"])
    cli("merge", place, "--report", pages["unseen"])

    assert f"wrote {pages['merged']}" in done.err
    texts, ranges = zip(*map(parted, pages.values()), strict=True)
    assert ["not measured: no graph ran here" in said for said in ranges] == [False, True, True]
    assert texts[0] == texts[1] == texts[2]  # the rungs agree: there is no photo to be drawn


def test_what_one_run_kept_says_it_all_again(cli: Cli, scene: Scene, tmp_path: Path) -> None:
    whole = cli(*scene.words, "--results", tmp_path / "kept")

    again = cli("merge", tmp_path / "kept", "--json")

    assert again.code == whole.code, again.err
    assert compared(again.json) == compared(whole.json)
    assert cli("merge", tmp_path / "kept", "--results", tmp_path / "more").code == whole.code
    for file in (tmp_path / "kept").iterdir():
        assert (tmp_path / "more" / file.name).read_bytes() == file.read_bytes()


def parted(page: Path) -> tuple[list[str], str]:
    """The texts of a page but the last column of its tables, images per second; and those of its section of ranges."""
    found = Elements(page.read_text())
    assert (found.scripts(), found.outside()) == ([], [])
    texts = [text for text in found.text if not re.fullmatch(r"\d+\.\d|-", text)]
    start, end = (
        len(texts) - texts[::-1].index(title) for title in ("Ranges and overflows", "Precision over recall")
    )
    return texts[:start] + texts[end:], " ".join(texts[start:end])
