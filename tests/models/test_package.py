from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import ConvertkitError, SpecError
from convertkit.models.package import describe
from convertkit.plugins.loading import Plugins, open_plugins
from convertkit.plugins.packages import open_package

REPOSITORY = Path(__file__).parents[2]


def change(package: Path, old: str, new: str) -> None:
    yaml = package / "model.yaml"
    text = yaml.read_text()
    assert old in text
    yaml.write_text(text.replace(old, new))


def test_a_package_opens_with_its_code_and_variants(tiny: Path) -> None:
    package = open_package(tiny, Plugins())

    assert package.spec.name == "tiny"
    assert package.variant().name == "small"
    assert next(iter(package.model.sample_images())).shape == (8, 8, 3)


def test_the_shipped_package_opens() -> None:
    package = open_package(REPOSITORY / "models" / "maskrcnn", open_plugins())

    assert set(package.spec.variants) == {"mini", "r50-fpn-1x"}
    assert package.variant("r50-fpn-1x").spec.size == (1216, 1216)
    assert len(package.spec.classes) == 80


def test_a_description_spells_out_every_default() -> None:
    data = describe(open_package(REPOSITORY / "models" / "maskrcnn", open_plugins()).spec)

    assert data["preprocess"]["to_rgb"] is True
    assert data["variants"]["mini"]["accuracy"]["tolerance"] > 0
    assert data["variants"]["mini"]["size"] == [320, 320]


def test_a_variant_may_be_a_file(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("size: [16, 16]\nconfig: {base: none}\nstock: mine.onnx\n")

    variant = open_package(tiny, Plugins()).variant(str(file))

    assert (variant.name, variant.spec.size) == ("mine", (16, 16))
    assert variant.path("mine.onnx") == tmp_path / "mine.onnx"


def test_a_variant_file_that_links_to_itself_is_one_line(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")

    with pytest.raises(SpecError, match=r"loop\.yaml: cannot be read"):
        open_package(tiny, Plugins()).variant(str(tmp_path / "loop.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("plugin:", "plugn:", "unknown key 'plugn' (did you mean 'plugin'?"),
        ("stock: small", "stok: small", "unknown key 'variants.small.stok' (did you mean 'stock'?"),
        ("size: [8, 8]", "size: [8]", "size"),
        ("size: [8, 8]", "size: [8, wide]", "Expected `int`, got `str`"),
        ("size: [8, 8]", "size: [0, 8]", "Expected `int` >= 1"),
        ("size: [8, 8]", "size: [8, 99999999]", "Expected `int` <= 65536"),
        ("size: [8, 8]", "size: [8, " + "9" * 5000 + "]", "not valid YAML"),
        ("std: [1, 1, 1]", "std: [1, 0, 1]", "std[1]: Expected `float` > 0"),
        ("mean: [0, 0, 0]", "mean: [.nan, 0, 0]", "preprocess.mean[0] is nan, not a finite number"),
        ("name: tiny", "name: 2024-99-99", "not valid YAML"),
        ("name: tiny", "name: !!bool maybe", "not valid YAML"),
        ("name: tiny", "name: !!timestamp never", "not valid YAML"),
        ("name: tiny", 'name: "\\ud800"', "name is text that is no Unicode"),
        ("plugin: plugin.py", 'plugin: "plugin.py\\0"', "plugin is text with a NUL character"),
        ("stock: small.onnx", 'stock: "\\0"', "variants.small.stock is text with a NUL character"),
        ("name: tiny", "name: ../tiny", "name: Expected `str` matching regex '^[^/]{1,100}$'"),
        ("small: {size", "../small: {size", "Expected `str` matching regex '^[^/]{1,100}$'"),
        (
            "name: tiny",
            "name: tiny\nname: tiny",
            "model.yaml:3:1: not valid YAML (key 'name' is given twice)",
        ),
        ("role: image", "role: picture", "inputs.image.role: 'picture' is not known (known: boxes, "),
        (
            "default_variant: small",
            "default_variant: big",
            "default_variant 'big' is not among the variants (small)",
        ),
        ("summary: a convolution", "summary: [", "not valid YAML"),
        ("summary: a convolution", "summary: !!python/name:os.system #", "not valid YAML"),
        ("summary: a convolution", "summary: &a x\nname: *a #", "aliases are not supported"),
        ("plugin: plugin.py", "plugin: nothing.py", "nothing.py: no such file"),
        ("name: tiny", "name: other", "registers no model named 'other' (registered: tiny)"),
    ],
)
def test_a_mistake_in_model_yaml_is_one_line(tiny: Path, old: str, new: str, line: str) -> None:
    change(tiny, old, new)

    with pytest.raises(ConvertkitError) as caught:
        open_package(tiny, Plugins())

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_directory_without_model_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConvertkitError, match=r"there is no model\.yaml in it"):
        open_package(tmp_path, Plugins())


def test_a_huge_specification_is_refused(tiny: Path) -> None:
    (tiny / "model.yaml").write_text("name: " + "x" * (2 << 20))

    with pytest.raises(SpecError, match="this is no specification"):
        open_package(tiny, Plugins())
