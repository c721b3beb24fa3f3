"""The engine of several workers, of which these are only played: who is given what, and what becomes of a death."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy import write_part
from convertkit.children.child import ChildError
from convertkit.conversion.request import Asked
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import ProcessError
from convertkit.rungs.hands import LostPhotosError, NodeLostError, NoRoomError
from convertkit.rungs.names import RungName
from convertkit.rungs.stream import StreamError
from convertkit.workers.crew import NODES, OPENINGS, Crew
from convertkit.workers.recipe import Recipe

IMAGES = [CocoImage(number, Path(f"{number}.png"), 4, 4, str(number)) for number in range(1, 21)]


def found(image: CocoImage) -> Detections:
    """Its number as its only label."""
    return Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.array([image.id]))


class Played:
    """A worker that answers for a photo once it has three in hand; ``harm`` is told of each that it begins."""

    def __init__(self, harm: Callable[[CocoImage], None]) -> None:
        self.harm, self.in_hand, self.gone = harm, list[CocoImage](), False

    def open(self) -> None:
        pass

    def detect(self, image: CocoImage | None) -> tuple[list[Detections], Mapping[str, float]]:
        if self.gone:
            raise ChildError("worker", "has ended", returncode=None)
        if image is not None:
            self.in_hand.append(image)
            self.harm(image)
        ready = len(self.in_hand) - (2 if image is not None else 0)
        done, self.in_hand = self.in_hand[: max(0, ready)], self.in_hand[max(0, ready) :]
        return [found(one) for one in done], {"run": 1.0} if image is None else {}

    def stop(self) -> None:
        self.gone = True

    close = stop


class Deaths:
    """Ends the worker that begins one of some photos, as often as is said."""

    def __init__(self, deaths: dict[int, int]) -> None:
        self.deaths, self.lock = deaths, threading.Lock()

    def hire(self, number: int) -> Played:
        return Played(self)

    def __call__(self, image: CocoImage) -> None:
        with self.lock:
            left = self.deaths.get(image.id, 0)
            self.deaths[image.id] = left - 1
        if left > 0:
            raise ChildError("worker 1", "was killed by SIGKILL", returncode=-9)


def taken(crew: Crew) -> list[int]:
    """The photos that came, each with what is in it."""
    came: list[int] = []

    def sink(image: CocoImage, seen: Detections) -> None:
        assert seen.labels.tolist() == [image.id]
        came.append(image.id)

    crew(IMAGES, sink=sink, on_progress=lambda count: None)
    return came


@pytest.mark.parametrize("workers", [1, 2, 4, 30])
def test_every_photo_comes_once_whoever_takes_it(workers: int) -> None:
    assert sorted(taken(Crew(Deaths({}).hire, workers))) == list(range(1, 21))


@pytest.mark.parametrize("photo", [1, 7, 19, 20])
def test_a_worker_that_ends_once_with_a_photo_is_replaced(photo: int) -> None:
    crowd = Deaths({photo: 1})

    assert sorted(taken(Crew(crowd.hire, 2))) == list(range(1, 21))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_photo_that_ends_two_workers_is_named(workers: int) -> None:
    with pytest.raises(LostPhotosError) as lost:
        taken(Crew(Deaths({7: 2}).hire, workers))

    assert lost.value.message == "7.png: two workers ended with it: the last was killed by SIGKILL"
    assert lost.value.hint == "--skip-bad-photos leaves it out"


def test_all_others_are_measured_where_that_was_asked_for() -> None:
    came: list[int] = []
    crew = Crew(Deaths({7: 9, 15: 9}).hire, 2, skip_bad=True)

    with pytest.raises(LostPhotosError) as lost:
        crew(IMAGES, sink=lambda image, _: came.append(image.id), on_progress=lambda count: None)

    assert set(lost.value.lost) == {7, 15}
    assert sorted(came) == [number for number in range(1, 21) if number not in (7, 15)]


def test_a_node_that_goes_says_little_against_a_photo() -> None:
    class Nodes(Deaths):
        def __call__(self, image: CocoImage) -> None:
            try:
                super().__call__(image)
            except ChildError as error:
                raise NodeLostError(error.name, "is gone with its node", returncode=None) from None

    assert sorted(taken(Crew(Nodes({7: NODES}).hire, 2))) == list(range(1, 21))
    with pytest.raises(LostPhotosError, match="the last is gone with its node"):
        taken(Crew(Nodes({7: NODES + 1}).hire, 2))


class Homeless(Played):
    """A worker that never gets a place."""

    def open(self) -> None:
        raise NoRoomError("worker 2: there is no room")


def test_workers_without_room_leave_their_work_to_others() -> None:
    crowd = Deaths({7: 1})
    hire = lambda number: crowd.hire(number) if number == 1 else Homeless(crowd)  # noqa: E731

    assert sorted(taken(Crew(hire, 3))) == list(range(1, 21))
    with pytest.raises(NoRoomError):
        taken(Crew(lambda number: Homeless(crowd), 3))


def test_what_a_worker_without_successor_had_in_hand_others_take() -> None:
    """The first worker ends with photos, and has no place any more."""
    crowd, hired = Deaths({1: 1, 2: 1}), list[int]()

    def hire(number: int) -> Played:
        hired.append(number)
        return Homeless(crowd) if hired.count(number) > 1 and number == 1 else crowd.hire(number)

    assert sorted(taken(Crew(hire, 2))) == list(range(1, 21))


def test_a_worker_that_cannot_begin_is_tried_again_but_not_for_ever() -> None:
    left = [OPENINGS - 1]

    class Frail(Played):
        def open(self) -> None:
            left[0] -= 1
            if left[0] >= 0:
                raise ChildError("worker 1", "was killed by SIGKILL", returncode=-9)

    crew = Crew(lambda number: Frail(lambda image: None), 1)
    assert len(taken(crew)) == 20
    left[0] = OPENINGS
    with pytest.raises(ProcessError, match="while it opened the runtime"):
        taken(crew)


def test_a_recipe_whose_files_are_not_here_names_them(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    asked = Asked(tmp_path)
    recipe = Recipe(RungName("target", "target"), (asked,), (), (artifact,), (None,), tmp_path, "key")

    with pytest.raises(ProcessError, match=f"^{artifact}: there is no such file or directory"):
        recipe.open()


def test_what_a_worker_says_ends_the_run() -> None:
    def harm(image: CocoImage) -> None:
        if image.id == 7:
            raise StreamError("7.png: run failed")

    with pytest.raises(StreamError, match=r"^7\.png: run failed$"):
        taken(Crew(lambda number: Played(harm), 3))


def test_what_the_sink_says_ends_the_workers() -> None:
    hands: list[Played] = []

    def hire(number: int) -> Played:
        hands.append(Played(lambda image: None))
        return hands[-1]

    def sink(image: CocoImage, seen: Detections) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Crew(hire, 3)(IMAGES, sink=sink, on_progress=lambda count: None)

    assert hands and all(hand.gone for hand in hands)


def test_the_section_of_a_page_is_replaced_alone(tmp_path: Path) -> None:
    page, own = tmp_path / "page.md", "## Several workers\n\nnew\n"
    text = "# B\n\n## A\n\na\n\n## Several workers, twice\n\n## Several workers\n\nold\n\n## C\n\nc\n"

    for before, after in ((text, text.replace("old", "new")), ("# B\n", f"# B\n\n{own}")):
        page.write_text(before)
        write_part("## Several workers", own, page)
        assert page.read_text() == after
