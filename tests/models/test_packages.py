"""The packages beside Mask R-CNN's, which share its export hook and have no code of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import SpecError, UnknownNameError
from convertkit.exporting.environment import Environment
from convertkit.graph.io import load
from convertkit.models.classes import COCO, names_of
from convertkit.models.hook import hook_of
from convertkit.models.known import OURS
from convertkit.models.package import read_spec
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN, Cli

SHARING = ("cascade_mask_rcnn", "faster_rcnn", "retinanet")


def environment(root: Path) -> Environment:
    hook = hook_of(root, read_spec(root))
    return Environment.of(hook.name, hook.environment, hook.root)


@pytest.mark.parametrize("name", SHARING)
def test_a_package_shares_worker_environment_and_nothing_is_built_twice(name: str) -> None:
    package = open_package(OURS / name, open_plugins())

    assert hook_of(package.root, package.spec).worker == MASKRCNN / "export" / "worker.py"
    assert environment(package.root).directory == environment(MASKRCNN).directory
    assert package.spec.classes == COCO
    assert len((package.root / "model.yaml").read_text().splitlines()) <= 80
    assert [path.name for path in package.root.iterdir() if path.suffix == ".py"] == []


def shared(root: Path, export: str, name: str = "mine") -> Path:
    text = (OURS / "retinanet" / "model.yaml").read_text()
    root.mkdir(parents=True)
    (root / "model.yaml").write_text(text.replace("export: {like: maskrcnn, opset: 11}", export))
    return root


def test_a_package_beside_comes_before_ours_of_that_name(tmp_path: Path) -> None:
    other = shared(tmp_path / "maskrcnn", "export: {worker: w.py, environment: {requirements: r.txt}}")
    (other / "w.py").touch()
    mine = shared(tmp_path / "mine", "export: {like: maskrcnn, opset: 13}")

    found = hook_of(mine, read_spec(mine))

    assert (found.worker, found.opset) == (other / "w.py", 13)


def test_a_name_that_nobody_has_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    mine = shared(tmp_path / "mine", "export: {like: maskrnn}")

    with pytest.raises(UnknownNameError, match="unknown model package 'maskrnn'") as raised:
        hook_of(mine, read_spec(mine))
    assert "maskrcnn" in str(raised.value)


def test_a_package_that_shares_has_nothing_to_share(tmp_path: Path) -> None:
    shared(tmp_path / "other", "export: {like: maskrcnn}")
    mine = shared(tmp_path / "mine", "export: {like: other}")

    with pytest.raises(SpecError, match="no worker and environment of its own"):
        hook_of(mine, read_spec(mine))


@pytest.mark.parametrize("export", ["export: {opset: 11}", "export: {like: maskrcnn, worker: w.py}"])
def test_an_export_is_ones_own_or_anothers(tmp_path: Path, export: str) -> None:
    mine = shared(tmp_path / "mine", export)

    with pytest.raises(SpecError, match="export: give either `like`, or `worker` and `environment`"):
        open_package(mine, open_plugins())


def test_known_names_are_cocos() -> None:
    assert (len(COCO), COCO[0], COCO[-1]) == (80, "person", "toothbrush")
    assert names_of("coco", Path(), "here") is COCO
    assert names_of(("cat",), Path(), "here") == ("cat",)


def test_a_package_may_have_a_file_of_names(tmp_path: Path) -> None:
    root = shared(tmp_path / "mine", "export: {like: maskrcnn}")
    text = (root / "model.yaml").read_text()
    (root / "model.yaml").write_text(text.replace("classes: coco", "classes: names.txt"))
    (root / "names.txt").write_text("cat\ndog\n")

    assert read_spec(root).classes == ("cat", "dog")


SMALL = {
    "retinanet": "{backbone: {depth: 18}, neck: {in_channels: [64, 128, 256, 512]}}",
    "faster_rcnn": "{backbone: {depth: 18}, neck: {in_channels: [64, 128, 256, 512]}}",
    "cascade_mask_rcnn": "{backbone: {depth: 18}, neck: {in_channels: [64, 128, 256, 512]}}",
}


@pytest.mark.slow
@pytest.mark.export
@pytest.mark.parametrize("name", SHARING)
def test_a_package_builds_for_the_chip(cli: Cli, export_python: Path, name: str) -> None:
    config = read_spec(OURS / name).variants["r50-fpn-1x"].config
    assert config is not None
    Path("small.yaml").write_text(
        f"size: [192, 256]\nconfig: {{base: {config.base}, overrides: {{model: {SMALL[name]}}}}}\n"
    )

    done = cli("build", OURS / name, "-V", "small.yaml", "-w", "random:0", "--python", export_python, "-o", "out",
               "-t", "ascend310p3", "--compiler", "none")  # fmt: skip

    assert done.code == 0, done.err
    operators = [node.op_type for node in load(Path("out/ascend.onnx")).proto.graph.node]
    assert operators.count("BatchMultiClassNMS") == (1 if name == "retinanet" else 2)
    assert not {"NonMaxSuppression", "RoiAlign"} & set(operators)
