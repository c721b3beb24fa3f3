"""What a rung's name means."""

from __future__ import annotations

import pytest

from convertkit.errors import UnknownNameError, UsageError
from convertkit.rungs.names import RungName, in_order, ladder_of, parse_rung

PASSES = ("simplify", "fuse", "simplify", "restore")
EMULATIONS = {"twin": "", "device-numerics": ""}
RUNTIMES = ("acl", "offline")


def parse(text):
    return parse_rung(text, PASSES, EMULATIONS, RUNTIMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("framework", RungName("framework", "framework")),
        ("stock", RungName("stock", "stock")),
        ("target", RungName("target", "target")),
        ("acl", RungName("acl", "target", runtime="acl")),
        ("after:fuse", RungName("after:fuse", "after", 2)),
        ("after:simplify", RungName("after:simplify", "after", 3)),  # the last of that name
        ("twin", RungName("twin", "final", 4, "twin")),
        ("twin:framework", RungName("twin:framework", "final", 4, "twin", "framework")),
        ("device-numerics:a+b", RungName("device-numerics:a+b", "final", 4, "device-numerics", "a+b")),
        ("stock@device-numerics", RungName("stock@device-numerics", "stock", 0, "device-numerics")),
        ("after:fuse@twin:x", RungName("after:fuse@twin:x", "after", 2, "twin", "x")),
    ],
)
def test_a_name_says_which_graph_runs_how(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stok", "stock"),
        ("ofline", "offline"),
        ("after:fusse", "fuse"),
        ("stock@twinn", "twin"),
        ("device-numeric", "device-numerics"),
    ],
)
def test_an_unknown_name_points_to_the_nearest(text, message):
    with pytest.raises(UnknownNameError, match=message):
        parse(text)


@pytest.mark.parametrize("text", ["framework@twin", "target@twin"])
def test_what_is_no_graph_on_the_host_has_no_emulation(text):
    with pytest.raises(UsageError, match="only stock and after:PASS"):
        parse(text)


def test_rungs_are_measured_from_the_framework_down_to_the_target():
    names = ["target", "device-numerics", "twin", "after:restore", "after:fuse", "stock", "framework"]

    ordered = [rung.text for rung in in_order(parse(name) for name in names)]

    assert ordered == [
        "framework",
        "stock",
        "after:fuse",
        "after:restore",
        "device-numerics",
        "twin",
        "target",
    ]


def test_a_whole_ladder_has_every_semantic_pass_and_what_came_before_them():
    passes = [
        ("simplify", "rounding"),
        ("fuse", "rounding"),
        ("restore", "semantic"),
        ("clip", "semantic"),
        ("legalize", "exact"),
    ]

    names = ladder_of(passes, EMULATIONS)

    assert names == ["stock", "after:fuse", "after:restore", "after:clip", "twin", "device-numerics"]


def test_a_ladder_without_semantic_passes_and_emulations_is_stock_and_target():
    assert ladder_of([("simplify", "rounding")], {}) == ["stock", "target"]
