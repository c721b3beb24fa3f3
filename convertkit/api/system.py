"""Children that cannot hang or be orphaned, work in progress that leaves nothing, files of other people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.children.answers import answer as answer
    from convertkit.children.block import Block as Block
    from convertkit.children.block import Layout as Layout
    from convertkit.children.block import Pool as Pool
    from convertkit.children.dialogue import Dialogue as Dialogue
    from convertkit.children.limits import Limits as Limits
    from convertkit.children.process import ChildError as ChildError
    from convertkit.children.process import run_child as run_child
    from convertkit.children.process import usable_processors as usable_processors
    from convertkit.storage.failures import keep_failure as keep_failure
    from convertkit.storage.files import atomic_directory as atomic_directory
    from convertkit.storage.files import home as home
    from convertkit.storage.files import scratch_directory as scratch_directory
    from convertkit.storage.files import work_directory as work_directory
    from convertkit.storage.reading import read_file as read_file
    from convertkit.storage.reading import read_json as read_json
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
