"""Ranges of integers, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

LOWEST, HIGHEST = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class Interval:
    """All values of a tensor lie between ``low`` and ``high``.

    Attributes:
        known: the bounds follow from what the graph states (shapes, constants). Otherwise they are at best an
            assumption, that of values within int32, and only a range entirely outside int32 counts.
    """

    low: int
    high: int
    known: bool = True

    @property
    def fits(self) -> bool:
        """Whether int32 holds the values, as far as the graph states them."""
        if self.known:
            return self.low >= LOWEST and self.high <= HIGHEST
        return self.low <= HIGHEST and self.high >= LOWEST

    def settled(self) -> Interval:
        """The same for use in further arithmetic: assumptions do not grow beyond int32."""
        if self.known or not self.fits:
            return self
        return replace(self, low=max(self.low, LOWEST), high=min(self.high, HIGHEST))

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


ASSUMED = Interval(LOWEST, HIGHEST, known=False)
"""Nothing is stated about the values; an index or a size of a network fits."""


def union(parts: Iterable[Interval]) -> Interval:
    """The smallest interval around all parts."""
    parts = list(parts)
    if not parts:
        return ASSUMED
    known = all(part.known for part in parts)
    return Interval(min(part.low for part in parts), max(part.high for part in parts), known)


def add(left: Interval, right: Interval) -> Interval:
    """The range of a sum."""
    return Interval(left.low + right.low, left.high + right.high, left.known and right.known)


def negate(value: Interval) -> Interval:
    """The range of the negative."""
    return Interval(-value.high, -value.low, value.known)


def multiply(left: Interval, right: Interval) -> Interval:
    """The range of a product."""
    corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    return Interval(min(corners), max(corners), left.known and right.known)


def divide(left: Interval, right: Interval) -> Interval:
    """The range of a quotient: never further from zero than the dividend."""
    if right.low > 0:
        corners = [_truncate(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
        return Interval(min(corners), max(corners), left.known and right.known)
    reach = max(abs(left.low), abs(left.high))
    return Interval(-reach, reach, left.known)


def modulo(left: Interval, right: Interval) -> Interval:
    """The range of a remainder, whichever sign it takes."""
    reach = max(abs(right.low), abs(right.high))
    low = 0 if left.low >= 0 and right.low >= 0 else -reach
    return Interval(low, reach, right.known)


def times(value: Interval, count: int | None) -> Interval:
    """The range of partial sums of up to ``count`` terms; None = unknown."""
    if count is None:
        return replace(ASSUMED, low=min(value.low, LOWEST), high=max(value.high, HIGHEST))
    return Interval(min(value.low, value.low * count), max(value.high, value.high * count), value.known)


def _truncate(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient
