"""What the documentation shows is run; what there is, is documented."""

from __future__ import annotations

import functools
import inspect
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import typer.main
from onnx import TensorProto, helper

import convertkit
from bench import reference
from bench.rooms import PACKAGES, house
from convertkit.api import targets
from convertkit.api.targets import Machine, Target
from convertkit.cli.app import app
from convertkit.errors import ConvertkitError, UnknownNameError
from convertkit.graph.io import load
from convertkit.graph.session import open_session
from convertkit.passes.options import build, parse_step
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins import hookspecs
from convertkit.plugins.loading import open_plugins
from tests.conftest import Cli

REPOSITORY = Path(__file__).parents[1]
PAGES = (REPOSITORY / "README.md", REPOSITORY / "docs" / "plugins.md")
GENERATED = {f"reference/{name}" for name in reference.PAGES}
ALL_PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))


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


def test_the_minimal_target_is_a_dozen_lines_builds_and_runs(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    example = next(block for block in python_blocks(PAGES[1]) if "(Target)" in block)
    (tmp_path / "mychip.py").write_text(example)
    assert len([line for line in example.splitlines() if line]) <= 12
    words = (tiny, "--target", "mychip", "--plugin", "mychip.py", "--output", "made")

    built, timed = cli("build", *words), cli("bench", *words, "--loops", 1, "--photos", 0)

    assert (built.code, timed.code) == (0, 0), built.err + timed.err
    names = ["manifest.json", "model.onnx", "mychip.onnx"]
    assert [path.name for path in sorted(Path("made").iterdir())] == names
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 8, 8)).astype(np.float32)
    runtime = open_plugins([tmp_path / "mychip.py"]).targets.get("mychip").open(Path("made"))
    found = runtime.run({"image": image, "a later pass asks for it": image})
    expected = open_session(load(tiny / "small.onnx")).run({"image": image})
    assert list(found) == list(expected) == ["features"]
    assert np.array_equal(found["features"], expected["features"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_registers(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convertkit.graph.domains._domains", {})  # those of the same example in another file
    for number, block in enumerate(python_blocks(page)):
        file = tmp_path / f"example_{page.stem}_{number}.py"
        file.write_text(block)

        plugins = open_plugins([file])

        assert str(file) in plugins.origins


@pytest.mark.slow
def test_the_page_for_python_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    for block in python_blocks(REPOSITORY / "docs" / "python.md"):
        exec(block, names)

    printed = capsys.readouterr()
    assert printed.out.splitlines()[0].startswith("build/maskrcnn-mini-cpu whole ['simplify', ")
    assert "unknown variant 'minni' | did you mean 'mini'?" in printed.out.splitlines()[-1]
    assert printed.err == ""


def test_every_function_is_on_the_page_for_python_and_in_the_notebook() -> None:
    page, tour = ((REPOSITORY / "docs" / name).read_text() for name in ("python.md", "tour.ipynb"))

    functions = [
        name for name in dir(convertkit) if inspect.isfunction(getattr(convertkit, name)) and name[0] != "_"
    ]
    assert {"build", "optimize"} <= set(functions)
    assert [name for name in functions if f"`convertkit.{name}(" not in page] == []
    assert [
        name
        for name in functions
        if f"convertkit.{name}(" not in tour
        and name not in ("lint", "merge", "plan", "tune", "dump", "compare")
    ] == []


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
            name, options = parse_step(text)
            build(passes.get(name), options)  # alone, so in no order
        except ConvertkitError as error:
            refused.append(f"{place}: {text}: {error}")

    assert len(written) > 3
    assert refused == []


def test_every_pass_of_a_pages_own_example_has_the_options_written(tmp_path: Path) -> None:
    known, found = {entry.name for entry in open_plugins().passes}, 0

    for page in ALL_PAGES:
        for text in re.findall(r"`([a-z][a-z0-9-]*\{\w+=[^{}\n]*\})`", page.read_text()):
            name = text.partition("{")[0]
            if name not in known:
                blocks = [block for block in python_blocks(page) if f'name = "{name}"' in block]
                assert blocks, f"{page.name}: {text}: no such pass, and no example defines it"
                (tmp_path / "example.py").write_text(blocks[-1])
                Pipeline.parse([text], open_plugins([tmp_path / "example.py"]).passes)
                found += 1

    assert found == 1


def test_every_capability_of_a_target_is_documented_with_all_that_it_has() -> None:
    text = (REPOSITORY / "docs" / "plugins.md").read_text()
    properties = {name for name, value in vars(Target).items() if isinstance(value, property)} - {"help"}

    for name in properties:
        (row,) = re.findall(rf"^\| `{name}`, an? `(\w+)` \| (.+) \| .+ \|$", text, re.MULTILINE)
        kind = getattr(targets, row[0])
        if kind is not Machine:
            words = (*vars(kind), *getattr(kind, "__dataclass_fields__", ()))
            assert {word for word in words if word[0] != "_"} == set(re.findall(r"`(\w+)", row[1])), name
    assert "machine" in properties and len(properties) == 9


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
    for page in ALL_PAGES:
        for target, place in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", page.read_text()):
            if target.removeprefix("docs/") in GENERATED:
                continue  # by make site
            there = page.parent / target if target else page
            assert there.exists(), f"{page.name}: {target}"
            assert not place or place in anchors(there), f"{page.name}: {target}#{place}"


def anchors(page: Path) -> list[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def commands(page: Path, pattern: str) -> list[list[str]]:
    """The words of every call of convertkit that ``pattern`` finds on a page, also of one behind ``&&``."""
    lines = [
        part for text in re.findall(pattern, page.read_text(), re.MULTILINE) for part in text.split("&&")
    ]
    words = [shlex.split(line, comments=True) for line in lines]
    return [call[1:] for call in words if call[:1] == ["convertkit"]]


IN_BLOCKS = r"^(?: {4}|\$ )(?:\$ )?(convertkit .+)$"
"""Calls on a line of their own: indented, or behind a prompt."""

IN_SENTENCES = r"`(convertkit [^`]+)`"


def mistake(words: Sequence[str], passing: Sequence[str] = ()) -> str:
    """What the command line has against these words; no command runs. ``passing``: what is no mistake."""
    try:
        idle().main(list(words), prog_name="convertkit", standalone_mode=False)
    except UnknownNameError:  # MODEL, mydetector: the words are right, and there is none of that name here
        return ""
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return (
            ""
            if type(error).__name__ in passing
            else f"convertkit {shlex.join(words)}: {error.format_message()}"
        )
    return ""


@functools.cache
def idle() -> Any:
    """The command line, of which every command does nothing."""
    group = typer.main.get_command(app)
    for command in every_command(group):
        command.callback = lambda **values: None
    return group


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_command_shown_is_understood(page: Path) -> None:
    """In a sentence a command may stand without what it needs, but not with what it has not."""
    partial = ("MissingParameter", "NoArgsIsHelpError")
    wrong = [mistake(words) for words in commands(page, IN_BLOCKS)]
    wrong += [mistake(words, partial) for words in commands(page, IN_SENTENCES)]

    assert [line for line in wrong if line] == []


def test_a_command_that_is_not_understood_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "    convertkit build\n\n    convertkit opt a.onnx -p simplify && convertkit lint a.onnx --goal x\n"
    )

    missing, fine, unknown = (mistake(words) for words in commands(page, IN_BLOCKS))

    assert "Missing argument" in missing and fine == "" and "No such option: --goal" in unknown
    assert mistake(["build"], ["MissingParameter"]) == ""
    assert "No such command" in mistake(["biuld", "models/maskrcnn"])
    assert sum(len(commands(shown, IN_BLOCKS)) for shown in ALL_PAGES) > 20


FOREIGN = {
    "ATC": ("--framework", "--log", "--mode"),
    "ais_bench": ("--input", "--batchsize", "--loop"),
    "mmdet's pytorch2onnx.py": ("--shape",),
    "mmdet_postprocess.py": ("--ifShowDetObj",),
    "mmdeploy's deploy.py": (
        "--work-dir", "--dump-info", "--test-img", "--show", "--calib-dataset-cfg", "--quant", "--quant-image-dir",
        "--uri",
    ),
    "mmdeploy's test.py": (
        "--metrics", "--out", "--format-only", "--show-dir", "--speed-test", "--warmup", "--log2file",
    ),
    "mmdeploy's profiler.py": ("--batch-size",),
    "pip": ("--editable",),
    "ray start": ("--head",),
    "torchrun and slurm": ("--no-python", "--nproc-per-node", "--ntasks"),
}  # fmt: skip
"""Options of other programs; those with an underscore are theirs, too."""


def test_every_option_that_is_written_exists() -> None:
    own = {option for command in every_command(idle()) for option in options_of(command)}
    benches = "".join(path.read_text() for path in (REPOSITORY / "bench").glob("*.py"))
    own |= set(re.findall(r'"(--[a-z-]+)"', benches)) | {"--help"}

    written = {
        (page.name, option)
        for page in ALL_PAGES
        if page.name != "ascend-facts.md"  # which is about other programs
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*\w\b(?!-)", page.read_text())
    }

    theirs = {option for options in FOREIGN.values() for option in options}
    assert "--target" in own and len(written) > 40
    assert [pair for pair in sorted(written) if pair[1] not in own | theirs and "_" not in pair[1]] == []


def every_command(command: Any) -> list[Any]:
    inner = getattr(command, "commands", {}).values()
    return [command, *(each for other in inner for each in every_command(other))]


def options_of(command: Any) -> list[str]:
    return [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]


def test_every_module_to_run_is_there() -> None:
    named = {
        name
        for page in ALL_PAGES
        for name in re.findall(r"python3? -m ((?:bench|tests)[\w.]*)", page.read_text())
    }

    assert len(named) > 5
    places = {name: REPOSITORY / name.replace(".", "/") for name in named}
    assert [
        name
        for name, place in places.items()
        if not (place.with_suffix(".py").is_file() or (place / "__main__.py").is_file())
    ] == []


def rooms_listed(root: str) -> set[str]:
    """What docs/architecture.md lists one step below a line ``root/``: names of rooms as the tree has them."""
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    lines = text.partition("\n## Rooms\n\n")[2].partition("\n\n")[0].splitlines()
    start = next(place for place, line in enumerate(lines) if line.split()[0] == f"{root}/")
    depth = len(lines[start]) - len(lines[start].lstrip())
    names: set[str] = set()
    for line in lines[start + 1 :]:
        inner = len(line) - len(line.lstrip())
        if inner <= depth:
            break
        for word in line.split() if inner == depth + 2 else ():
            if not word.endswith(("/", ".py")):
                break
            names.add(word)
    return names


@pytest.mark.parametrize("name", ["convertkit", "convertkit_ascend"])
def test_the_rooms_in_architecture_are_those_of_the_tree(name: str) -> None:
    root = PACKAGES[name]

    there = {f"{room}/" if (root / room).is_dir() else f"{room}.py" for room in house(name).rooms}

    assert rooms_listed(str(root.relative_to(REPOSITORY))) == there


def test_the_changelog_has_the_current_version() -> None:
    version = re.search(r'^version = "(.+)"', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"## {version.group(1)} " in (REPOSITORY / "CHANGELOG.md").read_text()
