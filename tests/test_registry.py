from __future__ import annotations

import pytest

from convertkit.errors import PluginError, UnknownNameError
from convertkit.registry import Registry


def registry() -> Registry[int]:
    known: Registry[int] = Registry("pass")
    known.add("simplify", 1, plugin="ours")
    known.add("rename-io", 2, plugin="ours")
    return known


def test_a_registered_thing_is_found_with_its_plugin() -> None:
    known = registry()

    assert known.get("simplify") == 1
    assert known.entry("simplify").plugin == "ours"
    assert [entry.name for entry in known] == ["rename-io", "simplify"]


def test_a_miss_points_to_the_nearest_name_and_lists_all() -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry().get("simplfy")

    assert str(caught.value) == "unknown pass 'simplfy' (did you mean 'simplify'? known: rename-io, simplify)"
    assert caught.value.exit_code == 2


def test_a_duplicate_names_both_plugins() -> None:
    with pytest.raises(PluginError, match="'simplify' is registered twice: by ours and by theirs"):
        registry().add("simplify", 3, plugin="theirs")
