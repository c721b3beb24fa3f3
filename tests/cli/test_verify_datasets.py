"""``verify`` and ``postprocess`` on COCO files as people have them: the right figure, or one line before any photo."""

from __future__ import annotations

import copy
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, Outcome
from tests.finder import dataset, write_finder, write_photos


class Verify:
    """Runs ``verify`` on a dataset and counts on ``stock``, which needs no build."""

    def __init__(self, cli: Cli, model: Path, photos: Path) -> None:
        self.cli, self.model, self.photos = cli, model, photos

    def __call__(self, data: Any, *words: object) -> Outcome:
        path = self.photos.parent / "instances.json"
        path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
        given = ("--annotations", path, "--images", self.photos, "--runtime", "stock", *words)
        return self.cli("verify", self.model, *given)

    def scores(self, data: Any, *words: object) -> dict[str, float]:
        done = self(data, *words, "--json")
        assert done.code == 0, done.err
        return {task: round(scores["AP"], 4) for task, scores in done.json["rungs"][-1]["scores"].items()}


@pytest.fixture
def verify(cli: Cli, tmp_path: Path) -> Verify:
    return Verify(cli, write_finder(tmp_path / "finder"), write_photos(tmp_path / "photos"))


WHOLE = {"bbox": 1.0, "segm": 1.0}


def changed(**values: Any) -> dict[str, Any]:
    """The dataset with values put into every entry of its lists; ``None`` takes a key out."""
    data = copy.deepcopy(dataset())
    for path, value in values.items():
        key, _, name = path.partition("__")
        for entry in data[key]:
            entry[name] = value(entry) if callable(value) else value
    return data


def without(key: str, *names: str) -> dict[str, Any]:
    data = dataset()
    for entry in data[key]:
        for name in names:
            entry.pop(name)
    return data


UNREAD = {
    "info": "none",
    "licenses": {"CC-BY": 1},
    "made_by": [float("nan"), 1e400, "\u732b", {"deep": [[[]]]}],
}


ONE_MEANING = {
    "unread lists of any type": {**dataset(), **UNREAD},
    "unread keys of images": changed(images__license="CC-BY", images__date_captured=0, images__coco_url=None),
    "unread keys of categories": changed(categories__supercategory=7, categories__keypoints="none"),
    "unread keys of annotations": changed(
        annotations__score=float("nan"), annotations__num_keypoints="", annotations__attributes=[]
    ),
    "half a surrogate pair in an unread list": {**dataset(), "info": {"by": ["\ud800", "\udc00x"]}},
    "half a surrogate pair in unread keys": changed(
        images__license="\udfff", categories__supercategory="\ud800", annotations__caption="a\ud83d"
    ),
    "a line break within a string": json.dumps({**dataset(), "info": "a?b"}).replace("?", "\n").encode(),
    "BOM": json.dumps({**dataset(), "info": "\u732b"}, ensure_ascii=False).encode("utf-8-sig"),
    "UTF-16": json.dumps(dataset()).encode("utf-16"),
    "UTF-32": json.dumps(dataset()).encode("utf-32-be"),
    "whole numbers with a point": changed(
        images__id=lambda e: float(e["id"]), images__height=32.0, annotations__id=lambda e: e["id"] / 1
    ),
    "ids as text": changed(
        images__id=lambda e: f"{e['id']:012}",
        annotations__image_id=lambda e: str(e["image_id"]),
        annotations__category_id=lambda e: f"0{e['category_id']}",
        annotations__id=lambda e: str(e["id"]),
    ),
    "iscrowd false": changed(annotations__iscrowd=False),
    "iscrowd null": changed(annotations__iscrowd=None),
    "iscrowd with a point": changed(annotations__iscrowd=0.0),
    "no iscrowd": without("annotations", "iscrowd"),
    "boxes as text": changed(annotations__bbox=lambda e: [str(side) for side in e["bbox"]]),
    "no area": without("annotations", "area"),
    "area null": changed(annotations__area=None),
    "names with a dot before": changed(images__file_name=lambda e: f"./{e['file_name']}"),
}


@pytest.mark.parametrize("data", ONE_MEANING.values(), ids=ONE_MEANING)
def test_what_has_one_meaning_is_taken(verify: Verify, data: Any) -> None:
    assert verify.scores(data) == WHOLE


def test_names_written_on_windows_are_taken(verify: Verify) -> None:
    (verify.photos / "train").mkdir()
    for photo in verify.photos.glob("*.png"):
        photo.rename(verify.photos / "train" / photo.name)

    assert verify.scores(changed(images__file_name=lambda e: f"train\\{e['file_name']}")) == WHOLE


NO_MEANING = {
    "not UTF-8": (
        json.dumps({**dataset(), "info": "\u4e2d\u6587"}, ensure_ascii=False).encode("gbk"),
        "not UTF-8 (byte ",
    ),
    "half of UTF-16": (b"\xff\xfe" + b"{", "not UTF-16 (byte "),
    "empty": (b"", "not a JSON file"),
    "results": ([{"image_id": 1, "category_id": 1, "score": 0.5}], "are these results?"),
    "another tool's keys": ({"shapes": [], "imagePath": "a.png"}, "its keys are 'imagePath', 'shapes'"),
    "absolute": (
        changed(images__file_name=lambda e: f"/data/{e['file_name']}"),
        "'1.png' is there: write that",
    ),
    "absolute on Windows": (
        changed(images__file_name=lambda e: f"C:\\data\\{e['file_name']}"),
        "is absolute",
    ),
    "missing, written on Windows": (
        changed(images__file_name=lambda e: f"gone\\{e['file_name']}"),
        "as Windows writes it",
    ),
    "one name twice": (changed(images__file_name="1.png"), "is that of images[0] as well"),
    "a name without end": (changed(images__file_name=lambda e: "x" * 9999 + e["file_name"]), "no such image"),
    "ids that are words": (changed(images__id=lambda e: f"IMG_{e['id']}"), "ids are whole numbers"),
    "an image that is not listed": (changed(annotations__image_id=77), "image_id 77 is not among the images"),
    "a category that is not listed": (changed(annotations__category_id=77), "category_id 77 is no category"),
    "an id twice": (changed(annotations__id=1), "id 1 occurs twice"),
    "NaN in a box": (changed(annotations__bbox=[1, 2, float("nan"), 3]), "a number is not finite"),
    "a negative size": (changed(annotations__bbox=[10, 10, -3, -3]), "a size is negative"),
    "a negative area": (changed(annotations__area=-5), "area: negative (-5)"),
    "two points": (changed(annotations__segmentation=[[1, 1, 5, 5]]), "at least three points"),
    "another size than the photo": (changed(images__height=31), "the annotations say 32 x 31"),
    "no annotations": (
        {**dataset(), "annotations": []},
        "no annotation on 2 photos, so there is nothing to score",
    ),
    "no images": ({**dataset(), "annotations": [], "images": []}, "there is no photo to work on"),
    "no class of the model": (dataset(["part_1", "part_2", "part_3"]), "`classes` in model.yaml"),
    "one name in two spellings": (
        dataset(["traffic_light", "Traffic-Light", "dog"]),
        "are the same name but for the spelling",
    ),
    "ids that are true": (changed(images__id=True), "got `bool` (ids are whole numbers: number them)"),
    "a URL": (
        changed(images__file_name=lambda e: f"https://x.org/{e['file_name']}?v=1"),
        "is a URL; names are",
    ),
    "a URL alone": (
        changed(images__file_name=None, images__coco_url="https://x.org/1.png"),
        "URLs are not read",
    ),
    "a name from above": (
        changed(images__file_name=lambda e: f"photos/{e['file_name']}"),
        ": give that as the directory",
    ),
    "a name from elsewhere": (
        changed(images__file_name=lambda e: f"x/{e['file_name']}"),
        "'1.png' is there: write",
    ),
    "another case": (changed(images__file_name=lambda e: e["file_name"].upper()), "'1.png' is there: write"),
    "another suffix": (changed(images__file_name=lambda e: f"{e['id']}.jpg"), "'1.png' is there: write"),
    "gzip": (gzip.compress(json.dumps(dataset()).encode()), "a gzip file; expected a COCO"),
    "zip": (b"PK\x03\x04" + bytes(40), "a zip archive; expected a COCO"),
    "xz": (b"\xfd7zXZ\0" + bytes(40), "a compressed file; expected a COCO"),
    "pickle": (b"\x80\x04" + bytes(40), "data of Python"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
    "web page": (b"\n<!DOCTYPE html><html></html>", "a web page; expected a COCO"),
    "VOC": (b"<annotation><folder>x</folder></annotation>", "Pascal VOC XML; expected a COCO"),
    "CVAT": (b'<?xml version="1.0"?>\n<annotations></annotations>', "CVAT's XML; expected a COCO"),
    "YOLO": (b"0 0.5 0.5 0.25 0.25\n1 0.1 0.1 0.2 0.2\n", "YOLO labels; expected a COCO"),
    "YAML": (b"train: images/train\nnames: [cat]\n", "YAML; expected a COCO"),
    "CSV": (b"file,x1,y1,x2,y2,class\n1.png,0,0,1,1,cat\n", "a table (CSV); expected a COCO"),
    "Python": (str(dataset()).encode(), "a Python literal"),
    "comments": (b"// ours\n{}", "JSON with comments"),
    "lines": (b'{"id": 1}\n{"id": 2}\n', "a JSON object in each line; expected a COCO"),
    "lines with commas": (b'{"id": 1},\n{"id": 2},\n', "a JSON object in each line; expected a COCO"),
    "CreateML": ([{"image": "1.png", "annotations": []}], "its entries have the keys 'annotations', 'image'"),
}


@pytest.mark.parametrize(("data", "line"), NO_MEANING.values(), ids=NO_MEANING)
def test_what_has_none_is_refused_in_one_line_before_any_photo_runs(
    verify: Verify, data: Any, line: str
) -> None:
    done = verify(data)

    assert (done.code, done.out) == (2, "")
    assert line in done.err.splitlines()[-1]
    assert "stock:" not in done.err  # the progress of photos


def test_all_faults_are_listed_at_once(verify: Verify) -> None:
    data = dataset(photos=30)
    for annotation in data["annotations"][:5]:
        annotation["bbox"] = [0, 0, -1, -1]

    photos = verify(dataset(photos=30))
    boxes = verify(data)

    lines = photos.err.splitlines()
    assert (photos.code, len(lines)) == (2, 22)
    assert "images[2]: no such image '3.png'" in lines[0]
    assert lines[20] == "... and 8 more"
    assert "28 faults, the first is" in lines[21]
    assert boxes.err.count("a size is negative") == 5 + 1


def test_photos_that_cannot_be_read_are_left_out_if_asked_for(verify: Verify) -> None:
    data = dataset(photos=4)
    (verify.photos / "3.png").write_bytes(b"no image")

    done = verify(data, "--skip-bad-photos")
    found = verify(data, "--skip-bad-photos", "--json").json

    assert "2 images (2 photos with 4 annotations left out)" in done.out
    assert (found["images"], found["left_out"]["photos"], found["left_out"]["annotations"]) == (2, 2, 4)
    assert "3.png: not an image" in found["left_out"]["first"]
    assert found["verdict"]["judged"] is False
    assert found["verdict"]["reason"] == "2 photos with 4 annotations left out"


def test_boxes_without_masks_are_scored_alone(verify: Verify) -> None:
    empty = changed(annotations__segmentation=[])
    bare = without("annotations", "segmentation", "area")

    refused = verify(empty)
    done = verify(bare, "--tasks", "bbox")

    assert "annotation 1 has a box and no mask, and so have 3 more (--tasks bbox" in refused.err
    assert refused.code == 2
    assert verify.scores(empty, "--tasks", "bbox") == {"bbox": 1.0}
    assert "ok   bbox AP 1.0000" in done.out
    assert "not judged: segm, which was not measured" in done.out


def test_masks_without_boxes_are_scored_alone(verify: Verify) -> None:
    data = without("annotations", "bbox")

    assert "(--tasks segm" in verify(data).err
    assert verify.scores(data, "--tasks", "segm") == {"segm": 1.0}


@pytest.mark.parametrize(("tasks", "line"), [("box", "did you mean 'bbox'"), (",", "--tasks is empty")])
def test_an_unknown_task_is_a_mistake(verify: Verify, tasks: str, line: str) -> None:
    done = verify(dataset(), "--tasks", tasks)

    assert (done.code, line in done.err) == (2, True)


@pytest.mark.slow
def test_names_that_differ_only_by_spelling_are_matched_and_said(verify: Verify) -> None:
    data = dataset(["Cat", "traffic_light", "DOG"])

    done = verify(data)

    assert verify.scores(data) == WHOLE
    line = "note: 3 categories of the dataset are matched but for the spelling: 'Cat' is 'cat', "
    assert line in done.out
    assert line in done.err
    assert line.removeprefix("note: ") in verify(data, "--json").json["notes"][0]


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\ufeff", "\u00ad", "\u00a0", "\u2060", "\u2010", "\u2013", "\u3000"]
)
def test_what_nobody_sees_in_a_name_is_spelling(verify: Verify, hidden: str) -> None:
    data = dataset(["cat", f"traffic{hidden}light", f"dog{hidden}"])

    assert verify.scores(data) == WHOLE
    assert f"{f'traffic{hidden}light'!r} is 'traffic light'" in verify(data, "--json").json["notes"][0]


def test_names_that_match_nothing_are_named_with_counts_and_neighbours(verify: Verify) -> None:
    done = verify(dataset(["cat", "trafic lights", "hippogriff"]))

    assert "2 categories of the dataset are no class of the model, 2 annotations count as missed" in done.out
    assert "'trafic lights' (2; 'traffic light'?), 'hippogriff' (0)" in done.out
    assert (
        "2 classes of the model are no category of the dataset, detections of them are left out" in done.out
    )


def test_a_category_without_a_name_is_named(verify: Verify) -> None:
    done = verify(dataset(["", "traffic light", "dog"]))

    assert (
        "1 category of the dataset is no class of the model, 2 annotations count as missed: '' (2)"
        in done.out
    )


def test_an_empty_category_above_the_classes_is_left_out_and_said(verify: Verify) -> None:
    data = dataset()
    data["categories"].insert(0, {"id": 0, "name": "cat", "supercategory": "none"})

    done = verify(data)

    assert verify.scores(data) == WHOLE
    assert "note: left out, having no annotations and the name of another category: 'cat' (id 0)" in done.out


def outside(data: dict[str, Any]) -> dict[str, Any]:
    data["annotations"][2]["bbox"] = [40, 40, 5, 5]
    return data


def twice(data: dict[str, Any]) -> dict[str, Any]:
    data["annotations"].append({**data["annotations"][0], "id": 99})
    return data


DOUBTFUL = {
    "boxes of another form": (
        changed(
            annotations__bbox=lambda e: [
                *e["bbox"][:2],
                *map(sum, zip(e["bbox"], e["bbox"][2:], strict=False)),
            ],
            annotations__area=None,
        ),
        "2 of 4 boxes reach beyond their image, but not if `bbox` were x1, y1, x2, y2: is it?",
    ),
    "a box outside": (outside(dataset()), "1 of 4 boxes lie outside their image"),
    "masks outside": (
        changed(annotations__segmentation=[[40, 40, 50, 40, 50, 50]]),
        "4 of 4 masks lie outside their",
    ),
    "an object twice": (twice(dataset()), "1 of 5 annotations repeat another's object"),
}


@pytest.mark.parametrize(("data", "line"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_makes_figures_doubtful_is_said_before_and_beside_them(
    verify: Verify, data: Any, line: str
) -> None:
    words = ("--tasks", "bbox") if "`bbox`" in line else ()
    if words:
        for annotation in data["annotations"]:
            annotation["segmentation"] = []

    done = verify(data, *words)

    assert f"note: {line}" in done.out
    assert line in verify(data, *words, "--json").json["notes"][0]
    assert line in done.err.partition("stock:")[0]


CONTRADICTORY = {
    "boxes of another form": (
        changed(annotations__bbox=lambda e: [*e["segmentation"][0][:2], *e["segmentation"][0][4:6]]),
        "bbox: all 4 are x1, y1, x2, y2, as masks or areas show; COCO's is x, y, width, height (convert them)",
    ),
    "normalised boxes": (
        changed(annotations__bbox=lambda e: [value / 32 for value in e["bbox"]]),
        "they are normalised; COCO's are in pixels (multiply by width and height of the image)",
    ),
    "normalised masks": (
        changed(annotations__segmentation=lambda e: [[value / 32 for value in e["segmentation"][0]]]),
        "all 4 masks lie within 0..1",
    ),
}


@pytest.mark.parametrize(("data", "line"), CONTRADICTORY.values(), ids=CONTRADICTORY)
def test_what_every_object_contradicts_is_refused(verify: Verify, data: Any, line: str) -> None:
    done = verify(data)

    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert line in done.err


def test_classes_in_another_order_than_the_network_has_are_doubted(cli: Cli, tmp_path: Path) -> None:
    model = write_finder(tmp_path / "finder", labels=(1, 2))
    found = Verify(cli, model, write_photos(tmp_path / "photos"))(dataset(), "--json").json

    assert found["rungs"][-1]["scores"]["bbox"]["AP50"] == 0
    assert "is `classes` in model.yaml in the order of the network?" in found["notes"][-1]


@pytest.mark.parametrize("network", [1, 2, 80])
@pytest.mark.parametrize("command", ["build", "verify"])
def test_a_network_of_another_number_of_classes_is_refused(
    cli: Cli, tmp_path: Path, network: int, command: str
) -> None:
    model = write_finder(tmp_path / "finder", network=network)
    verify = Verify(cli, model, write_photos(tmp_path / "photos"))

    done = cli("build", model) if command == "build" else verify(dataset())

    assert done.code == 2
    assert f"the network has {network} classes (masks (2, {network}, 4, 4)), `classes` lists 3" in done.err
    assert "give the variant the network's own list: `classes`" in done.err


def test_a_label_beyond_the_list_names_label_and_list(cli: Cli, tmp_path: Path) -> None:
    model = write_finder(tmp_path / "finder", labels=(0, 7))

    done = Verify(cli, model, write_photos(tmp_path / "photos"))(dataset())

    assert done.code == 2
    assert "label 7, but `classes` lists 3 classes (cat ... dog)" in done.err


@pytest.mark.parametrize("words", [("--device", 1), ("--inputs", "in"), ("--outputs", "out")])
def test_options_of_the_chip_have_no_meaning_on_the_host(verify: Verify, words: tuple[object, ...]) -> None:
    done = verify(dataset(), *words)

    assert (done.code, done.out) == (2, "")
    assert f"{words[0]} has no meaning for cpu stock, which runs on the host (leave it out)" in done.err


@pytest.mark.parametrize("missing", ["annotations", "photos"])
def test_a_dataset_that_is_not_there_is_refused_before_anything_is_built(
    cli: Cli, tmp_path: Path, missing: str
) -> None:
    model, photos = write_finder(tmp_path / "finder"), write_photos(tmp_path / "photos")
    data = tmp_path / "instances.json"
    data.write_text(json.dumps(dataset()))
    given = {"annotations": data, "photos": photos, missing: tmp_path / "nowhere"}
    words = ("--annotations", given["annotations"], "--images", given["photos"], "-o", tmp_path / "built")

    done = cli("verify", model, *words)

    assert (done.code, done.out) == (2, "")
    assert "nowhere" in done.err.splitlines()[-1]
    assert not (tmp_path / "built").exists()
    assert "stock graph" not in done.err


def test_accuracy_per_class(verify: Verify) -> None:
    done = verify(dataset(), "--per-class")

    assert "cat             1.0000   1.0000" in done.out
    assert "\ndog" not in done.out  # nothing of it is to be found


def test_details_are_recall_kinds_of_errors_and_classes(verify: Verify) -> None:
    done = verify(dataset(), "--details")

    assert re.search(r"^bbox recall +AR1 +AR10 +AR100 ", done.out, re.MULTILINE)
    assert re.search(r"^segm AP50 lost +Cls +Loc +Both ", done.out, re.MULTILINE)
    assert re.search(r"^stock +(0\.0000 *){8}$", done.out, re.MULTILINE)
    assert "by TIDE: Cls another class, Loc " in done.out
    assert "cat             1.0000   1.0000" in done.out


def test_nothing_to_find_is_never_ok(verify: Verify) -> None:
    """Only crowds: every figure is that of nothing."""
    done = verify(changed(annotations__iscrowd=1))

    assert done.code == 0
    assert "ok " not in done.out
    assert "not judged: nothing in the annotations counts for bbox AP, segm AP" in done.out
