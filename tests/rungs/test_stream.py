"""The stream: order, bounded memory, one error that stops everything."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.errors import SpecError, UsageError
from convertkit.rungs.stream import STAGES, StreamError, stream


def through(images, **changes):
    """A stream of numbers; returns what reached the sink, in order, and the timing."""
    reached = []
    stages = {
        "read": lambda image: image + 1,
        "preprocess": lambda pixels: (pixels, "place"),
        "run": lambda inputs: 2 * inputs,
        "postprocess": lambda outputs, place: (outputs, place),
        "sink": lambda image, found: reached.append((image, *found)),
        "on_progress": None,
        **changes,
    }
    return reached, stream(images, **stages)


@pytest.mark.slow
@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(1, 5))
@settings(deadline=None)
def test_every_image_passes_every_stage_in_order(images, prefetch):
    reached, timing = through(images, prefetch=prefetch)

    assert reached == [(image, 2 * (image + 1), "place") for image in images]
    assert timing.images == len(images)


def test_the_graph_and_the_sink_run_in_the_callers_thread():
    threads = {}

    def note(name, result):
        threads.setdefault(name, set()).add(threading.current_thread())
        return result

    through(
        range(9),
        read=lambda image: note("read", image),
        run=lambda inputs: note("run", inputs),
        postprocess=lambda outputs, place: note("postprocess", (outputs, place)),
        sink=lambda image, found: note("sink", None),
    )

    here = {threading.current_thread()}
    assert threads["run"] == threads["sink"] == here
    assert not threads["read"] & here
    assert not threads["postprocess"] & here
    assert not threads["read"] & threads["postprocess"]


@pytest.mark.parametrize("prefetch", [1, 2, 4])
def test_never_more_images_are_taken_than_fit_between_the_stages(prefetch):
    taken, finished, most = [0], [0], [0]

    def images():
        for image in range(40):
            taken[0] += 1
            most[0] = max(most[0], taken[0] - finished[0])
            yield image

    def sink(image, found):
        finished[0] += 1

    through(images(), sink=sink, prefetch=prefetch)

    assert most[0] <= 2 * prefetch + 2


@pytest.mark.parametrize("stage", ["read", "preprocess", "run", "postprocess", "sink"])
def test_an_error_in_any_stage_stops_everything_and_names_the_image(stage):
    finished, before = [], threading.active_count()
    stages = {
        "read": lambda image: image,
        "preprocess": lambda pixels: (pixels, pixels),
        "run": lambda inputs: inputs,
        "postprocess": lambda outputs, place: outputs,
        "sink": lambda image, found: None,
    }
    sound = stages[stage]

    def broken(number, *rest):
        if number == 5:
            raise ZeroDivisionError("oh")
        return sound(number, *rest)

    with pytest.raises(StreamError, match=f"^5: {stage} failed: ZeroDivisionError: oh$") as caught:
        through(range(1000), on_progress=finished.append, **{**stages, stage: broken})

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert finished == list(range(1, len(finished) + 1))
    assert len(finished) <= 5
    assert threading.active_count() == before


def test_an_error_of_ours_keeps_its_kind_and_gains_the_image():
    def read(image):
        error = SpecError("3 channels are wanted", hint="annotate again")
        raise error if image == 3 else error.about("photos/4")

    with pytest.raises(SpecError) as unnamed:
        through([3], read=read)
    with pytest.raises(SpecError) as named:
        through([4], read=read)

    assert str(unnamed.value) == "3: 3 channels are wanted (annotate again)"
    assert str(named.value) == "photos/4: 3 channels are wanted (annotate again)"


def test_an_interrupt_leaves_no_thread_behind():
    before = threading.active_count()

    def run(inputs):
        if inputs == 4:
            raise KeyboardInterrupt
        return inputs

    with pytest.raises(KeyboardInterrupt):
        through(range(1000), run=run)

    assert threading.active_count() == before


def test_an_error_of_the_images_themselves_surfaces_as_it_is():
    def images():
        yield 1
        raise FileNotFoundError("the list ends")

    with pytest.raises(FileNotFoundError, match="the list ends"):
        through(images())


def test_progress_counts_finished_images():
    seen = []

    through(range(4), on_progress=seen.append)

    assert seen == [1, 2, 3, 4]


def test_the_timing_knows_every_stage():
    _, timing = through(range(5))

    assert tuple(timing.busy) == STAGES
    assert all(seconds >= 0 for seconds in timing.busy.values())
    assert timing.images_per_second == timing.images / timing.seconds
    _, nothing = through([])
    assert nothing.images == 0


def test_no_room_at_all_is_refused():
    with pytest.raises(UsageError, match="prefetch=0"):
        through([1], prefetch=0)


def test_a_run_of_several_pads_the_last_and_drops_what_comes_of_it():
    runs = []

    def run(inputs):
        runs.append(inputs["x"].tolist())
        return {"y": 2 * inputs["x"]}

    reached, timing = through(
        range(5),
        preprocess=lambda pixels: ({"x": np.array([pixels])}, "place"),
        run=run,
        postprocess=lambda outputs, place: (outputs["y"].tolist(), place),
        batch=2,
    )

    assert runs == [[1, 2], [3, 4], [5, 5]]
    assert reached == [(image, [2 * (image + 1)], "place") for image in range(5)]
    assert timing.images == 5


@given(st.lists(st.integers(1, 3), max_size=40), st.integers(2, 4))
@settings(deadline=None, max_examples=30)
def test_a_run_takes_inputs_of_one_shape_and_the_order_stays(widths, batch):
    runs = []

    def run(inputs):
        runs.append(inputs["x"].shape)
        return {"y": inputs["x"].sum(axis=1)}

    reached, _ = through(
        list(enumerate(widths, 1)),
        read=lambda image: image,
        preprocess=lambda image: ({"x": np.full((1, image[1]), image[0])}, "place"),
        run=run,
        postprocess=lambda outputs, place: (int(outputs["y"][0]), place),
        batch=batch,
    )

    assert reached == [((number, width), number * width, "place") for number, width in enumerate(widths, 1)]
    assert {shape[0] for shape in runs} <= {batch}
