from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import PluginError
from convertkit.plugins.loading import open_plugins

GOOD = '''
from convertkit.api.passes import GraphPass, hookimpl

class DropDropout(GraphPass):
    """Remove Dropout, which does nothing at inference time."""

    name = "drop-dropout"
    effect = "exact"

    def run(self, graph):
        for node in graph.find(op="Dropout"):
            graph.bypass(node)

@hookimpl
def register_passes(register):
    register(DropDropout)
'''


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_built_ins_come_in_through_entry_points() -> None:
    plugins = open_plugins()

    assert "cpu" in plugins.targets
    assert "simplify" in plugins.passes
    assert plugins.origins["cpu"].startswith("convertkit-compiler ")


def test_a_single_file_is_a_plugin(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", GOOD)

    plugins = open_plugins([file])

    assert plugins.passes.entry("drop-dropout").plugin == str(file)


def test_the_same_file_twice_is_loaded_once(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", GOOD)

    plugins = open_plugins([file, file])

    assert "drop-dropout" in plugins.passes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD.replace("register_passes", "register_pases"), "unknown hook 'register_pases' (did you mean"),
        (
            GOOD.replace('"drop-dropout"', '"simplify"'),
            "pass 'simplify' is registered twice: by builtin_passes and",
        ),
        (GOOD.replace('"drop-dropout"', '"Drop It"'), "name 'Drop It' is not kebab-case"),
        (GOOD.replace('"exact"', '"harmless"'), "effect 'harmless' is none of exact, rounding, semantic"),
        (
            GOOD.replace('"""Remove Dropout, which does nothing at inference time."""', ""),
            "it has no docstring",
        ),
        (GOOD.replace('effect = "exact"', 'effect = "exact"\n    size: int'), "option 'size' has no default"),
        (GOOD.replace("register(DropDropout)", "register(DropDropout())"), "register the class"),
        (
            GOOD.replace("register_passes(register)", "register_passes(rmgister)"),
            "register_passes(rmgister): the argument is called 'register'",
        ),
        (GOOD + "\n@hookimpl\ndef examine(me): return []", "examine has no arguments"),
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "cannot be loaded: SyntaxError"),
        ("raise SystemExit(0)", "cannot be loaded: SystemExit: 0"),
    ],
)
def test_a_bad_plugin_is_one_line_that_names_it(tmp_path: Path, text: str, line: str) -> None:
    file = write(tmp_path / "bad.py", text)

    with pytest.raises(PluginError) as caught:
        open_plugins([file])

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")

    for name in ("nowhere.py", "loop.py"):
        with pytest.raises(PluginError, match=f"{name}: no such file"):
            open_plugins([tmp_path / name])


def test_a_plugin_that_was_refused_is_in_nobodys_way(tmp_path: Path) -> None:
    plugins = open_plugins()
    bad = write(tmp_path / "bad.py", GOOD.replace("def register_passes", "def register_pases"))
    with pytest.raises(PluginError, match="register_pases"):
        plugins.load_file(bad)

    plugins.load_file(write(tmp_path / "good.py", GOOD))

    assert "drop-dropout" in plugins.passes
    assert str(bad) not in plugins.origins
