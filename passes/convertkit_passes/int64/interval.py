"""Ranges of numbers: where every value of a tensor lies, rounding and wrapping included."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

LOWEST, HIGHEST = -(2**31), 2**31 - 1

Number = int | float
"""Integers are exact, however large; floats are bounds of float tensors, and infinite where there is none."""


@dataclass(frozen=True)
class Interval:
    """All values of a tensor lie between ``low`` and ``high``.

    Attributes:
        assumes: the graph inputs that have to fit into int32 for that.
    """

    low: Number
    high: Number
    assumes: frozenset[str] = frozenset()

    @property
    def fits(self) -> bool:
        """Whether int32 holds the values."""
        return self.low >= LOWEST and self.high <= HIGHEST

    @property
    def may_be_nan(self) -> bool:
        """Whether a NaN may be among the values: it may wherever an infinity may."""
        return not (self.low > -math.inf and self.high < math.inf)

    @property
    def is_bounded(self) -> bool:
        """Whether the bounds say more than that the values are of int64."""
        return self.low > -(2**63) or self.high < 2**63 - 1

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


ANY = Interval(-math.inf, math.inf)
"""Nothing is known."""

INT32 = Interval(LOWEST, HIGHEST)
SIZE = Interval(0, HIGHEST)
"""A dimension, or a number of elements: the one thing that is taken for granted of every tensor."""


def index(kind: np.dtype[Any] | None) -> Interval:
    """A position or a count in a float tensor: float32 cannot tell those above 2^24 apart, float16 holds 65504."""
    return Interval(0, 65504 if kind == np.float16 else 2**24)


def of_type(kind: np.dtype[Any] | None) -> Interval:
    """What a type can hold."""
    if kind is not None and kind.kind == "b":
        return Interval(0, 1)
    if kind is None or kind.kind not in "iu":
        return ANY
    return Interval(int(np.iinfo(kind).min), int(np.iinfo(kind).max))


def of_values(values: Any) -> Interval:
    """The values of a constant; a NaN among them tells nothing."""
    if not values.size:
        return Interval(0, 0)
    if values.dtype.kind in "iub":
        return Interval(int(values.min()), int(values.max()))
    low, high = float(values.min()), float(values.max())
    return Interval(low, high) if low <= high else ANY


def stored(value: Interval, kind: np.dtype[Any] | None) -> Interval:
    """The range once a type has stored the values: integers wrap, floats are rounded, by arithmetic perhaps twice."""
    if kind is None or kind.kind == "b":  # unknown; any fraction is true
        return replace(of_type(kind), assumes=value.assumes)
    if kind.kind != "f":
        own = of_type(kind)
        inside = own.low <= value.low and value.high <= own.high
        return value if inside else replace(own, assumes=value.assumes)
    with np.errstate(over="ignore"):
        low, high = kind.type(value.low), kind.type(value.high)
        return replace(
            value,
            low=float(np.nextafter(low, kind.type(-math.inf))) if low != value.low else float(low),
            high=float(np.nextafter(high, kind.type(math.inf))) if high != value.high else float(high),
        )


def assumed(parts: Iterable[Interval]) -> frozenset[str]:
    """What has to be assumed for any of the parts."""
    return frozenset(name for part in parts for name in part.assumes)


def union(parts: Iterable[Interval]) -> Interval:
    """The smallest interval around all parts; an extreme of any part is one of the whole."""
    parts = list(parts)
    if not parts:
        return ANY
    return Interval(min(part.low for part in parts), max(part.high for part in parts), assumed(parts))


def maximum(parts: Iterable[Interval]) -> Interval:
    """The range of the largest of several."""
    parts = list(parts)
    return Interval(max(part.low for part in parts), max(part.high for part in parts))


def minimum(parts: Iterable[Interval]) -> Interval:
    """The range of the smallest of several."""
    parts = list(parts)
    return Interval(min(part.low for part in parts), min(part.high for part in parts))


def add(left: Interval, right: Interval) -> Interval:
    """The range of a sum."""
    low, high = left.low + right.low, left.high + right.high
    return Interval(low, high) if low <= high else ANY  # not so where infinities of both signs make a NaN


def negate(value: Interval) -> Interval:
    """The range of the negative."""
    return Interval(-value.high, -value.low)


def absolute(value: Interval) -> Interval:
    """The range of the magnitude; that of the lowest int32 is no int32."""
    return maximum([value, negate(value), Interval(0, 0)]) if value.low < 0 else value


def multiply(left: Interval, right: Interval) -> Interval:
    """The range of a product."""
    corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    return ANY if any(math.isnan(corner) for corner in corners) else Interval(min(corners), max(corners))


def divide(left: Interval, right: Interval) -> Interval:
    """The range of an integer quotient: never further from zero than the dividend."""
    if right.low > 0:
        corners = [_truncate(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
        return Interval(min(corners), max(corners))
    reach = max(abs(left.low), abs(left.high))
    return Interval(-reach, reach)


def modulo(left: Interval, right: Interval) -> Interval:
    """The range of a remainder, whichever sign it takes; of floats by 0 it is a NaN."""
    whole = all(isinstance(bound, int) for bound in (left.low, left.high, right.low, right.high))
    if not whole and right.low <= 0 <= right.high:
        return ANY
    reach = max(abs(right.low), abs(right.high), 1) - whole
    if left.low >= 0 and right.low >= 0:
        return Interval(0, min(reach, left.high))
    return Interval(-reach, reach)


def times(value: Interval, count: int | None) -> Interval:
    """The range of sums of up to ``count`` terms, none included where the number is unknown (None)."""
    if count is None:
        value, count = union([value, Interval(0, 0)]), HIGHEST
    return union([value, multiply(value, Interval(count, count))])


def power(value: Interval, count: int | None) -> Interval:
    """The range of products of up to ``count`` factors."""
    reach = max(abs(value.low), abs(value.high), 1)
    if reach > 1 and (count is None or count > 64):
        return ANY
    most = reach ** (count or 1)
    return Interval(0 if value.low >= 0 else -most, most)


def _truncate(dividend: Number, divisor: Number) -> int:
    dividend, divisor = int(dividend), int(divisor)
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient
