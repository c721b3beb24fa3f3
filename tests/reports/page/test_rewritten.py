"""The rewritten part of a graph in layers, along the data flow."""

from __future__ import annotations

from convertkit.graph.difference.drawing import Drawing
from convertkit.reports.page.blocks import Table, Wiring, Words
from convertkit.reports.page.rewritten import DRAWN, rewritten, wiring
from tests.graphtext import parse

BEFORE = parse("""(float[2] x) => (float[2] y) <float[1] one = {1}>
{ a = Add(x, one)
  b = Neg(a)
  c = Mul(a, b)
  y = Relu(c) }""")
AFTER = parse("(float[2] x) => (float[2] y) { c = Sin(x)\n y = Relu(c) }")


def chain(length: int) -> str:
    nodes = "\n".join(f"t{index + 1} = Neg(t{index})" for index in range(length))
    return f"(float[2] t0) => (float[2] y) {{ {nodes}\n y = Relu(t{length}) }}"


def test_a_region_is_drawn_with_what_it_reads_and_gives():
    graph = Drawing(BEFORE)
    found = wiring(graph, graph.vertices[:3], "bad", "", "")
    assert [(spot.label, spot.tone, spot.layer) for spot in found.spots] == [
        ("Add", "bad", 1),
        ("Neg", "bad", 2),
        ("Mul", "bad", 3),
        ("x", "", 0),
        ("Relu", "", 4),
    ]
    assert set(found.edges) == {(3, 0), (0, 1), (0, 2), (1, 2), (2, 4)}


def test_places_within_a_layer_are_apart():
    graph = Drawing(parse("(float[2] x) => (float[2] y) { a = Neg(x)\n b = Sin(x)\n y = Add(a, b) }"))
    found = wiring(graph, graph.vertices, "good", "", "")
    assert len({(spot.layer, spot.place) for spot in found.spots}) == len(found.spots)


def test_before_and_after_a_pass():
    what, places, before, after = rewritten(BEFORE, AFTER)
    assert isinstance(what, Words) and what.text.startswith("1 nodes the same, 0 changed, 3 removed, 1 added")
    assert isinstance(places, Table) and places.rows == (("1", "1 Add, 1 Neg, 1 Mul", "1 Sin", "c"),)
    assert isinstance(before, Wiring) and before.said == "Before: 3 nodes removed: 1 Add, 1 Neg, 1 Mul"
    assert isinstance(after, Wiring) and after.said == "After: 1 nodes added: 1 Sin"


def test_a_large_region_is_counted_and_not_drawn():
    fits, does_not = (rewritten(parse(chain(length)), AFTER) for length in (DRAWN, DRAWN + 1))
    assert isinstance(fits[-2], Wiring)
    assert does_not[-2] == Words(f"Before: {DRAWN + 1} Neg. {DRAWN + 1} nodes are too many to be drawn.")
