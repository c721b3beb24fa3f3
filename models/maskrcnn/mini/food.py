"""Likenesses of COCO's food: banana, orange, pizza, donut."""

from __future__ import annotations

import numpy as np

from .pen import Colour, Pen, Points, disc, oval, points, turned, vary, vivid

_GREEN: Colour = (60, 140, 70)


def banana(side: int, rng: np.random.Generator) -> Pen:
    """Draw one to three yellow crescents that share a stem, with brown tips and spots."""
    ripe = vary(rng, (60, 205, 235), 25)
    pen = Pen(side, ripe)
    for order in range(int(rng.choice([1, 1, 2, 3]))):
        _crescent(pen, rng, vary(rng, ripe, 12), -14.0 * order)
    pen.grain(rng, 0.12, (3, 9))
    pen.light(rng, 0.2)
    return pen


def _crescent(pen: Pen, rng: np.random.Generator, colour: Colour, degrees: float) -> None:
    """Draw one banana turned about the stem."""
    outer = oval(0, -0.55, 0.9, 1.2, 12, 168)
    inner = oval(0, -0.62, 0.86, rng.uniform(0.6, 0.75), 168, 12)
    outline = _bent(np.concatenate([outer, inner]), degrees)
    dark = tuple(0.72 * channel for channel in colour)
    pen.fill(outline, colour, body=True)
    ridge = _bent(oval(0, -0.58, 0.87, 0.98, 20, 160), degrees)
    pen.stroke(ridge, (dark[0], dark[1], dark[2]), 0.05)
    for x in (-0.88, 0.88):
        tip = _bent(points((x * 0.97, -0.28), (x, -0.36), (x * 1.01, -0.46)), degrees)
        pen.stroke(tip, vary(rng, (40, 70, 80)), 0.13, body=True)
    for _ in range(int(rng.integers(0, 7))):
        angle = rng.uniform(30, 150)
        spot = _bent(oval(0, -0.57, 0.88, rng.uniform(0.85, 1.1), angle, angle + 6), degrees)
        pen.stroke(spot, vary(rng, (40, 80, 110)), 0.05)


def _bent(outline: Points, degrees: float) -> Points:
    """Turn a part of a banana about the stem, shrunk so that a bunch stays inside the sprite."""
    return turned(outline * 0.86 + np.array([0, 0.12]), degrees)


def orange(side: int, rng: np.random.Generator) -> Pen:
    """Draw a whole orange with dimples and a stem, or the cut face of a half."""
    peel = vary(rng, (25, 130, 240), 22)
    pen = Pen(side, peel)
    pen.fill(oval(0, 0, 0.94, rng.uniform(0.86, 0.94)), peel, body=True)
    if rng.random() < 0.3:
        _segments(pen, rng)
        pen.light(rng, 0.15)
        return pen
    pen.grain(rng, 0.09, (max(6, side // 5), max(9, side // 3)))
    pen.ball(rng.uniform(-0.4, 0.4), rng.uniform(-0.5, 0), 0.4)
    x, y = rng.uniform(-0.35, 0.35), rng.uniform(-0.6, -0.2)
    pen.fill(disc(x, y, 0.08), vary(rng, _GREEN))
    if rng.random() < 0.5:
        leaf = turned(oval(0.25, 0, 0.27, 0.12), rng.uniform(0, 360), x, y)
        pen.fill(leaf, vary(rng, _GREEN, 35), body=True)
    return pen


def _segments(pen: Pen, rng: np.random.Generator) -> None:
    """Draw the pith and the segments of a cut orange."""
    pen.fill(disc(0, 0, 0.84), vary(rng, (170, 220, 245), 12))
    count, phase = int(rng.integers(8, 12)), rng.uniform(0, 60)
    for order in range(count):
        wedge = oval(0, 0, 0.76, 0.76, 4, 360 / count - 4)
        wedge = np.concatenate([points((0.12, 0.04)), wedge])
        pen.fill(turned(wedge, phase + order * 360 / count), vary(rng, (50, 160, 250), 14))


def pizza(side: int, rng: np.random.Generator) -> Pen:
    """Draw a round pizza, whole or with slices missing, or a single slice."""
    crust = vary(rng, (80, 145, 200), 25)
    pen = Pen(side, crust)
    kind = rng.random()
    if kind < 0.25:
        start, end, shift = 60.0, 120.0, -0.9
    elif kind < 0.5:
        start, end, shift = rng.uniform(10, 30), rng.uniform(270, 340), 0.0
    else:
        start, end, shift = 0.0, 360.0, 0.0
    scale = 1.8 if shift else 0.95
    for radius, colour, body in (
        (1.0, crust, True),
        (0.88, (45, 60, 190), False),
        (0.84, (105, 200, 240), False),
    ):
        arc = oval(0, shift, scale * radius, scale * radius, start, end)
        pen.fill(np.concatenate([arc, points((0, shift))]), vary(rng, colour, 15), body=body)
    _toppings(pen, rng, (start, end), shift, scale)
    pen.grain(rng, 0.13, (4, 12, 24))
    pen.light(rng, 0.18)
    return pen


def _toppings(
    pen: Pen, rng: np.random.Generator, sector: tuple[float, float], shift: float, scale: float
) -> None:
    """Scatter salami, peppers and olives over the sector."""
    for _ in range(int(rng.integers(7, 15))):
        angle, reach = (
            np.radians(rng.uniform(sector[0] + 8, sector[1] - 8)),
            scale * 0.74 * np.sqrt(rng.random()),
        )
        x, y = float(np.cos(angle) * reach), float(np.sin(angle) * reach + shift)
        kind = rng.random()
        if kind < 0.6:
            pen.fill(disc(x, y, 0.12), vary(rng, (50, 55, 175)))
            pen.fill(disc(x, y, 0.09), vary(rng, (65, 75, 205)))
        elif kind < 0.8:
            pen.stroke(oval(x, y, 0.1, 0.1, 0, 200), vary(rng, (50, 150, 60)), 0.05)
        else:
            pen.stroke(disc(x, y, 0.06), vary(rng, (40, 40, 40)), 0.05)


def donut(side: int, rng: np.random.Generator) -> Pen:
    """Draw a ring of dough with wavy icing and sprinkles, seen from above."""
    dough = vary(rng, (95, 160, 215), 20)
    pen = Pen(side, dough)
    hole = rng.uniform(0.22, 0.34)
    pen.fill(disc(0, 0, 0.94), dough, body=True)
    icings: tuple[Colour, ...] = (
        (190, 150, 245),
        (40, 60, 95),
        (240, 240, 245),
        (140, 215, 250),
        (200, 210, 150),
    )
    icing = vary(rng, icings[int(rng.integers(len(icings)))], 18)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    waves = 0.8 + 0.05 * np.sin(angles * int(rng.integers(5, 9)) + rng.uniform(0, 6))
    pen.fill(np.stack([waves * np.cos(angles), waves * np.sin(angles)], 1), icing)
    _sprinkles(pen, rng, hole)
    pen.stroke(disc(0, 0, hole + 0.05), dough, 0.1)
    pen.grain(rng, 0.07, (4, 14))
    pen.light(rng, 0.22)
    pen.hole(disc(0, 0, hole))
    return pen


def _sprinkles(pen: Pen, rng: np.random.Generator, hole: float) -> None:
    """Scatter short coloured strokes between the hole and the rim of the icing."""
    for _ in range(int(rng.integers(0, 45))):
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(hole + 0.12, 0.72)
        x, y = float(np.cos(angle) * reach), float(np.sin(angle) * reach)
        pen.stroke(turned(points((-0.05, 0), (0.05, 0)), rng.uniform(0, 180), x, y), vivid(rng), 0.04)
