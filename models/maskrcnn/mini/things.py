"""Likenesses of COCO's things: stop sign, traffic light, umbrella, sports ball, kite, clock."""

from __future__ import annotations

import numpy as np

from .pen import Colour, Pen, Points, disc, oval, points, turned, vary, vivid

_WHITE: Colour = (240, 240, 240)
_BLACK: Colour = (35, 35, 35)

#: S, T, O, P as lines, x y with 0..1 to the right and 0..1 downwards. (cv2.putText differs between OpenCV 4 and 5.)
_LETTERS = (
    points(
        (1, 0.1),
        (0.7, 0),
        (0.2, 0),
        (0, 0.2),
        (0.1, 0.45),
        (0.9, 0.55),
        (1, 0.8),
        (0.8, 1),
        (0.3, 1),
        (0, 0.9),
    ),
    points((0, 0), (1, 0), (0.5, 0), (0.5, 1)),
    points((0.3, 0), (0.7, 0), (1, 0.3), (1, 0.7), (0.7, 1), (0.3, 1), (0, 0.7), (0, 0.3), (0.3, 0)),
    points((0, 1), (0, 0), (0.75, 0), (1, 0.15), (1, 0.4), (0.75, 0.55), (0, 0.55)),
)


def stop_sign(side: int, rng: np.random.Generator) -> Pen:
    """Draw a red octagon with a white rim and the word STOP."""
    red = vary(rng, (35, 30, 185), 25)
    white = vary(rng, _WHITE, 14)
    pen = Pen(side, white)
    octagon = oval(0, 0, 1, 1, 22.5, 382.5)[:-1:6]
    pen.fill(octagon * 0.98, white, body=True)
    pen.fill(octagon * rng.uniform(0.86, 0.9), red)
    for order, letter in enumerate(_LETTERS):
        placed = letter * np.array([0.27, 0.5]) + np.array([-0.7 + 0.377 * order, -0.25])
        pen.stroke(placed, white, 0.1)
    pen.grain(rng, 0.1, (3, 8))
    pen.light(rng, 0.15)
    return pen


def traffic_light(side: int, rng: np.random.Generator) -> Pen:
    """Draw an upright housing with three lamps, one of them lit."""
    housing = vary(rng, [(45, 45, 45), (50, 75, 60), (40, 170, 215)][int(rng.integers(3))], 12)
    pen = Pen(side, housing)
    pen.fill(points((-0.36, -0.92), (0.36, -0.92), (0.4, -0.86), (0.4, 0.86), (0.36, 0.92), (-0.36, 0.92),
                    (-0.4, 0.86), (-0.4, -0.86)), housing, body=True)  # fmt: skip
    pen.grain(rng, 0.1, (4, 12))
    lamps: tuple[Colour, ...] = ((40, 40, 235), (40, 190, 250), (110, 225, 70))
    lit = int(rng.integers(3))
    for order, lamp in enumerate(lamps):
        y = -0.58 + 0.58 * order
        pen.fill(disc(0, y - 0.02, 0.28), (20, 20, 20))
        dim = tuple(0.28 * channel + 12 for channel in lamp)
        pen.fill(disc(0, y + 0.02, 0.24), vary(rng, lamp if order == lit else (dim[0], dim[1], dim[2]), 14))
        if order == lit:
            pen.fill(disc(0, y + 0.02, 0.12), tuple(0.5 * channel + 127 for channel in lamp))  # type: ignore[arg-type]
    pen.light(rng, 0.12)
    return pen


def umbrella(side: int, rng: np.random.Generator) -> Pen:
    """Draw an open umbrella from the side: scalloped canopy of panels, shaft and hooked handle."""
    first = vivid(rng)
    second = first if rng.random() < 0.4 else vary(rng, [_WHITE, _BLACK, vivid(rng)][int(rng.integers(3))])
    pen = Pen(side, first)
    wood = vary(rng, (45, 75, 110), 25)
    hook = np.concatenate([points((0, -0.9), (0, 0.72)), oval(0.13, 0.75, 0.13, 0.15, 180, 0)])
    pen.stroke(hook, wood, 0.07, body=True)
    ribs = np.array([-0.96, -0.56, -0.18, 0.18, 0.56, 0.96])
    for order in range(5):
        pen.fill(
            _panel(float(ribs[order]), float(ribs[order + 1])), first if order % 2 else second, body=True
        )
    for rib in ribs[1:-1]:
        pen.stroke(_rib(float(rib)), (60, 60, 60), 0.015)
    pen.grain(rng, 0.12, (3, 8))
    pen.light(rng, 0.25)
    return pen


def _rib(foot: float) -> Points:
    """Draw the line of a rib from the tip (0, -0.85) to its foot on the rim: (25, 2) float64."""
    angles = np.linspace(0, np.pi / 2, 25)
    return np.stack([foot * np.sin(angles), 0.05 - 0.9 * np.cos(angles)], axis=1)


def _panel(left: float, right: float) -> Points:
    """Outline the cloth between two ribs, its lower edge curved upwards: (N, 2) float64."""
    scallop = oval((left + right) / 2, 0.05, (right - left) / 2, 0.1, 360, 180)
    return np.concatenate([_rib(left), scallop[::-1], _rib(right)[::-1]])


def sports_ball(side: int, rng: np.random.Generator) -> Pen:
    """Draw a football, a basketball or a tennis ball."""
    kind = int(rng.integers(3))
    base = vary(rng, ((235, 235, 235), (45, 105, 205), (70, 225, 205))[kind], 18)
    pen = Pen(side, base)
    pen.fill(disc(0, 0, 0.95), base, body=True)
    turn = rng.uniform(0, 360)
    (_football, _basketball, _tennis)[kind](pen, rng, turn)
    pen.grain(rng, 0.06, (side // 3 + 2,))
    pen.ball(rng.uniform(-0.45, 0.45), rng.uniform(-0.5, 0.1), rng.uniform(0.3, 0.5))
    return pen


def _football(pen: Pen, rng: np.random.Generator, turn: float) -> None:
    """Draw a central black pentagon, five at the rim and the seams between them."""
    black = vary(rng, _BLACK, 15)
    spokes = np.radians(np.arange(5) * 72.0)
    pentagon = np.stack([np.cos(spokes), np.sin(spokes)], 1)
    pen.fill(turned(pentagon * 0.34, turn), black)
    for order in range(5):
        angle = order * 72.0
        seam = points((0.34, 0), (0.62, 0), (0.76, 0.2), (0.62, 0), (0.76, -0.2))
        pen.stroke(turned(seam, turn + angle), black, 0.04)
        pen.fill(
            turned(points((0.76, 0.2), (0.76, -0.2), (0.93, -0.2), (0.95, 0), (0.93, 0.2)), turn + angle),
            black,
        )


def _basketball(pen: Pen, rng: np.random.Generator, turn: float) -> None:
    """Draw a cross and two bent seams."""
    black = vary(rng, _BLACK, 15)
    for line in (points((-0.95, 0), (0.95, 0)), points((0, -0.95), (0, 0.95))):
        pen.stroke(turned(line, turn), black, 0.05)
    for x, start in ((1.1, 125), (-1.1, -55)):
        pen.stroke(turned(oval(x, 0, 0.75, 0.8, start, start + 110), turn), black, 0.05)


def _tennis(pen: Pen, rng: np.random.Generator, turn: float) -> None:
    """Draw the two white bent seams."""
    for x, start in ((1.05, 110), (-1.05, -70)):
        pen.stroke(turned(oval(x, 0, 0.8, 0.9, start, start + 140), turn), vary(rng, _WHITE, 12), 0.08)


def kite(side: int, rng: np.random.Generator) -> Pen:
    """Draw a diamond of coloured quarters with crossed spars and a tail with bows."""
    colours = [vivid(rng) for _ in range(4)]
    pen = Pen(side, colours[0])
    width, waist = rng.uniform(0.5, 0.62), rng.uniform(-0.55, -0.4)
    tail = rng.uniform(0.1, 0.22) * np.sin(np.linspace(0, rng.uniform(5, 9), 30))
    string = np.stack([tail, np.linspace(0.35, 0.97, 30)], 1)
    pen.stroke(string, vary(rng, (90, 90, 90)), 0.03, body=True)
    for place in (12, 20, 28):
        bow = points((-0.1, -0.06), (0.1, 0.06), (0.1, -0.06), (-0.1, 0.06)) + string[place]
        pen.fill(bow, colours[place % 4], body=True)
    top, bottom, left, right = (0.0, -0.96), (0.0, 0.42), (-width, waist), (width, waist)
    same = rng.random() < 0.3
    for order, (a, b) in enumerate(((top, left), (top, right), (bottom, left), (bottom, right))):
        pen.fill(points(a, b, (0, waist)), colours[0 if same else order], body=True)
    for line in (points(top, bottom), points(left, right)):
        pen.stroke(line, (50, 60, 70), 0.03)
    pen.grain(rng, 0.08, (3, 7))
    pen.light(rng, 0.18)
    return pen


def clock(side: int, rng: np.random.Generator) -> Pen:
    """Draw a round or square face with hour marks and two or three hands."""
    rim = vary(
        rng, [_BLACK, (60, 90, 130), (160, 165, 170), (60, 120, 180), vivid(rng)][int(rng.integers(5))]
    )
    dark = rng.random() < 0.25
    face, ink = ((40, 40, 45), (225, 225, 225)) if dark else ((225, 238, 242), (30, 30, 30))
    pen = Pen(side, rim)
    square = points((-0.94, -0.94), (0.94, -0.94), (0.94, 0.94), (-0.94, 0.94))
    pen.fill(square if rng.random() < 0.25 else disc(0, 0, 0.95), rim, body=True)
    pen.fill(disc(0, 0, rng.uniform(0.76, 0.85)), vary(rng, face, 14))
    for hour in range(12):
        length = 0.2 if hour % 3 == 0 else 0.1
        pen.stroke(
            turned(points((0.72 - length, 0), (0.72, 0)), 30.0 * hour), ink, 0.07 if hour % 3 == 0 else 0.04
        )
    for length, width in ((0.4, 0.1), (0.62, 0.07)):
        pen.stroke(turned(points((-0.08, 0), (length, 0)), rng.uniform(0, 360)), ink, width)
    if rng.random() < 0.4:
        pen.stroke(turned(points((-0.15, 0), (0.66, 0)), rng.uniform(0, 360)), (40, 40, 210), 0.03)
    pen.fill(disc(0, 0, 0.07), ink)
    pen.grain(rng, 0.05, (3, 6))
    pen.light(rng, 0.18)
    return pen
