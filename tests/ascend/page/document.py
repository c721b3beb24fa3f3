"""The text of docs/without-a-chip.md, docs/lint-rules.md and docs/never-seen.md around their tables."""

from __future__ import annotations

from pathlib import Path

from tests.ascend.atc.claims import COMMAND_LINE, FILES, OUTPUT
from tests.ascend.doctor.claims import CLAIMS as DOCTOR
from tests.ascend.evidence import ROOT
from tests.ascend.numerics.claims import AIPP_UNIT, NMS_KERNEL, PEAKS, PRECISION, ROI_EXTRACTOR
from tests.ascend.page import tables
from tests.ascend.page.never_seen import WITH_A_CHIP, WITH_ATC

DOCS = ROOT / "docs"
PAGE, RULES_PAGE, UNSEEN_PAGE = (
    DOCS / name for name in ("without-a-chip.md", "lint-rules.md", "never-seen.md")
)

TEXT = """# Without a chip

convertkit's Ascend part was written and tested on machines with no Ascend chip and no CANN. **Nothing below has been
seen on hardware, or with a released ATC.** This page says what takes their place in the tests, on which statement each
test stands, and how good that statement is. `python -m tests.ascend.page` makes it from data beside the tests.

## What a stand-in is

A stand-in is a small program or module that answers as the vendor's is said to answer: it takes the same command line,
prints the same errors, leaves files of the same names, or offers the same calls. It compiles nothing for the chip and
computes nothing of the chip: the stand-in for `atc` puts the ONNX file itself where the program would be, and those for
`aclruntime` and `ais_bench` run it with onnxruntime.

| this proves | this cannot prove |
| --- | --- |
| convertkit does what the statements ask for | that the statements are true |
| a user gets one line, a whole file or none, and no orphan, in every case listed | that the list is complete |
| the numbers it predicts follow from the rules as read | that the chip follows the rules |

## Where the statements come from

[Ascend facts](ascend-facts.md) holds them one by one, in our own words and with their public sources:

* the open sources of ATC's front end and operator plugins (hicann `ge`, `metadef`, `runtime`, `ops-cv`, `ops-nn`,
  `ops-math`, August 2026). The parser and the plugins were also built and run on x86 with some 230 small models;
* text files of the CANN 8.1.RC1 toolkit in a public upload by a third party, taken as genuine: operator lists, kernels
  in Python, platform files, error codes;
* the public manual of ATC, pages on operators, the ModelZoo guide for Mask R-CNN, sources and READMEs of `ais_bench`
  and msit;
* reports of users in public issues and articles.

{meanings}

In the tables a test's name is a link to its file: *the guides table is read* is `test_the_guides_table_is_read`.

## The compiler

[stand_in_atc.py](../tests/ascend/atc/stand_in_atc.py) stands in for `atc`; `docker`, `ssh` and `scp` are stand-ins too
where a test compiles elsewhere.

### Its command line

{command_line}

### Its files

{files}

### What it prints

{output}

### How a compilation can go wrong

{count} situations, some of which only look wrong. In each, convertkit's one line must hold what the second column says,
one screen must show cause and fix, a reproducer is kept, and nothing is left half-written:
{failure}; or {success}. One of them: `pytest tests/ascend/atc -k opset-19`.

{situations}

## The chip's runtimes

Stand-ins for [aclruntime](../tests/ascend/runtimes/stand_in_aclruntime.py) and
[ais_bench](../tests/ascend/runtimes/stand_in_ais_bench.py). The fourth column is what the facts do not say: what the
source in brackets does (TOOLS is Ascend/tools, MSIT is Ascend/msit), or what the stand-in assumes on the strict side.

{statements}

## What the doctor reads

{doctor}

## The linter

Every rule and where it was read: [lint-rules.md](lint-rules.md).

## What the chip is taken to compute

The [device numerics](rewrites.md#device-numerics). Most tests compare with
[loops over single values](../tests/ascend/oracles.py) written from the same sources: they show that the fast code
computes what was read.

### RoiExtractor

{roi_extractor}

### BatchMultiClassNMS

{nms}

Not modelled: a fusion pass of newer releases remaps scores before the kernel rounds them
([nms-fusion](ascend-facts.md#nms-fusion)).

### fp16

{precision}

Not modelled: what ATC fuses is rounded less often, and vector operators may compute in fp16 inside. So the predicted
error is neither an upper nor a lower bound.

### AIPP

{aipp}

### Peaks of the roofline

{peaks}

What only a chip or ATC can show: [never-seen.md](never-seen.md).
"""

RULES = """# Rules of the linter

Made by `python -m tests.ascend.page`.

`convertkit list rules --target ascend310p3` lists the rules; with `convertkit lint FILE --target ascend310p3 --sarif`
each says as its `source` where it was read: `ascend-facts: nms-limits` is
[that statement](ascend-facts.md#nms-limits). In short:

{rules}

One by one:

{every_rule}

Every rule about the file is broken alone by a small graph and kept by its twin ({broken}, {kept}), limits of operators
are broken by a node each ({limits}), and the list is complete ({complete}).
"""

UNSEEN = """# Never seen on hardware

No chip and no CANN were ever within reach; [without-a-chip.md](without-a-chip.md) says what stood in for them.
This page is made by `python -m tests.ascend.page`.

If you have ATC or a chip, each line is worth a report, above all where it fails. BUNDLE is the directory that
`convertkit build MODEL --target ascend310p3` leaves.

With ATC, no chip needed:

{with_atc}

With a chip:

{with_a_chip}
"""

SITUATION = "tests/ascend/atc/test_situations.py"
LINT = "tests/ascend/linter"


def documents() -> dict[Path, str]:
    """Every page, whole."""
    return {PAGE: document(), RULES_PAGE: rules_document(), UNSEEN_PAGE: unseen_document()}


def rules_document() -> str:
    return RULES.format(
        rules=tables.rules(),
        every_rule=tables.every_rule(),
        broken=tables.link(f"{LINT}/test_cases.py::test_what_breaks_a_rule_is_named_alone"),
        kept=tables.link(f"{LINT}/test_cases.py::test_its_corrected_twin_is_clean"),
        limits=tables.link("tests/ascend/linter/test_limits.py::test_a_node_outside_a_limit_is_named"),
        complete=tables.link(f"{LINT}/test_catalogue.py::test_every_rule_that_is_reported_is_in_it"),
    )


def unseen_document() -> str:
    return UNSEEN.format(with_atc=tables.unseen(WITH_ATC), with_a_chip=tables.unseen(WITH_A_CHIP))


def document() -> str:
    """The whole page."""
    return TEXT.format(
        meanings=tables.meanings(),
        command_line=tables.claims(COMMAND_LINE),
        files=tables.claims(FILES),
        output=tables.claims(OUTPUT),
        count=len(tables.SITUATIONS),
        failure=tables.link(f"{SITUATION}::test_a_failure_is_explained_and_leaves_nothing_behind"),
        success=tables.link(f"{SITUATION}::test_a_whole_model_counts_whatever_was_printed"),
        situations=tables.situations(),
        statements=tables.statements(),
        doctor=tables.claims(DOCTOR),
        roi_extractor=tables.claims(ROI_EXTRACTOR),
        nms=tables.claims(NMS_KERNEL),
        precision=tables.claims(PRECISION),
        aipp=tables.claims(AIPP_UNIT),
        peaks=tables.claims(PEAKS),
    )
