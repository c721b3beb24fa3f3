"""A lint report as SARIF 2.1.0, the exchange format of static analysis (OASIS, sarif-v2.1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from convertkit.api.commands.lint import Linted
from convertkit.targets.lint import LintFinding, LintRule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(reports: Iterable[Linted], rules: Sequence[LintRule]) -> dict[str, Any]:
    """The SARIF log of reports, a run for each file; findings of allowed rules are in it as suppressed.

    Nodes have no lines: a result's place is the file and the node as logical location.
    """
    runs = [_run(report, rules, Path(report.file)) for report in reports]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}


def _run(report: Linted, rules: Sequence[LintRule], file: Path) -> dict[str, Any]:
    places = {rule.id: place for place, rule in enumerate(rules)}
    return {
        "tool": {
            "driver": {
                "name": "convertkit lint",
                "version": version("convertkit-compiler"),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": line}} for line in report.basis
                ],
            }
        ],
        "artifacts": [{"location": {"uri": _uri(file)}}],
        "results": list(_results(report, places, file)),
    }


def _rule(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"source": rule.source},
    }


def _results(report: Linted, places: dict[str, int], file: Path) -> Iterator[dict[str, Any]]:
    for item in report.findings:
        yield _result(item, places, file)
    for item in report.allowed:
        yield {**_result(item, places, file), "suppressions": [{"kind": "external"}]}


def _result(item: LintFinding, places: dict[str, int], file: Path) -> dict[str, Any]:
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(file), "index": 0}}}
    if item.node:
        place["logicalLocations"] = [
            {"name": item.node, "kind": "object", "fullyQualifiedName": f"{item.op or 'tensor'} {item.node}"}
        ]
    found = {
        "ruleId": item.rule,
        "level": item.severity,
        "message": {"text": f"{item.why}; {item.fix}"},
        "locations": [place],
    }
    return {**found, "ruleIndex": places[item.rule]} if item.rule in places else found


def _uri(file: Path) -> str:
    """A relative path as a relative reference, an absolute one as ``file:``."""
    return file.as_uri() if file.is_absolute() else quote(file.as_posix())
