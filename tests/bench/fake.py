"""Benchmarks that take no time, for the tests of bench.all."""

from __future__ import annotations

from collections.abc import Iterator

from bench.record import Plan, Record


def pairs(plan: Plan) -> Iterator[Record]:
    """One row that meets its goal, one that misses it, and one without a figure."""
    yield Record.of_pairs("fast", "slow", [(1.0, 4.0), (2.0, 4.0), (1.0, 1.0)][: plan.rounds(3)])
    yield Record(
        "rate", unit="photos/s", ours=50.0, goal=100.0, of="ours", at_least=True, runs=1, why="A reason."
    )
    yield Record("other", "nowhere", why="not installed: pip install nowhere")


def broken(plan: Plan) -> Iterator[Record]:
    """A row, and then an error."""
    yield Record.of_pairs("before", "peer", [(1.0, 2.0)])
    raise RuntimeError("the peer finds another AP")


def without(plan: Plan) -> Iterator[Record]:
    """A peer that is imported, and is not there."""
    import nowhere  # type: ignore[import-not-found]  # noqa: F401

    yield Record("never")
