"""A configuration that can never be taken is refused when the build is planned, before any environment is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("{base: /data/mine.py}", "config base '/data/mine.py' is not a relative path"),
        ("{base: ../mask_rcnn/x.py}", "config base '../mask_rcnn/x.py' is not a relative path"),
        ("{base: 'mask_rcnn\\x.py'}", "is not a relative path below the framework's own configs, with '/'"),
        ("{base: 'C:/configs/x.py'}", "is not a relative path"),
        ("{file: mine.py}", "mine.py: no such file"),
        ("{file: broken.py}", "broken.py: '{' was never closed"),
        ("{file: absent.json}", "absent.json: no such file"),
        ("{file: text.json}", "text.json: not valid JSON"),
        ("{file: list.json}", "list.json: not a configuration with 'base' and 'overrides'"),
        ("{file: odd.json}", "odd.json: not a configuration with 'base' and 'overrides'"),
        ("{file: up.json}", "up.json: config base '../x.py' is not a relative path"),
        ("{}", "variant v: config needs 'base' or 'file'"),
    ],
)
def test_a_hopeless_config_is_refused_in_one_line(cli: Cli, tiny: Path, config: str, line: str) -> None:
    here = Path.cwd()
    (here / "v.yaml").write_text(f"size: [8, 8]\nconfig: {config}\n")
    (here / "text.json").write_text("_base_ = '../x.py'")
    (here / "list.json").write_text("[1]")
    (here / "odd.json").write_text('{"base": "x.py", "overrides": [1]}')
    (here / "broken.py").write_text("model = {")
    (here / "up.json").write_text('{"base": "../x.py"}')

    done = cli("build", tiny, "--variant", "v.yaml", "--weights", "random:0")

    assert done.code == 2
    assert line in done.err
    assert done.err.count("\n") == 1


def test_a_json_of_another_form_is_told_how_it_is_written(cli: Cli, tiny: Path) -> None:
    Path("v.yaml").write_text("size: [8, 8]\nconfig: {file: mine.json}\n")
    Path("mine.json").write_text("{}")

    done = cli("build", tiny, "--variant", "v.yaml", "--dry-run")

    assert "overrides: {model: {roi_head: {bbox_head: {num_classes: 3}" in done.err
