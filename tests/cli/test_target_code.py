"""The code of a target fails, or lacks something: one line that names it, whatever it raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli

PLUGIN = '''
from convertkit.api.targets import Target, hookimpl

class Chip(Target):
    """A chip."""

{methods}

@hookimpl
def register_targets(register):
    register(Chip("chip"))
'''

RUNTIME = """
    def open(self, directory):
        return type("Runtime", (), {{"run": lambda self, inputs: {answer}}})()
"""


def plugin(methods: str) -> tuple[str, ...]:
    """The words with which a command goes to a target that has these methods."""
    Path("chip.py").write_text(PLUGIN.format(methods=methods))
    return ("--target", "chip", "--plugin", "chip.py", "--output", "made")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            "RuntimeError('no\\nlicense')",
            4,
            "target chip: compile: RuntimeError: no license (--debug shows where)",
        ),
        ("targets.TargetError('chipc: out of registers')", 4, "chipc: out of registers"),
        ("targets.UnavailableError('chipc is not here')", 3, "chipc is not here"),
    ],
)
def test_a_compiler_that_fails(cli: Cli, tiny: Path, error: str, code: int, line: str) -> None:
    words = plugin(
        "    def compile(self, model, directory, context):\n"
        "        from convertkit.api import targets\n"
        f"        raise {error}"
    )

    done = cli("build", tiny, *words)

    assert (done.code, done.err.splitlines()[-1]) == (code, f"error: {line}")
    assert not Path("made").exists()


def test_without_a_compile_the_graph_is_the_artifact(cli: Cli, tiny: Path) -> None:
    words = plugin("")

    built, timed = cli("build", tiny, *words), cli("bench", tiny, *words)

    assert built.code == 0, built.err
    assert sorted(path.name for path in Path("made").iterdir()) == ["manifest.json", "model.onnx"]
    assert (timed.code, timed.err.splitlines()[-1]) == (3, "error: target chip has no runtime")


def test_a_compile_finds_the_graph_as_a_file(cli: Cli, tiny: Path) -> None:
    words = plugin(
        "    def compile(self, model, directory, context):\n"
        "        (file,) = directory.iterdir()\n"
        "        (directory / 'copy.onnx').write_bytes(file.read_bytes())\n"
    )

    assert cli("build", tiny, *words).code == 0

    assert Path("made/copy.onnx").read_bytes() == Path("made/model.onnx").read_bytes()


@pytest.mark.parametrize("change", ["write_text('mine')", "unlink()", "rename(directory / 'mine.onnx')"])
def test_a_compile_that_changes_the_graph_is_refused(cli: Cli, tiny: Path, change: str) -> None:
    words = plugin(f"    def compile(self, model, directory, context): (directory / 'model.onnx').{change}")

    done = cli("build", tiny, *words)

    line = "error: target chip: compile changed model.onnx (write to another file)"
    assert (done.code, done.err.splitlines()[-1]) == (4, line)
    assert not Path("made").exists()


def test_a_compile_that_writes_a_sample_of_its_own_is_refused(cli: Cli, tiny: Path) -> None:
    words = plugin(
        "    def compile(self, model, directory, context): (directory / 'sample.py').write_text('mine')"
    )

    done = cli("build", tiny, *words)

    line = "error: target chip: compile wrote sample.py (a build has its own sample.*)"
    assert (done.code, done.err.splitlines()[-1]) == (4, line)


@pytest.mark.parametrize(
    ("methods", "line"),
    [
        ("    def open(self, directory): 1 / 0", "target chip: open: ZeroDivisionError: division by zero"),
        (RUNTIME.format(answer="1 / 0"), "target chip: run: ZeroDivisionError: division by zero"),
        (RUNTIME.format(answer="None"), "run of Runtime returned None (return arrays by name)"),
        (RUNTIME.format(answer="[inputs['image']]"), "run of Runtime returned [array("),
        (
            RUNTIME.format(answer="{'features': [1, 2]}"),
            "run of Runtime returned {'features': [1, 2]} (return",
        ),
    ],
)
def test_a_runtime_that_fails(cli: Cli, tiny: Path, methods: str, line: str) -> None:
    done = cli("bench", tiny, *plugin(methods))

    assert done.code == 4
    assert done.err.splitlines()[-1].startswith(f"error: {line}")


def test_the_hint_for_the_next_command_has_the_plugin(cli: Cli, tiny: Path) -> None:
    spec = (
        (tiny / "model.yaml")
        .read_text()
        .replace("stock: small.onnx", "stock: small.onnx, dataset: {generator: g}")
    )
    (tiny / "model.yaml").write_text(spec)

    done = cli("build", tiny, *plugin(""), "--from", "stock")

    words = f"{tiny} --variant small --target chip --from stock --output made --plugin chip.py"
    assert done.out.splitlines()[-1:] == [f"next: convertkit verify {words}"], done.err


@pytest.mark.slow
def test_what_was_built_with_other_passes_is_found_again(cli: Cli, tiny: Path) -> None:
    spec = (tiny / "model.yaml").read_text()
    spec = spec.replace("stock: small.onnx", "stock: small.onnx, dataset: {generator: g}")
    (tiny / "model.yaml").write_text(spec)
    given = ["--pipeline", "set-opset-window", "--input-shape", "image:1,3,8,8"]
    done = cli("build", tiny, *given)

    assert done.out.splitlines()[-1].endswith(
        "--target cpu --pipeline set-opset-window --input-shape image:1,3,8,8"
    )
    made = Path("build/tiny-small-cpu/manifest.json").read_bytes()
    cli("bench", tiny, *given, "--loops", 1, "--photos", 0)
    assert Path("build/tiny-small-cpu/manifest.json").read_bytes() == made
    cli("bench", tiny, "--loops", 1, "--photos", 0)
    assert Path("build/tiny-small-cpu/manifest.json").read_bytes() != made


def test_options_that_are_listed_may_be_given_and_others_not(cli: Cli, tiny: Path) -> None:
    words = plugin("    def option_types(self): return {'precision': 'f16 or f32'}")

    given, misspelt = (cli("build", tiny, *words, "-O", f"{name}=f16") for name in ("precision", "precison"))

    assert given.code == 0, given.err
    line = "unknown option of chip 'precison' (did you mean 'precision'? known: precision)"
    assert (misspelt.code, misspelt.err) == (2, f"error: {line}\n")
