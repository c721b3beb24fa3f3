"""The Pareto front of points, and which of them is taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from convertkit.scoring.intervals import Estimate
from convertkit.tuning.front import Point, Price, chosen, front_of


def point(number: int, speed: float, *losses: float, error: float = 0.001) -> Point:
    """With the AP that each task loses beside point 1, whose intervals are two errors to each side."""
    differences = {
        task: Estimate(-loss, error, -loss - 2 * error, -loss + 2 * error)
        for task, loss in zip(("bbox", "segm"), losses, strict=False)
    }
    return Point(number, {}, (), (), Price(speed, None, 2 * speed, {}), number, {}, differences)


def test_the_front_leaves_out_what_another_beats() -> None:
    points = [point(1, 10, 0.0), point(2, 20, 0.01), point(3, 15, 0.02), point(4, 30, 0.03)]

    assert [one.number for one in front_of(points)] == [4, 2, 1]


def test_of_equal_points_the_first_is_on_the_front() -> None:
    assert [one.number for one in front_of([point(1, 10, 0.0), point(2, 10, 0.0)])] == [1]


def test_the_task_that_loses_most_counts() -> None:
    assert point(2, 10, -0.01, 0.02).loss == 0.02


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(-5, 5)), min_size=1, max_size=12))
def test_no_point_beats_one_of_the_front_and_each_other_one_is_beaten(pairs: list[tuple[int, int]]) -> None:
    points = [point(number, speed, loss) for number, (speed, loss) in enumerate(pairs, 1)]

    front = front_of(points)

    def beats(one: Point, other: Point) -> bool:
        ahead = one.price.images_per_second >= other.price.images_per_second and one.loss <= other.loss
        return ahead and (one.price, one.loss) != (other.price, other.loss)

    assert not any(beats(one, other) for one in points for other in front)
    for other in points:
        assert other in front or any(
            beats(one, other) or (one.price, one.loss) == (other.price, other.loss) for one in front
        )


def test_the_whole_interval_has_to_be_within_the_drop() -> None:
    points = [point(1, 10, 0.0), point(2, 20, 0.01), point(3, 30, 0.012)]

    assert [chosen(points, allowed).number for allowed in (0.0141, 0.0139, 0.0119)] == [3, 2, 1]


def test_the_model_as_it_is_loses_nothing_beside_itself() -> None:
    assert chosen([point(1, 10, 0.0, error=0.1), point(2, 20, 0.0, error=0.1)], 0.0).number == 1
