"""Operator domains that plugins bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import defs

from convertkit.errors import GraphError, PluginError
from convertkit.graph import domains
from convertkit.graph.domains import Domain, add_domain, domains_of, lowered, register_schemas
from convertkit.graph.graph import close_graph, open_graph
from convertkit.graph.light import LightModel
from convertkit.graph.shapes import annotate
from convertkit.graph.validate import validate
from convertkit.passes.running import open_on_host
from tests.graphtext import parse

NAME = "test.convertkit.domains"

TWICE = f"""(float[3] x) => (float[3] z)
{{
    y = {NAME}.Twice (x)
    z = Neg (y)
}}"""


def teach() -> None:
    """``Twice``: a tensor times two."""
    if defs.has("Twice", NAME):
        return
    tensor = ["tensor(float)"]
    schema = defs.OpSchema(
        "Twice",
        NAME,
        1,
        inputs=[defs.OpSchema.FormalParameter("x", "T")],
        outputs=[defs.OpSchema.FormalParameter("y", "T")],
        type_constraints=[("T", tensor, "")],
    )
    schema.set_type_and_shape_inference_function(lambda ctx: ctx.set_output_type(0, ctx.get_input_type(0)))
    defs.register_schema(schema)


def lower(model: LightModel) -> LightModel:
    """``Twice(x)`` is ``Add(x, x)``."""
    graph = open_graph(model)
    for node in graph.find("Twice", domain=NAME):
        node.op, node.domain = "Add", None
        node.inputs.append(node.inputs[0])
    return close_graph(graph, model)


DOMAIN = Domain(NAME, teach, lower)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Domains are known for the whole process; these tests leave none behind."""
    monkeypatch.setattr(domains, "_domains", dict(domains._domains))
    monkeypatch.setattr(domains, "_owners", dict(domains._owners))
    yield
    if defs.has("Twice", NAME):
        defs.deregister_schema("Twice", 1, NAME)


def model(*imports: str) -> LightModel:
    return parse(TWICE, domains=imports or (NAME,))


def test_a_domain_may_come_twice_but_not_two_of_one_name() -> None:
    add_domain(DOMAIN)
    add_domain(Domain(NAME, teach, lower))

    with pytest.raises(PluginError, match=f"operator domain '{NAME}' is registered twice"):
        add_domain(replace(DOMAIN, lower=lambda graph: graph), "another plugin")

    assert domains_of(model()) == (DOMAIN,)


def test_a_plugin_that_is_loaded_again_brings_its_own_anew() -> None:
    again = replace(DOMAIN, lower=lambda graph: graph)
    add_domain(DOMAIN, "mine.py")

    add_domain(again, "mine.py")

    assert domains_of(model(NAME)) == (again,)


def test_a_graph_has_the_domains_it_imports() -> None:
    add_domain(DOMAIN)

    assert domains_of(parse("(float[3] x) => (float[3] z) { z = Neg (x) }")) == ()
    assert domains_of(model("another.domain", NAME)) == (DOMAIN,)


def test_a_known_domain_is_validated_annotated_and_run() -> None:
    add_domain(DOMAIN)
    graph = open_graph(model())

    validate(model())
    annotate(graph)

    assert graph.surgeon.tensors()["y"].shape == [3]
    (found,) = open_on_host(model())({"x": np.array([1, 2, 3], np.float32)})
    np.testing.assert_array_equal(found, [-2, -4, -6])


def test_schemas_are_registered_as_often_as_asked_and_checked() -> None:
    add_domain(DOMAIN)
    register_schemas(model())
    register_schemas(model())

    wrong = parse(TWICE.replace("Twice (x)", "Twice (x, x)"), domains=[NAME])

    with pytest.raises(GraphError, match="the ONNX checker refuses the graph"):
        validate(wrong)


def test_an_unknown_domain_is_left_as_it_is() -> None:
    untouched = lowered(model())

    assert untouched.proto == model().proto
    with pytest.raises(GraphError, match="onnxruntime refuses the graph"):
        open_on_host(untouched)({"x": np.ones(3, np.float32)})


def test_lowering_leaves_standard_operators_and_the_graph_it_was_given() -> None:
    add_domain(DOMAIN)
    given = model()

    found = lowered(given)

    assert [node.op_type for node in found.proto.graph.node] == ["Add", "Neg"]
    assert given.proto == model().proto
    assert isinstance(found.proto, onnx.ModelProto)
