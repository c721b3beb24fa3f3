"""Labels: inside the picture, apart from each other, in letters that stand out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.detection.drawing.labels import CUT, SMALLEST, Label, contrast, letters, placed
from convertkit.detection.drawing.paint import colour_of

SIDE = st.integers(24, 4000)
CORNER = st.integers(-5000, 5000)


@given(SIDE, SIDE, st.tuples(CORNER, CORNER, CORNER, CORNER))
def test_a_label_is_inside_the_picture_wherever_its_box_is(height, width, box):
    label = Label.fitting("person 0.98", (height, width))

    left, top, right, bottom = placed(label, box, (height, width), ())

    assert left >= 0 and top >= 0
    assert right <= width or label.text == "p" + CUT  # nothing shorter is left
    assert bottom <= max(height, label.height)


@pytest.mark.parametrize("label", range(200))
def test_letters_stand_out_on_the_colour_of_every_class(label):
    white = letters(colour_of(label)) == (255, 255, 255)

    assert contrast(colour_of(label), float(white)) >= 4.5  # WCAG 2.2, AA


def test_letters_grow_with_the_picture_and_do_not_shrink_beyond_reading():
    tiny, usual, large = (Label.fitting("dog 0.50", size) for size in [(200, 200), (480, 640), (4800, 6400)])

    assert (tiny.scale, usual.scale, large.scale) == (SMALLEST, 0.5, pytest.approx(5))
    assert tiny.stroke == usual.stroke == 1 < large.stroke


def test_a_text_wider_than_the_picture_is_cut():
    label = Label.fitting("a class of a very long name indeed 0.50", (300, 120))

    assert label.text.endswith(CUT)
    assert label.width <= 120


def test_a_label_keeps_off_those_that_are_there():
    label, box = Label.fitting("dog 0.50", (480, 640)), (100, 100, 300, 300)
    places = []
    for _ in range(4):
        places.append(placed(label, box, (480, 640), places))

    assert places[0][3] == 100  # just above its box
    covered = np.zeros((480, 640), int)
    for left, top, right, bottom in places:
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1
