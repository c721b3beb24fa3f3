"""Which tensors hold coordinates, by data flow from the heads."""

from __future__ import annotations

import pytest

from convertkit.graph.shapes import inferred
from convertkit.precision.coordinates import coordinates
from tests.graphtext import parse

STANDARD = """
(float[1, 8, 16, 16] f, float[5, 4] b, float[5, 1] v, float[5, 1] q, int64[5] at) => (float[5, 8, 7, 7] y)
{
  both = Concat<axis = 1>(b, v)
  first = Slice(both, zero, four, one)
  moved = Clip(first)
  y = RoiAlign<output_height = 7, output_width = 7, spatial_scale = 0.25>(f, moved, at)
}
"""


def found(text: str) -> set[str]:
    model = parse(text)
    graph = inferred(model, strict=False).graph
    typed = (*graph.input, *graph.value_info, *graph.output)
    shapes = {
        value.name: tuple(dim.dim_value or -1 for dim in value.type.tensor_type.shape.dim) for value in typed
    }
    return set(coordinates(model.proto.graph, shapes))


def test_what_is_only_moved_on_its_way_into_a_head() -> None:
    text = STANDARD.replace(
        "\n{\n", "\n<int64[1] zero = {0}, int64[1] four = {4}, int64[1] one = {1}>\n{\n", 1
    )

    assert found(text) == {"moved", "first", "both", "b"}  # not the scores beside them


def test_arithmetic_ends_it() -> None:
    text = """
    (float[1, 5, 4] b, float[1, 1, 5] s, float[1, 1, 1] o) => (int64[N, 3] y)
    {
      shifted = Add(b, o)
      y = NonMaxSuppression(shifted, s)
    }
    """

    assert found(text) == {"shifted"}


@pytest.mark.parametrize(("parts", "wanted"), [(4, {"p0", "p1", "p2", "p3"}), (3, set())])
def test_four_columns_are_corners(parts: int, wanted: set[str]) -> None:
    names = [f"p{place}" for place in range(parts)]
    given = ", ".join(f"float[1, 5, 1] {name}" for name in names)
    text = f"""
    ({given}, float[1, 1, 5] s) => (int64[N, 3] y)
    {{
      boxes = Concat<axis = 2>({", ".join(names)})
      y = NonMaxSuppression(boxes, s)
    }}
    """

    assert found(text) - {"boxes"} == wanted
