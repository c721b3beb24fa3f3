"""The chip's runtime against stand-ins of Huawei's modules, with an ONNX file in place of the .om."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_ascend.runtimes import open_runtime
from onnx import TensorProto, helper

from convertkit.api.graphs import load, open_session
from convertkit.api.targets import Timed, Timings
from convertkit.errors import GraphError, ProcessError, UnavailableError, UnknownNameError, UsageError
from convertkit.targets.context import RuntimeOptions
from tests.ascend.runtimes import stand_in_aclruntime as stand_in


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((1, 3, 320, 320)).astype(np.float32)
    return {"picture": np.array([[0, 0, 320, 200]], np.float32), "input": image}


def opened(artifact, **options):
    return open_runtime(artifact, "acl", RuntimeOptions(**options))


def expected(artifact, inputs):
    return open_session(load(artifact / "model.onnx")).run(inputs)


def same(found, wanted):
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.fixture(params=["aclruntime", "ais_bench"])
def module(request, monkeypatch):
    """Either module is installed, the other is not."""
    install = {"aclruntime": stand_in.install_aclruntime, "ais_bench": stand_in.install_ais_bench}[
        request.param
    ]
    install(monkeypatch)
    return lambda *flavour: install(monkeypatch, *flavour)


@pytest.mark.slow
def test_it_gives_what_the_graph_gives(module, artifact):
    runtime = opened(artifact)

    for seed in range(3):
        same(runtime.run(arrays(seed)), expected(artifact, arrays(seed)))


@pytest.mark.slow
def test_arrays_of_any_strides_are_understood(module, artifact):
    inputs = arrays()
    wanted = expected(artifact, inputs)
    inputs["input"] = np.asfortranarray(inputs["input"])

    same(opened(artifact).run(inputs), wanted)


@pytest.mark.slow
def test_a_narrower_output_is_widened_to_the_graphs(module, artifact):
    module("half")

    found = opened(artifact).run(arrays())

    wanted = expected(artifact, arrays())
    assert {name: array.dtype for name, array in found.items()} == {n: a.dtype for n, a in wanted.items()}
    np.testing.assert_array_equal(found["dets"], wanted["dets"].astype(np.float16).astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("flavour", [(), ("pairs",), ("old",)])
def test_every_run_is_timed_once(module, artifact, flavour):
    module(*flavour)
    runtime = opened(artifact)
    assert isinstance(runtime, Timed)
    for _ in range(4):
        runtime.run(arrays())

    timings = runtime.take_timings()

    assert len(timings.compute) == len(timings.to_device) == 4
    assert all(0 < value < 10_000 for value in timings.compute)
    assert len(timings.from_device) >= 4
    assert runtime.take_timings() == Timings()


@pytest.mark.slow
def test_a_model_for_several_batches_takes_the_one_that_was_chosen(module, artifact):
    module("dynamic")
    write_any_batch(artifact)
    images = np.arange(12, dtype=np.float32).reshape(4, 3)

    found = opened(artifact, batch=4).run({"x": images})

    np.testing.assert_array_equal(found["y"], images + images)


def write_any_batch(artifact):
    """model.onnx of batch 1, and an .om of any."""
    for name, batch in (("model.onnx", 1), ("model.om", "N")):
        sides = [helper.make_tensor_value_info(side, TensorProto.FLOAT, [batch, 3]) for side in "xy"]
        graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g", sides[:1], sides[1:])
        onnx.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6),
            artifact / name,
        )


@pytest.mark.slow
def test_the_chosen_device_is_used(module, artifact):
    module("only-1")

    same(opened(artifact, device=1).run(arrays()), expected(artifact, arrays()))
    with pytest.raises(UnavailableError, match="device 0 does not take it"):
        opened(artifact, device=0)


@pytest.mark.parametrize(("device", "error"), [(5, UnavailableError), (256, UsageError), (-1, UsageError)])
def test_a_device_that_is_not_there(module, artifact, device, error):
    with pytest.raises(error, match=f"device {device}"):
        opened(artifact, device=device)


@pytest.mark.slow
def test_inputs_that_do_not_fit_are_named(module, artifact):
    runtime = opened(artifact)

    with pytest.raises(GraphError, match="input 'picture' is missing"):
        runtime.run({"input": arrays()["input"]})
    with pytest.raises(GraphError, match=r"float64 .* has 2457600 bytes, the compiled model takes 1228800"):
        runtime.run({**arrays(), "input": arrays()["input"].astype(np.float64)})


@pytest.mark.slow
def test_outputs_that_do_not_fit_are_named(module, artifact):
    module("fewer")

    with pytest.raises(GraphError, match="the compiled model gave 2 outputs, the graph has 3"):
        opened(artifact).run(arrays())


@pytest.mark.slow
def test_another_models_om_is_noticed(module, artifact):
    write_any_batch(artifact)
    onnx.save(onnx.load(artifact / "model.onnx"), artifact / "model.om")
    (artifact / "model.onnx").unlink()
    from tests.offline.conftest import detector_graph

    onnx.save(detector_graph(picture=True), artifact / "model.onnx")

    with pytest.raises(GraphError, match=r"takes 1 inputs \(x\), the graph input, picture"):
        opened(artifact)


@pytest.mark.slow
def test_a_failing_chip_is_one_line(module, artifact):
    module("broken")

    with pytest.raises(ProcessError) as caught:
        opened(artifact).run(arrays())

    assert str(caught.value) == "the runtime of the chip failed: [507011][ACL: model execute failed]"
    assert caught.value.exit_code == 4


@pytest.mark.slow
def test_a_damaged_om_is_one_line(module, artifact):
    (artifact / "model.om").write_bytes(b"half")

    with pytest.raises(
        UnavailableError, match=r"model.om: device 0 does not take it: \[1\]\[ACL: invalid model\]"
    ):
        opened(artifact)


def test_without_an_om_it_says_what_else_there_is(artifact):
    (artifact / "model.om").unlink()

    with pytest.raises(UnavailableError, match=r"there is no model.om \(compile it where CANN is") as caught:
        opened(artifact)
    assert caught.value.exit_code == 3


def test_unknown_runtimes_and_missing_directories(artifact):
    with pytest.raises(UnknownNameError, match="unknown runtime 'alc'"):
        open_runtime(artifact, "alc", RuntimeOptions())
    with pytest.raises(UsageError, match="give --inputs and --outputs"):
        open_runtime(artifact, "offline", RuntimeOptions())


def site(monkeypatch, tmp_path, **files):
    """A child finds these modules, and no stand-ins."""
    for name, text in files.items():
        path = tmp_path / "site" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))


def test_without_modules_it_says_where_to_get_them(artifact, monkeypatch):
    stand_in.remove(monkeypatch)

    with pytest.raises(UnavailableError) as caught:
        opened(artifact)

    assert caught.value.exit_code == 3
    for word in ("aclruntime is not installed", "aisbench.obs.myhuaweicloud.com", "on PyPI"):
        assert word in str(caught.value)


def test_a_stranger_of_the_same_name_is_told_apart(artifact, monkeypatch, tmp_path):
    site(monkeypatch, tmp_path, aclruntime="")

    with pytest.raises(
        UnavailableError, match=r"aclruntime at .*/site/aclruntime.py is not Huawei's: it has no Infer"
    ):
        opened(artifact)


def test_the_toolkit_for_language_models_is_told_apart(artifact, monkeypatch, tmp_path):
    site(monkeypatch, tmp_path, ais_bench__benchmark="")
    (tmp_path / "site" / "ais_bench" / "__init__.py").write_text("")

    with pytest.raises(UnavailableError, match=r"is not the inference tool.*ais-bench-benchmark from PyPI"):
        opened(artifact)


def test_a_module_without_cann_says_so(artifact, monkeypatch, tmp_path):
    line = "libascendcl.so: cannot open shared object file: No such file or directory"
    site(monkeypatch, tmp_path, aclruntime=f"raise ImportError({line!r})")

    with pytest.raises(
        UnavailableError, match=r"cannot be loaded: libascendcl.so: .*\(source CANN's set_env.sh"
    ):
        opened(artifact)
