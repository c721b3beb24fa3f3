"""What only somebody with a chip, or with ATC, can confirm, and how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unseen:
    """One thing to tick off.

    Attributes:
        what: one line; what is expected.
        command: what shows it; MODEL, VARIANT and the like in capitals.
        look: where in its output.
    """

    what: str
    command: str
    look: str


WITH_ATC = (
    Unseen(
        "ATC takes the command line and the graph of a bundle",
        "convertkit compile BUNDLE",
        "`model.om` is there",
    ),
    Unseen(
        "it has plugins for both vendor operators at opset 11 to 16",
        "convertkit compile BUNDLE",
        "no E13010, no E19010",
    ),
    Unseen(
        "its errors are written as the stand-in writes them",
        "convertkit compile BUNDLE",
        "on failure: cause, fix and node in `explanation.txt`; the text itself in `log.txt`",
    ),
    Unseen(
        "the kernel lists lie where they are looked for and agree with ours",
        "convertkit lint BUNDLE/ascend.onnx --target ascend310p3",
        "no `kernel-missing`; run it after `set_env.sh`",
    ),
    Unseen("CANN, its Python and its variables are recognised", "convertkit doctor", "the lines about CANN"),
    Unseen(
        "how long Mask R-CNN takes to compile and how much memory",
        "/usr/bin/time -v convertkit compile BUNDLE",
        "elapsed time, maximum resident size",
    ),
)

WITH_A_CHIP = (
    Unseen("the table of `npu-smi info` is read", "convertkit doctor", "one line a chip, with its memory"),
    Unseen(
        "aclruntime or ais_bench takes the model and gives its outputs in order",
        "convertkit verify MODEL --target ascend310p3 --runtime acl",
        "AP close to the rung before it",
    ),
    Unseen(
        "device numerics predict the chip",
        "convertkit verify MODEL --target ascend310p3 --runtime device-numerics --runtime acl",
        "the difference of the two lines",
    ),
    Unseen(
        "the pieces of that prediction: RoiExtractor's levels, the 4,080 boxes of NMS, fp16",
        "convertkit verify MODEL --target ascend310p3 --runtime twin --runtime device-numerics:nms --runtime acl",
        "which effect the chip shows",
    ),
    Unseen(
        "no fusion of ATC changes the scores of NMS (a newer one remaps them)",
        "convertkit verify MODEL --target ascend310p3 --runtime twin --runtime acl --results DIRECTORY",
        "the scores in the detections of both",
    ),
    Unseen(
        "the samples of a bundle find what `acl` finds",
        "python3 BUNDLE/sample.py PHOTO PICTURE.png && convertkit detect BUNDLE PHOTO --rung acl --json",
        "the same scores and boxes; then those of `sample.cpp`, compiled as its first lines say",
    ),
    Unseen(
        "files for ais_bench go in and come out as described",
        "convertkit preprocess MODEL --target ascend310p3 -o IN"
        " && python3 -m ais_bench --model BUNDLE/model.om --input IN/input,IN/picture --output OUT"
        " && convertkit verify MODEL --target ascend310p3 --runtime offline --inputs IN --outputs OUT/DATE",
        "AP equal to that of `acl`; no file missing",
    ),
    Unseen(
        "AIPP computes what the graph before the network computes here",
        "convertkit verify MODEL --variant VARIANT --target ascend310p3 --runtime device-numerics --runtime acl",
        "a variant with `normalize: target`",
    ),
    Unseen(
        "msprobe finds the tensors of a dump, and its table is read",
        "convertkit dump MODEL PHOTO --target ascend310p3 -o DUMP && convertkit compare RESULT.csv DUMP",
        "what `dump` prints, run in between; by which rule the chip leaves the prediction",
    ),
    Unseen(
        "nodes of `keep_dtype` are found again in what ATC left",
        "convertkit compile BUNDLE",
        "of a build with `-O keep_dtype=[NODE]`: `obeyed` in `kept.json`, or the fusion that took it",
    ),
    Unseen("speed", "convertkit bench MODEL --target ascend310p3 --runtime acl", "throughput, end to end"),
    Unseen(
        "the roofline bounds it",
        "convertkit estimate MODEL --target ascend310p3",
        "its time is below that of `bench`",
    ),
)
