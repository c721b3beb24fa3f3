"""The commands that pages show on lines of their own, and why some of them are not run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_PROGRAMS = "convertkit|make|pip|python3?|sh"
_INDENTED = re.compile(rf"^ {{4,}}(?:\$ )?((?:{_PROGRAMS}) .+)$", re.MULTILINE)
_FENCED = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)

NOT_RUN = {
    r"^make (demo|test|wheel)$": "the verbs of a clone; CI runs `make test`, tests/test_packaging.py builds the wheel",
    r"^pip install ": "tests/test_packaging.py installs the wheel in environments of its own",
    r"^python -m bench\.": "a measurement of minutes to hours; tests/test_docs.py holds that the module is there",
    r"^make exports-full ": "6 GB of exporters and files",
    r" env build ": "a quarter of an hour of compiling; `make env`, and the tests marked `export`",
    r"^convertkit fetch ": "170 MB from the network",
    r" --variant r50-fpn-1x| --env seed|^convertkit verify .* --runtime framework": "needs an export environment",
    r"val2017": "needs COCO's val2017, 1 GB; tests/cli/test_verify_datasets.py measures on small data sets",
    r" --variant mine\.yaml": "needs a checkpoint of one's own; python -m bench.finetune does it",
    r"of_ultralytics\.py ": "for a user's own environment: the exporter is AGPL-3.0",
    r"^python tools/deploy\.py ": "a command of mmdeploy",
    r"^python3 -m ais_bench |^convertkit postprocess .* out | --runtime offline ": "needs the files of a chip's tool; "
    "tests/ascend/runtimes runs it with a stand-in",
    r"^convertkit compile |--compiler (ssh|docker):| --runtime acl$": "needs CANN; tests/ascend/atc has a stand-in",
    r"^convertkit bench +models/maskrcnn --target ascend310p3( --batch [\d,]+)?$": "needs a chip, or an export "
    "environment for other batches",
    r"^convertkit tune ": "minutes for each point, and an export environment; "
    "tests/cli/test_tune.py runs it on a small model",
    r"s3://": "needs a store of objects; tests/cli/test_verify_urls.py",
    r"--shard |--workers |^convertkit merge ": "needs many photos; "
    "tests/verification/test_shards.py, and in tests/cli test_merge.py, test_verify_workers.py and test_verify_ray.py, "
    "run it on few",
    r" new (pass|target) |drop_dropout|keep-relu|my_chip|opencv\.py": "tests/walkthroughs and "
    "tests/cli/test_new_plugins.py run the page, and tests/test_docs.py the example",
    r"^python3 sample\.py ": "tests/ascend/bundle/test_sample.py runs it on both targets",
    r"^convertkit (dump .* PHOTO|compare results/)": "the table is the chip's; "
    "tests/ascend/test_msprobe.py runs it with a stand-in",
    r"\bPASSES\b": "a placeholder for passes; tests/passes runs cut-loops{part=rest}",
}
"""Regular expression of a command: why no test of the pages runs it."""


def commands(page: Path) -> list[str]:
    """Every command on a page, those joined by ``&&`` apart; comments are left out."""
    return commands_in(page.read_text(encoding="utf-8"))


def commands_in(text: str) -> list[str]:
    """The same of a part of a page."""
    lines = _INDENTED.findall(text)
    for block in _FENCED.findall(text):
        lines += [line.removeprefix("$ ") for line in block.splitlines() if line.strip()]
    return [shlex.join(shlex.split(part, comments=True)) for line in lines for part in line.split("&&")]


def reason(command: str) -> str:
    """Why a command is not run; empty for one that is."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), "")
