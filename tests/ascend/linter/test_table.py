"""The table of operators: complete, typed, and every check has a function."""

from __future__ import annotations

from convertkit_ascend.linter.rule import Limit
from convertkit_ascend.linter.rules import every as every_rule
from convertkit_ascend.linter.table import every


def test_all_operators_are_there() -> None:
    assert len(every()) == 308
    assert sum(domain == "" for domain, _ in every()) == 260


def test_the_vendor_operators_stop_at_opset_16() -> None:
    assert every()["", "RoiExtractor"].knows(16)
    assert not every()["", "RoiExtractor"].knows(17)
    assert every()["", "Conv"].knows(18)


def test_opsets_may_have_gaps() -> None:
    gaps = [rule for rule in every().values() if rule.opsets == (9, 11, 12, 13, 14, 15, 16, 17, 18)]

    assert gaps
    assert all(rule.knows(9) and not rule.knows(10) and rule.knows(11) for rule in gaps)


def test_a_domain_of_its_own_has_its_own_operators() -> None:
    assert every()["npu", "NPUBatchNms"].knows(1)
    assert ("npu", "Conv") not in every()


def test_every_kind_of_check_can_be_evaluated() -> None:
    kinds = {check.kind for rule in every().values() for check in rule.checks}

    assert kinds == {item.kind for item in every_rule() if isinstance(item, Limit)}


def test_the_data_type_of_a_transposed_convolution_is_not_that_of_its_input_size() -> None:
    assert "float16" in every()["", "ConvTranspose"].data_types
