"""What the stand-ins of this directory do, on which of docs/ascend-facts.md it stands, and which tests lean on it.

Nothing here has been seen on hardware: every row is what documentation and public sources say (short names of sources
as there). ``beyond`` marks what that page does not say itself but the source it names does, or what the stand-in
assumes on the strict side.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.ascend.evidence import Seen


@dataclass(frozen=True)
class Statement:
    """One behaviour: the citation of ascend-facts.md, what is said there, the tests that stand on it, what goes beyond.

    ``seen`` says how good the evidence for ``says`` is, as in ``tests/ascend/evidence.py``: most is in the tools'
    sources only, some in their README or API guide as well.
    """

    section: str
    says: str
    tests: tuple[str, ...]
    beyond: str = ""
    seen: Seen = "read"


FILES = "tests/offline/test_result_files.py"
STREAM = "tests/offline/test_files_equal_stream.py"
PREPARE = "tests/offline/test_prepare.py"
ACL = "tests/ascend/runtimes/test_acl.py"
LAYOUTS = "tests/ascend/runtimes/test_layouts.py"
OFFLINE = "tests/ascend/runtimes/test_offline.py"
SPEED = "tests/speed/test_figures.py"

STATEMENTS = (
    Statement(
        "ascend-facts: modelzoo-letterbox",
        "scale by the smaller ratio, floor, bilinear, normalise, then pad centred with 0; raw float32 CHW",
        (f"{PREPARE}::test_centred_and_floored_they_are_the_bytes_of_the_modelzoo_script",),
        "mean and std pass through float32 first, as mmdet's Normalize keeps them",
    ),
    Statement(
        "ascend-facts: modelzoo-letterbox",
        "the file is named after the part of the photo's name before the first dot",
        (f"{PREPARE}::test_stems_that_collide_are_named",),
    ),
    Statement(
        "ascend-facts: modelzoo-info",
        "`index path width height`, blanks between, so a path with a blank breaks the reader",
        (
            "tests/offline/test_info.py::test_of_photos_in_a_directory",
            "tests/offline/test_info.py::test_a_blank_is_refused_because_the_readers_split_at_it",
        ),
        "the index counts from 0, once through the file",
    ),
    Statement(
        "ascend-facts: modelzoo-results",
        "results are `<stem>_0.bin` ..., raw, in the order of the outputs; the old script finds them by their end",
        (
            f"{FILES}::test_a_stem_is_never_taken_for_the_end_of_another",
            f"{FILES}::test_an_axis_of_one_may_differ",
        ),
    ),
    Statement(
        "ascend-facts: pypi-names",
        "aclruntime and ais_bench are not on PyPI; ais-bench-benchmark is another tool; they need CANN's libraries",
        (
            f"{ACL}::test_without_modules_it_says_where_to_get_them",
            f"{ACL}::test_the_toolkit_for_language_models_is_told_apart",
            f"{ACL}::test_a_module_without_cann_says_so",
            f"{ACL}::test_a_stranger_of_the_same_name_is_told_apart",
        ),
        "that ais-bench-benchmark brings a package called ais_bench; the loader's message is the dynamic linker's own",
        seen="documented",
    ),
    Statement(
        "ascend-facts: aclruntime-calls",
        "InferenceSession(path, device, options), run(names, tensors), get_inputs, get_outputs, set_staticbatch",
        (
            f"{ACL}::test_it_gives_what_the_graph_gives",
            f"{ACL}::test_arrays_of_any_strides_are_understood",
            f"{ACL}::test_inputs_that_do_not_fit_are_named",
            f"{ACL}::test_the_chosen_device_is_used",
            f"{ACL}::test_a_device_that_is_not_there",
        ),
        "to_device, to_host and numpy.array(tensor) (TOOLS, MSIT interface.py); sizes to the byte, contiguous arrays "
        "and results readable on the host only are assumed; names of outputs differ from the graph's",
    ),
    Statement(
        "ascend-facts: aclruntime-calls",
        "sumary().exec_time_list, reset_sumaryinfo",
        (f"{ACL}::test_every_run_is_timed_once",),
        "milliseconds (TOOLS summary.py), pairs of start and end in newer versions (MSIT __main__.py)",
    ),
    Statement(
        "ascend-facts: aclruntime-calls",
        "set_dynamic_batchsize",
        (f"{ACL}::test_a_model_for_several_batches_takes_the_one_that_was_chosen",),
    ),
    Statement(
        "ascend-facts: aclruntime-calls",
        "errors come as exceptions of the binding",
        (f"{ACL}::test_a_failing_chip_is_one_line", f"{ACL}::test_a_damaged_om_is_one_line"),
        "RuntimeError with a code in brackets (TOOLS PyInferenceSession.cpp); the texts are made up",
    ),
    Statement(
        "ascend-facts: ais-bench-session",
        "InferSession(device_id, model_path), infer(feeds, mode), summary, reset_summaryinfo, MemorySummary",
        (f"{ACL}::test_it_gives_what_the_graph_gives", f"{ACL}::test_every_run_is_timed_once"),
        "before 2023 sumary and reset_sumaryinfo (TOOLS interface.py)",
        seen="documented",
    ),
    Statement(
        "ascend-facts: ais-bench-options",
        "several inputs by comma, files filled up to the model's batch, formats BIN, NPY, TXT; devices 0 to 255",
        (
            f"{STREAM}::test_a_graph_of_two_inputs_reads_two_directories",
            f"{STREAM}::test_whatever_the_runtime_writes",
            f"{FILES}::test_what_is_missing_wrong_or_too_much_is_one_line_each",
            f"{ACL}::test_a_device_that_is_not_there",
        ),
        "directories are paired in natural order of names, other files in them are ignored (TOOLS utils.py)",
        seen="documented",
    ),
    Statement(
        "ascend-facts: ais-bench-results",
        "<output>/<time or name>/<stem>_<index>.<format>, the summary beside the directory, or sumary.json",
        (
            f"{LAYOUTS}::test_every_layout_is_read",
            f"{LAYOUTS}::test_results_of_several_runs_are_named",
            f"{LAYOUTS}::test_no_results_at_all",
            f"{OFFLINE}::test_the_summary_is_found_where_either_version_leaves_it",
            f"{OFFLINE}::test_where_no_single_times_are_noted_the_mean_counts",
        ),
        "the first ais_infer called them sample_id_<n>_output_<index>, sumary.json in the directory (Ascend/tools "
        "256ed1fe, frontend/); --pipeline puts the output's name in the place of its index (ait, pipeline.cpp)",
    ),
    Statement(
        "ascend-facts: ais-bench-results",
        "several devices: one more level, device<N>",
        (
            f"{LAYOUTS}::test_devices_are_taken_together",
            f"{LAYOUTS}::test_one_photo_on_two_devices_is_refused",
            f"{STREAM}::test_devices_with_a_time_each_are_one_run_unless_each_computed_everything",
        ),
        "so in Ascend/tools 9d6da90f; in ait and msit, benchmark_process.py, it is device<N>_<index>, every "
        "process takes its own time, and without --divide_input every device computes everything",
    ),
    Statement(
        "Ascend/tools 0da4d5b8",
        "msame: <output>/<YYYYmmdd_HHMMSS>/<stem>_output_<index>.<bin or txt>",
        (f"{LAYOUTS}::test_every_layout_is_read",),
        "msame/src/sample_process.cpp and model_process.cpp",
    ),
    Statement(
        "ascend-facts: ais-bench-throughput",
        "throughput = 1000 x batch / mean compute time in ms; copies are left out",
        (f"{SPEED}::test_throughput_is_1000_times_batch_by_mean_compute_time",),
        seen="documented",
    ),
)
