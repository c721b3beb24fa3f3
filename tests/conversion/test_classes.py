"""A variant's own classes and thresholds, instead of those of the package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from convertkit.conversion.classes import class_names
from convertkit.conversion.request import Asked, make_request
from convertkit.errors import SpecError
from convertkit.models.package import ModelPackage, Variant
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN
from tests.models.maskrcnn.checkpoints import STATE, write

CONFIG = "config: {base: _base_/models/mask_rcnn_r50_fpn.py}\nsize: [320, 320]\n"


@pytest.fixture(scope="module")
def package() -> ModelPackage:
    return open_package(MASKRCNN, open_plugins())


def variant(package: ModelPackage, directory: Path, text: str) -> Variant:
    (directory / "mine.yaml").write_text(CONFIG + text)
    return package.variant(str(directory / "mine.yaml"))


def test_without_any_the_packages_hold(package: ModelPackage, tmp_path: Path) -> None:
    mine = variant(package, tmp_path, "")

    assert class_names(package, mine, None) is None
    assert package.of(mine).spec == package.spec


def test_a_list_in_the_variant(package: ModelPackage, tmp_path: Path) -> None:
    mine = variant(package, tmp_path, "classes: [cat, dog, bird]\n")

    names = class_names(package, mine, None)

    assert names == ("cat", "dog", "bird")
    assert package.of(mine, names).spec.classes == ("cat", "dog", "bird")
    assert package.of(mine, names).model.spec.classes == ("cat", "dog", "bird")
    assert len(package.spec.classes) == 80


def test_a_file_with_one_name_a_line(package: ModelPackage, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(b"\xef\xbb\xbfcat\r\nhot dog\r\n\n")
    mine = variant(package, tmp_path, "classes: names.txt\n")

    assert class_names(package, mine, None) == ("cat", "hot dog")


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), (b"", "no list of names"), (b"cat\n\ndog\n", "line 2 is empty"),
     (b"\xff\xfe", "cannot be read"), (b"a" * ((1 << 20) + 1), "no list of names")],
)  # fmt: skip
def test_a_file_that_is_no_list_is_named(
    package: ModelPackage, tmp_path: Path, content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    mine = variant(package, tmp_path, "classes: names.txt\n")

    with pytest.raises(SpecError, match=f"variant mine: classes: .*names.txt.*{why}"):
        class_names(package, mine, None)


def test_the_names_that_training_wrote_into_the_checkpoint(package: ModelPackage, tmp_path: Path) -> None:
    write(tmp_path / "mine.pth", {"state_dict": STATE, "meta": {"CLASSES": ("cat", "dog")}})
    mine = variant(package, tmp_path, "classes: checkpoint\nweights: {path: mine.pth}\n")

    assert class_names(package, mine, None) == ("cat", "dog")
    assert class_names(package, mine, "random:0") == ("cat", "dog")


def test_a_checkpoint_that_says_nothing_of_classes_is_named(package: ModelPackage, tmp_path: Path) -> None:
    write(tmp_path / "mine.pth", {"state_dict": STATE})
    mine = variant(package, tmp_path, "classes: checkpoint\nweights: {path: mine.pth}\n")

    with pytest.raises(SpecError, match=r"mine\.pth says nothing of classes"):
        class_names(package, mine, None)


def test_thresholds_and_pixels_of_the_variant(package: ModelPackage, tmp_path: Path) -> None:
    mine = variant(
        package, tmp_path,
        "postprocess: {score_threshold: 0.3, mask_threshold: 0.4}\npreprocess: {mean: [0, 0, 0], std: [1, 1, 1]}\n",
    )  # fmt: skip

    spec = package.of(mine).spec

    assert (spec.postprocess.score_threshold, spec.postprocess.mask_threshold) == (0.3, 0.4)
    assert spec.preprocess.std == (1, 1, 1)


def test_a_request_has_them(tmp_path: Path) -> None:
    plugins = open_plugins()
    package = open_package(MASKRCNN, plugins)
    variant(package, tmp_path, "classes: [cat]\npostprocess: {score_threshold: 0.3}\nstock: mini.onnx\n")

    request = make_request(Asked(MASKRCNN, variant=str(tmp_path / "mine.yaml")), plugins)

    assert request.package.spec.classes == ("cat",)
    assert request.package.spec.postprocess.score_threshold == 0.3
    assert request.package.model.spec is request.package.spec


def test_records_of_the_package_are_not_changed(package: ModelPackage, tmp_path: Path) -> None:
    mine = variant(package, tmp_path, "classes: [cat]\n")
    other = replace(mine, spec=msgspec.structs.replace(mine.spec, classes=("dog",)))

    assert package.of(mine, ("cat",)).spec.classes == ("cat",)
    assert package.of(other, ("dog",)).spec.classes == ("dog",)
    assert len(package.spec.classes) == 80
