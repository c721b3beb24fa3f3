"""The tables of docs/without-a-chip.md, from the data that lie beside the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convertkit_ascend.linter.rules import catalogue

from tests.ascend.atc.situations import SITUATIONS, Situation
from tests.ascend.evidence import MEANINGS, Claim
from tests.ascend.page.never_seen import Unseen
from tests.ascend.page.rules import counts, kind_of
from tests.ascend.runtimes.statements import STATEMENTS
from tests.citations import linked

SHOWN_RULES = 4
"""Rules named beside a count."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(escape, line)) + " |" for line in lines)


def escape(cell: str) -> str:
    """What would end the cell, or be taken for a tag or for bold outside of code."""
    parts = cell.replace("|", r"\|").split("`")
    parts[::2] = [part.replace("<", r"\<").replace("__", r"\_\_") for part in parts[::2]]
    return "`".join(parts)


def link(name: str) -> str:
    """``path::test_a_thing_is_so`` as a link that reads *a thing is so*."""
    path, _, function = name.partition("::")
    return f"[{function.removeprefix('test_').replace('_', ' ')}](../{path})"


def links(names: Iterable[str]) -> str:
    return ", ".join(map(link, names))


def meanings() -> str:
    return table(("evidence", "what it means"), ((f"`{seen}`", says) for seen, says in MEANINGS.items()))


def claims(rows: Iterable[Claim]) -> str:
    return table(
        ("what is taken for granted", "facts", "evidence", "test"),
        ((row.says, linked(row.basis), row.seen, links(row.tests)) for row in rows),
    )


def statements() -> str:
    return table(
        ("what the stand-in does", "facts", "evidence", "beyond the facts", "test"),
        ((row.says, linked(row.section), row.seen, row.beyond, links(row.tests)) for row in STATEMENTS),
    )


def situations() -> str:
    """One table for each kind of evidence, best first."""
    parts = []
    for seen in MEANINGS:
        rows = [
            (f"`{item.name}`", _outcome(item), linked(item.basis)) for item in SITUATIONS if item.seen == seen
        ]
        if rows:
            parts.append(
                f"**{seen}** ({len(rows)})\n\n" + table(("situation", "what is said", "facts"), rows)
            )
    return "\n\n".join(parts)


def _outcome(situation: Situation) -> str:
    """What the one-line error holds; alternatives are patterns joined by ``|``."""
    if situation.ends == "model":
        return "a whole model counts"
    return ", ".join(said.replace("|", " or ") for said in situation.says)


def rules() -> str:
    rows = [(kind, str(len(ids)), _some(ids)) for kind, ids in counts()]
    return table(("what the rule rests on", "rules", "such as"), rows)


def every_rule() -> str:
    """What each rule of the linter rests on."""
    rows = [(f"`{item.id}`", item.summary, kind_of(item.source), linked(item.source)) for item in catalogue()]
    named = [(rule, says, found.partition("`: ")[0].strip("`"), source) for rule, says, found, source in rows]
    return table(("rule", "what must hold", "evidence", "where it was found"), named)


def _some(ids: list[str]) -> str:
    shown = ", ".join(f"`{rule}`" for rule in ids[:SHOWN_RULES])
    return f"{shown}, ..." if len(ids) > SHOWN_RULES else shown


def unseen(items: Iterable[Unseen]) -> str:
    """A list to tick off."""
    return "\n".join(f"- [ ] {item.what}:\n  `{item.command}`\n  ({item.look})" for item in items)
