"""Where a node came from: the last pass that made it, else a module of the framework's model."""

from __future__ import annotations

import doctest

from convertkit.conversion import origins as module
from convertkit.conversion.origins import created, origins
from tests.graphtext import parse

BEFORE = """
(float[2] x) => (float[2] y) {
    a = Relu(x)
    y = Neg(a)
}
"""


def named(*names: str):
    graph = parse(BEFORE).proto.graph
    for node, name in zip(graph.node, names, strict=True):
        node.name = name
    return graph


def test_what_was_not_there_before_is_the_passs() -> None:
    assert created(named("/a/Relu", "/b/Neg"), named("/a/Relu", "swapped")) == ("swapped",)


def test_the_last_pass_that_made_a_node_counts() -> None:
    found = origins(named("/head/head.0/Relu", "n"), [("fuse", ["n", "gone"]), ("tidy", ["n"])])

    assert found == {"/head/head.0/Relu": "module head.0", "n": "pass tidy"}


def test_nodes_without_a_name_have_no_origin() -> None:
    assert origins(named("", "/Neg_1"), []) == {"/Neg_1": "the stock graph"}


def test_the_scopes_of_torchs_exporter_are_read() -> None:
    assert doctest.testmod(module).failed == 0


def test_a_node_renamed_by_a_later_pass_stays_with_the_one_that_added_it():
    graph = named("fuse/Extractor", "cast/Cast")

    found = origins(graph, [("fuse", ["fuse/Head"]), ("cast", ["fuse/Extractor", "cast/Cast"])])

    assert found == {"fuse/Extractor": "pass fuse", "cast/Cast": "pass cast"}
