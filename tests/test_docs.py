"""What the documentation shows is run; what there is, is documented."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from convertkit.errors import ConvertkitError
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins import hookspecs
from convertkit.plugins.loading import open_plugins
from tests.conftest import Cli

REPOSITORY = Path(__file__).parents[1]
PAGES = (REPOSITORY / "README.md", REPOSITORY / "docs" / "plugins.md")


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def dropout_graph(path: Path) -> None:
    graph = helper.make_graph(
        [
            helper.make_node("Dropout", ["x"], ["kept"], name="dropout"),
            helper.make_node("Relu", ["kept"], ["y"], name="relu"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_example_pass_runs_as_the_page_says(cli: Cli, page: Path, tmp_path: Path) -> None:
    example = next(block for block in python_blocks(page) if "DropDropout" in block)
    (tmp_path / "drop_dropout.py").write_text(example)
    dropout_graph(tmp_path / "model.onnx")

    done = cli("opt", "model.onnx", "-p", "drop-dropout", "--plugin", "drop_dropout.py", "-o", "smaller.onnx")

    assert done.code == 0, done.err
    assert [node.op_type for node in onnx.load("smaller.onnx").graph.node] == ["Relu"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_registers(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(python_blocks(page)):
        file = tmp_path / f"example_{page.stem}_{number}.py"
        file.write_text(block)

        plugins = open_plugins([file])

        assert str(file) in plugins.origins


def examples() -> list[tuple[str, str]]:
    """Every pass with options that a page, a package or a docstring writes, and where it does."""
    files = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("models/*/model.yaml")]
    for room in ("convertkit", "passes", "targets", "models"):
        files += (REPOSITORY / room).rglob("*.py")
    names = "|".join(entry.name for entry in open_plugins().passes)
    return [
        (str(file.relative_to(REPOSITORY)), text)
        for file in sorted(files)
        for text in re.findall(rf"\b(?:{names})\{{[^{{}}\n]*\}}", file.read_text())
        if file.name != "CHANGELOG.md"  # which speaks of releases
    ]


def test_every_pass_that_is_written_with_options_has_them() -> None:
    written, passes = examples(), open_plugins().passes

    refused = []
    for place, text in written:
        try:
            Pipeline.parse([text], passes)
        except ConvertkitError as error:
            refused.append(f"{place}: {text}: {error}")

    assert len(written) > 3
    assert refused == []


def test_every_hook_is_documented() -> None:
    hooks = [name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "convertkit_spec")]
    text = (REPOSITORY / "docs" / "plugins.md").read_text()

    assert hooks
    assert [name for name in hooks if f"`{name}(" not in text] == []


def test_every_command_is_in_the_readme(cli: Cli) -> None:
    listed = re.findall(r"^  ([a-z]+)  ", cli("--help").out, re.MULTILINE)
    text = (REPOSITORY / "README.md").read_text()

    assert "build" in listed
    assert [name for name in listed if f"convertkit {name}" not in text] == []


def test_links_lead_somewhere() -> None:
    for page in (REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_changelog_has_the_current_version() -> None:
    version = re.search(r'^version = "(.+)"', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"## {version.group(1)} " in (REPOSITORY / "CHANGELOG.md").read_text()
