"""The table of operators: complete, typed, and every check has a function."""

from __future__ import annotations

from convertkit_ascend.legality import rules
from convertkit_ascend.legality.checks import FIXES, KINDS
from convertkit_ascend.legality.table import every


def test_all_operators_are_there() -> None:
    assert len(every()) == 308
    assert sum(domain == "" for domain, _ in every()) == 260


def test_the_vendor_operators_stop_at_opset_16() -> None:
    assert "RoiExtractor" in rules(16)
    assert "RoiExtractor" not in rules(17)
    assert "Conv" in rules(18)


def test_opsets_may_have_gaps() -> None:
    gaps = [rule for rule in every().values() if rule.opsets == (9, 11, 12, 13, 14, 15, 16, 17, 18)]

    assert gaps
    assert all(rule.knows(9) and not rule.knows(10) and rule.knows(11) for rule in gaps)


def test_a_domain_of_its_own_has_its_own_operators() -> None:
    assert "NPUBatchNms" in rules(1, "npu")
    assert "Conv" not in rules(1, "npu")


def test_every_kind_of_check_can_be_evaluated() -> None:
    kinds = {check.kind for rule in every().values() for check in rule.checks}

    assert kinds == set(KINDS)
    assert set(FIXES) <= kinds


def test_the_data_type_of_a_transposed_convolution_is_not_that_of_its_input_size() -> None:
    assert "float16" in rules(11)["ConvTranspose"].data_types
