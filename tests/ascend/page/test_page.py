"""The committed page is what the data say, and what it names exists."""

from __future__ import annotations

import re
import shlex

import pytest
from convertkit_ascend.linter.rules import catalogue

from tests.ascend.atc import claims as atc
from tests.ascend.atc.situations import SITUATIONS
from tests.ascend.doctor import claims as doctor
from tests.ascend.evidence import MEANINGS, ROOT, Claim, is_test
from tests.ascend.numerics import claims as numerics
from tests.ascend.page.document import PAGE, RULES_PAGE, documents
from tests.ascend.page.never_seen import WITH_A_CHIP, WITH_ATC, Unseen
from tests.ascend.page.rules import counts, kind_of
from tests.ascend.page.tables import escape, table
from tests.ascend.runtimes.statements import STATEMENTS
from tests.conftest import MASKRCNN, Cli

CLAIMS: tuple[Claim, ...] = (
    *(*atc.COMMAND_LINE, *atc.FILES, *atc.OUTPUT),
    *doctor.CLAIMS,
    *(*numerics.ROI_EXTRACTOR, *numerics.NMS_KERNEL, *numerics.PRECISION),
    *(*numerics.AIPP_UNIT, *numerics.PEAKS),
)


def test_the_committed_pages_are_what_the_command_would_write() -> None:
    for page, text in documents().items():
        assert page.read_text(encoding="utf-8") == text, "make it anew: python -m tests.ascend.page"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says[:40])
def test_a_claim_names_its_source_and_tests_that_exist(claim: Claim) -> None:
    assert claim.says and claim.basis and claim.seen in MEANINGS
    assert claim.tests
    assert [name for name in claim.tests if not is_test(name)] == []


def test_every_rule_of_the_linter_names_its_evidence() -> None:
    page = RULES_PAGE.read_text(encoding="utf-8")

    kinds = {kind.partition("`: ")[0].strip("`") for kind, _ in counts()}
    assert kinds <= {*MEANINGS, "ONNX", "mixed"}
    for rule in catalogue():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{rule.id}` | ")]
        assert row.split(" | ")[-2] in kinds


def test_every_claim_and_situation_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")

    said = [escape(row.says) for row in (*CLAIMS, *STATEMENTS)]
    named = [f"| `{situation.name}` |" for situation in SITUATIONS]

    assert [words for words in (*said, *named) if words not in page] == []


def test_every_link_leads_somewhere_and_every_linked_test_exists() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in documents())
    links = re.findall(r"\[([^\]]+)\]\(\.\./([^)#]+)\)", text)
    tests = [(text, path) for text, path in links if "/test_" in path]

    assert len(tests) > 50
    assert [path for _, path in links if not (ROOT / path).is_file()] == []
    assert [pair for pair in tests if not is_test(f"{pair[1]}::test_{pair[0].replace(' ', '_')}")] == []


def test_every_rule_of_the_linter_is_counted_once() -> None:
    counted = [rule for _, ids in counts() for rule in ids]

    assert sorted(counted) == [rule.id for rule in catalogue()]
    with pytest.raises(ValueError, match="no known form: 'hearsay'"):
        kind_of("hearsay")


@pytest.mark.parametrize("item", (*WITH_ATC, *WITH_A_CHIP), ids=lambda item: item.what[:40])
def test_the_commands_to_tick_off_are_understood(item: Unseen, cli: Cli) -> None:
    calls = [part.partition("convertkit ")[2] for part in item.command.split("&&") if "convertkit " in part]
    assert calls

    for call in calls:
        words = [str(MASKRCNN) if word == "MODEL" else word for word in shlex.split(call)]
        done = cli(*words, "--help")
        assert done.code == 0, done.err


def test_what_markdown_would_take_for_its_own_is_escaped() -> None:
    assert table(("a", "b"), [("x|y", "<z>")]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        r"| x\|y | \<z> |",
    ]
    assert table(("a",), [("`<a>` __b__",)]).splitlines()[-1] == r"| `<a>` \_\_b\_\_ |"
