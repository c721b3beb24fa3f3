"""Boxes and masks that are not what COCO says they are: a fault where all say so, a note where some look odd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hotcoco.mask
import numpy as np
import pytest

from convertkit.datasets.annotations import AnnotationFile, read_annotations
from convertkit.datasets.doubts import contradictions, doubts
from convertkit.datasets.shapes import check_shapes
from tests.shared import SHARED, needs_shared

BOTH = ("bbox", "segm")
WIDTH, HEIGHT = 640, 480


def drawn(seed: int = 0, objects: int = 60) -> list[dict[str, Any]]:
    """Annotations of objects all over ten images: octagons, whose area is less than that of their box."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(1, objects + 1):
        width, height = random.uniform(8, 400), random.uniform(8, 300)
        x, y = random.uniform(0, WIDTH - width), random.uniform(0, HEIGHT - height)
        x, y, width, height = (round(value, 2) for value in (x, y, width, height))
        mask = octagon(x, y, width, height)
        found.append(
            {
                "id": number,
                "image_id": 1 + number % 10,
                "category_id": 1,
                "bbox": [x, y, width, height],
                "area": 0.75 * width * height,
                "segmentation": [mask],
            }
        )
    return found


def octagon(x: float, y: float, width: float, height: float) -> list[float]:
    points = [(0.25, 0), (0.75, 0), (1, 0.25), (1, 0.75), (0.75, 1), (0.25, 1), (0, 0.75), (0, 0.25)]
    return [value for u, v in points for value in (x + u * width, y + v * height)]


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def reader(annotations: list[dict[str, Any]], **lists: Any) -> AnnotationFile:
        images = [
            {"id": number, "file_name": f"{number}.png", "width": WIDTH, "height": HEIGHT}
            for number in range(1, 11)
        ]
        path = tmp_path / "instances.json"
        data = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": annotations}
        path.write_text(json.dumps({**data, **lists}))
        return read_annotations(path)

    return reader


def said(found: AnnotationFile, tasks: tuple[str, ...] = BOTH) -> list[str]:
    return list(doubts(found, tasks, [image.id for image in found.images]))


def corners(item: dict[str, Any]) -> list[float]:
    x, y, width, height = item["bbox"]
    return [x, y, x + width, y + height]


def centre(item: dict[str, Any]) -> list[float]:
    x, y, width, height = item["bbox"]
    return [x + width / 2, y + height / 2, width, height]


def swapped(item: dict[str, Any]) -> list[float]:
    x, y, width, height = item["bbox"]
    return [y, x, height, width]


def swapped_corners(item: dict[str, Any]) -> list[float]:
    x1, y1, x2, y2 = corners(item)
    return [y1, x1, y2, x2]


FORMS = {
    "x1, y1, x2, y2": corners,
    "the centre, width, height": centre,
    "y, x, height, width": swapped,
    "y1, x1, y2, x2": swapped_corners,
}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("objects", [1, 2, 7, 60])
def test_nothing_is_said_of_boxes_and_masks_as_coco_has_them(read: Any, seed: int, objects: int) -> None:
    found = read(drawn(seed, objects))

    assert list(contradictions(found, BOTH)) == []
    assert said(found) == []


@needs_shared
@pytest.mark.parametrize("name", ["coco_val188_instances.json", "coco_train108/instances.json"])
def test_nothing_is_said_of_official_annotations(name: str) -> None:
    found = read_annotations(SHARED / "data" / name)

    assert list(contradictions(found, BOTH)) == []
    assert said(found) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("objects", [2, 60])
def test_boxes_of_another_form_are_a_fault_where_masks_prove_it(read: Any, form: str, objects: int) -> None:
    data = [{**item, "bbox": FORMS[form](item)} for item in drawn(objects=objects)]

    (fault,) = contradictions(read(data), ("bbox",))

    assert fault.startswith(f"bbox: all {objects} are {form}, as masks or areas show")


@pytest.mark.parametrize("form", ["x1, y1, x2, y2", "y1, x1, y2, x2"])
def test_boxes_of_another_form_are_a_fault_where_areas_prove_it(read: Any, form: str) -> None:
    data = [
        {
            **item,
            "bbox": FORMS[form](item),
            "area": item["bbox"][2] * item["bbox"][3],
            "segmentation": [],
        }
        for item in drawn()
    ]

    (fault,) = contradictions(read(data), ("bbox",))

    # The area is the same for both orders, so the order is known only where one leaves the image.
    assert fault.startswith(f"bbox: all 60 are {form}, as masks or areas show")


@pytest.mark.parametrize("form", FORMS)
def test_boxes_of_another_form_are_doubted_where_only_images_contradict(read: Any, form: str) -> None:
    data = [{**item, "bbox": FORMS[form](item), "area": None, "segmentation": []} for item in drawn()]
    found = read(data)

    assert list(contradictions(found, ("bbox",))) == []
    line = next(line for line in said(found, ("bbox",)) if "`bbox`" in line)
    assert f"boxes reach beyond their image, but not if `bbox` were {form}: is it?" in line


@pytest.mark.parametrize("corner", [0, 1, 2])
@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("area", [None, 94 * 74, 95 * 75, 96 * 76])
def test_a_box_in_the_corner_that_is_off_by_one_is_no_other_form(
    read: Any, corner: int, extra: int, area: int | None
) -> None:
    """Tools differ on whether the last pixel counts; there, width and height are all but a corner."""
    x1, y1, x2, y2 = corner, corner, corner + 95, corner + 75
    item = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [x1, y1, 95 + extra, 75 + extra], "area": area}

    for mask in ([], [[x1, y1, x2, y1, x2, y2, x1, y2]]):
        assert list(contradictions(read([{**item, "segmentation": mask}]), ("bbox",))) == []


LOOSELY = [([4, 4, 50, 50], [5, 5, 46, 46]), ([4, 6, 9, 7], [7, 6, 5, 6]), ([2, 2, 20, 30], [3, 3, 17, 26])]


@pytest.mark.parametrize(("box", "around"), LOOSELY)
def test_a_box_that_is_drawn_wider_than_its_mask_is_no_other_form(
    read: Any, box: list[float], around: list[float]
) -> None:
    item = {**drawn()[0], "bbox": box, "area": None, "segmentation": [octagon(*around)]}

    assert list(contradictions(read([item]), ("bbox",))) == []


def test_areas_of_a_few_pixels_prove_no_other_form(read: Any) -> None:
    """Of triangles in the corner: half of their boxes, and about what corners would make of them."""
    boxes = [(0.5, 0.5, 2, 2), (0.4, 0.6, 2.2, 2), (0.6, 0.5, 2.1, 2.2)]
    data = [
        {**drawn()[0], "id": number, "bbox": box, "area": box[2] * box[3] / 2, "segmentation": []}
        for number, box in enumerate(boxes)
    ]

    assert list(contradictions(read(data), ("bbox",))) == []


def test_wrong_masks_do_not_accuse_boxes_whose_areas_are_right(read: Any) -> None:
    """A converter that took x, y, width, height for corners when it drew the masks."""
    data = drawn(objects=400)
    data = [item for item in data if item["bbox"][2] > item["bbox"][0] and item["bbox"][3] > item["bbox"][1]]
    for item in data:
        x1, y1, x2, y2 = item["bbox"]
        item |= {"segmentation": [octagon(x1, y1, x2 - x1, y2 - y1)], "area": x2 * y2}

    assert data
    assert list(contradictions(read(data), BOTH)) == []


@pytest.mark.parametrize("task", BOTH)
def test_normalised_coordinates_are_a_fault_where_all_are_and_a_note_where_some_are(
    read: Any, task: str
) -> None:
    data, noun = drawn(), {"bbox": "boxes", "segm": "masks"}[task]
    small = [normalised(item) for item in data]

    (fault,) = contradictions(read(small), (task,))

    assert f"all 60 {noun} lie within 0..1, like " in fault
    assert "multiply by width and height" in fault
    mixed = read([*data[:57], *small[57:]])
    assert list(contradictions(mixed, (task,))) == []
    line = f"3 of 60 {noun} lie within 0..1 pixels: are they normalised? (first: annotation 58)"
    assert line in said(mixed, (task,))


def normalised(item: dict[str, Any]) -> dict[str, Any]:
    x, y, width, height = item["bbox"]
    box = x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT
    return {**item, "bbox": box, "segmentation": [octagon(*box)]}


@pytest.mark.parametrize("form", FORMS)
def test_normalised_boxes_of_any_form_are_a_fault(read: Any, form: str) -> None:
    small = [{**item, "bbox": FORMS[form](normalised(item))} for item in drawn()]

    assert "all 60 boxes lie within 0..1, like " in next(contradictions(read(small), ("bbox",)))


@pytest.mark.parametrize("corner", [0, 0.5, 1])
@pytest.mark.parametrize("size", [1, 1.5, 2])
def test_an_object_of_the_first_pixels_is_no_fault(read: Any, corner: float, size: float) -> None:
    low, high = corner, corner + size
    mask = [low, low, high, low, high, high, low, high]
    data = [{**drawn()[0], "bbox": [low, low, size, size], "area": size**2, "segmentation": [mask]}]
    found = read(data)

    assert list(contradictions(found, BOTH)) == []
    assert said(found) == []


@pytest.mark.parametrize("factor", [0.156, 0.5 - 1e-6])
def test_coordinates_of_smaller_images_are_doubted(read: Any, factor: float) -> None:
    """Percent, or pixels of the size at which a network was trained."""
    data = [
        {**item, "bbox": [factor * value for value in item["bbox"]], "area": None, "segmentation": []}
        for item in drawn()
    ]

    (line,) = said(read(data), ("bbox",))

    assert "all 60 boxes lie in the upper left quarter of their images, like " in line


OUTSIDE = {"right": (640, 10), "below": (10, 480), "left": (-40, 10), "above": (10, -40), "far": (1e6, 1e6)}


@pytest.mark.parametrize("place", OUTSIDE.values(), ids=OUTSIDE)
def test_what_lies_outside_its_image_is_counted(read: Any, place: tuple[float, float]) -> None:
    data = drawn()
    for item in data[16:19]:
        item |= {"bbox": [*place, 40, 40], "segmentation": [octagon(*place, 40, 40)]}

    boxes, masks = said(read(data))

    end = "lie outside their image, so nothing can find them (first: annotation 17)"
    assert (boxes, masks) == (f"3 of 60 boxes {end}", f"3 of 60 masks {end}")


def test_what_reaches_over_the_edge_is_no_news(read: Any) -> None:
    data = drawn()
    for item in data[:30]:
        item |= {
            "bbox": [600.5, 440.5, 40.6, 40.6],
            "area": 1300,
            "segmentation": [octagon(600.5, 440.5, 40.6, 40.6)],
        }

    assert [line for line in said(read(data)) if "repeat" not in line] == []


EMPTY_MASKS: dict[str, Any] = {
    "polygon": [[5, 5, 5, 5, 5, 5]],
    "run lengths": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]},
    "compressed run lengths": {
        "size": [HEIGHT, WIDTH],
        "counts": hotcoco.mask.encode(np.zeros((HEIGHT, WIDTH), np.uint8, "F"))["counts"].decode(),
    },
}


@pytest.mark.parametrize("mask", EMPTY_MASKS.values(), ids=EMPTY_MASKS)
def test_what_has_no_size_is_counted(read: Any, mask: Any) -> None:
    data = drawn()
    data[4] |= {"bbox": [5, 5, 0, 30], "segmentation": mask}
    found = read(data)

    check_shapes(found, BOTH)
    boxes, masks = said(found)

    end = "have no size, so nothing can find them (first: annotation 5)"
    assert (boxes, masks) == (f"1 of 60 boxes {end}", f"1 of 60 masks {end}")


def test_boxes_that_reach_far_beyond_their_images_are_counted_where_many_do(read: Any) -> None:
    """As after the photos were made smaller: nothing explains it but their size."""
    data = drawn()
    for item in data[:12]:
        item |= {"bbox": [400, 300, 300, 200], "segmentation": []}
    few = [*data[:3], *data[12:]]

    assert "12 of 60 boxes reach beyond their image (first: annotation 1)" in said(read(data), ("bbox",))
    assert not any("beyond" in line for line in said(read(few), ("bbox",)))


@pytest.mark.parametrize("area", [0, 0.04, 1e6])
@pytest.mark.parametrize("tasks", [("bbox",), ("segm",), BOTH])
def test_areas_that_cannot_be_are_counted_where_many_are(read: Any, area: float, tasks: Any) -> None:
    data = [{**item, "area": area} for item in drawn()]

    (line,) = said(read(data), tasks)

    assert line.startswith("60 of 60 ")
    assert "have an `area` that theirs cannot be, by which APs, APm and APl choose" in line


def test_masks_apart_from_their_boxes_are_counted(read: Any) -> None:
    data = drawn()
    data[6] |= {"bbox": [10, 10, 50, 50], "segmentation": [octagon(200, 200, 50, 50)]}

    assert said(read(data)) == ["1 of 60 masks lie outside their own box (first: annotation 7)"]


def test_a_mask_beside_its_box_by_the_rounding_of_a_tool_is_no_news(read: Any) -> None:
    data = [{**drawn()[0], "bbox": [9, 9, 1, 1], "area": 1, "segmentation": [octagon(10.5, 10.5, 1, 1)]}]

    assert said(read(data)) == []


def test_objects_that_are_there_twice_are_counted(read: Any) -> None:
    data = drawn()
    other = {**data[2], "id": 63, "segmentation": [octagon(*data[2]["bbox"])[2:]]}
    crowd = {**data[3], "id": 64, "iscrowd": 1}
    again = [{**data[0], "id": 61}, {**data[0], "id": 62, "area": None}, other, crowd]

    line = "2 of 64 annotations repeat another's object, and count as missed (first: annotation 61, which repeats 1)"
    assert said(read([*data, *again])) == [line]


@pytest.mark.parametrize("bare", [0, 60], ids=["first", "second"])
def test_an_object_that_is_there_with_and_without_a_mask_is_there_twice(read: Any, bare: int) -> None:
    data = drawn()
    data.append({**data[0], "id": 61})
    data[bare] |= {"segmentation": []}

    (line,) = said(read(data), ("bbox",))

    assert line.startswith("1 of 61 annotations repeat another's object")


def test_only_the_images_that_are_scored_count(read: Any) -> None:
    data = drawn()
    data[0] |= {"bbox": [700, 0, 5, 5], "image_id": 9}
    found = read(data)

    assert list(doubts(found, ("bbox",), [1, 2])) == []
    assert len(list(doubts(found, ("bbox",), [9]))) == 1


def test_crowds_are_not_doubted(read: Any) -> None:
    data = drawn()
    data[0] |= {"bbox": [700, 0, 5, 5], "iscrowd": 1}

    assert said(read(data), ("bbox",)) == []


@pytest.mark.parametrize("crowds", [31, 60])
def test_crowds_that_are_most_of_all_are_said(read: Any, crowds: int) -> None:
    """As a tool marks groups, or everything: whatever else is found, the figures leave them out."""
    data = drawn()
    few = [{**item, "iscrowd": int(number < 30)} for number, item in enumerate(data)]
    many = [{**item, "iscrowd": int(number < crowds)} for number, item in enumerate(data)]

    assert said(read(few), ("bbox",)) == []
    (line,) = said(read(many), ("bbox",))
    assert line == f"{crowds} of 60 annotations are crowds (`iscrowd` 1), which nothing has to find"


def test_photos_without_one_annotation_are_said(read: Any) -> None:
    assert said(read([])) == ["no annotation on 10 photos, so there is nothing to find"]


@pytest.mark.parametrize("value", [1e300, -1e300, 1e9])
def test_a_number_beyond_any_image_is_a_fault(read: Any, value: float) -> None:
    data = drawn(objects=2)
    mask = [{**data[0], "segmentation": [[1, 1, value, 1, 1, 9]]}, data[1]]

    with pytest.raises(Exception, match=r"annotations\[1\].bbox: a number is beyond any image"):
        read([data[0], {**data[1], "bbox": [value, 1, 2, 3]}])
    with pytest.raises(Exception, match="annotation 1: segmentation: a number is beyond any image"):
        check_shapes(read(mask), BOTH)


@pytest.mark.parametrize("spelling", ["cat", "Cat", "c\u200bat"])
@pytest.mark.parametrize("first", [True, False])
def test_an_empty_category_with_the_name_of_another_is_left_out(
    read: Any, spelling: str, first: bool
) -> None:
    """As Roboflow writes it above the classes."""
    categories = [{"id": 0, "name": spelling}, {"id": 1, "name": "cat"}]
    found = read(drawn(), categories=categories if first else categories[::-1])

    assert [category.id for category in found.categories] == [1]
    assert said(found) == [
        f"left out, having no annotations and the name of another category: {spelling!r} (id 0)"
    ]


def test_of_empty_categories_with_one_name_the_last_stays(read: Any) -> None:
    names = ["dog", "cat", "dog"]
    found = read(drawn(), categories=[{"id": number, "name": name} for number, name in enumerate(names)])

    assert [category.id for category in found.categories] == [1, 2]


@pytest.mark.parametrize(("used", "other"), [(("A", "a"), "cat"), (("t-shirt", "tshirt"), "c-at")])
def test_no_category_is_left_out_where_spelling_tells_classes_apart(
    read: Any, used: tuple[str, str], other: str
) -> None:
    """Letters of a text: the objects are few, and some classes have none."""
    names = [*used, "cat", other.upper()]
    data = [{**item, "category_id": number % 3} for number, item in enumerate(drawn())]
    found = read(data, categories=[{"id": number, "name": name} for number, name in enumerate(names)])

    assert [category.name for category in found.categories] == names
    assert said(found) == []


def test_names_of_nothing_but_dashes_are_no_twins(read: Any) -> None:
    names = ["-", "cat", "_"]
    found = read(drawn(), categories=[{"id": number, "name": name} for number, name in enumerate(names)])

    assert [category.name for category in found.categories] == names
