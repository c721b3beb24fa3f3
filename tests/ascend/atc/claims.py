"""What the driver and the stand-in take for granted about ATC besides the situations: command line, files, output."""

from __future__ import annotations

from tests.ascend.evidence import Claim

OPTIONS = "tests/ascend/atc/test_options.py"
DRIVER = "tests/ascend/atc/test_driver.py"
ERRORS = "tests/ascend/atc/test_errors.py"
SITUATIONS = "tests/ascend/atc/test_situations.py"
FRONT_END = "tests/ascend/linter/test_front_end.py"
HANDOVER = "tests/ascend/handover/test_handover.py"

COMMAND_LINE = (
    Claim(
        "the guide's command",
        "ascend-facts: modelzoo-command",
        "documented",
        (f"{OPTIONS}::test_the_command_is_the_guides",),
    ),
    Claim(
        "options, their values and defaults; 2 to 100 profiles; which exclude each other",
        "ascend-facts: atc-options, atc-shapes, atc-precision",
        "documented",
        (
            f"{OPTIONS}::test_a_contradiction_is_one_line",
            f"{OPTIONS}::test_what_the_manual_allows_is_allowed",
        ),
    ),
    Claim(
        "the files for `--keep_dtype`, `--customize_dtypes`, `--modify_mixlist`, `--op_precision_mode`",
        "ascend-facts: atc-precision-files",
        "documented",
        (f"{OPTIONS}::test_the_files_are_written_as_the_manual_shows",),
    ),
    Claim(
        "paths hold letters, digits and a few signs; others are replaced",
        "nothing on which signs",
        "assumed",
        (f"{DRIVER}::test_names_atc_does_not_take_are_replaced",),
    ),
    Claim(
        "`set_env.sh` in its usual places; `devlib` on a host without a device",
        "ascend-facts: cann-host",
        "documented",
        (f"{DRIVER}::test_set_env_sh_is_found_and_devlib_added",),
    ),
)

FILES = (
    Claim(
        "vendor operators in the default domain, opset 8 to 16",
        "ascend-facts: parser-opsets, parser-key",
        "run",
        (
            f"{HANDOVER}::test_vendor_operators_move_to_the_default_domain",
            f"{HANDOVER}::test_an_opset_without_the_plugins_is_refused",
        ),
    ),
    Claim(
        "one space of names for nodes, inputs and the nodes made of initializers",
        "ascend-facts: parser-names",
        "run",
        (f"{HANDOVER}::test_names_are_unique_whatever_they_were",),
    ),
    Claim(
        "the empty name is a tensor name: an unnamed output is joined to every input left out",
        "ascend-facts: parser-empty-name",
        "run",
        (
            f"{FRONT_END}::test_an_unnamed_output_is_joined_to_every_input_left_out",
            f"{HANDOVER}::test_no_output_is_unnamed_and_no_input_left_out_at_the_end",
        ),
    ),
    Claim(
        "plugins that count inputs want one for an empty name too (seen of Conv, read of the others)",
        "ascend-facts: parser-empty-name",
        "run",
        (f"{FRONT_END}::test_an_input_that_the_plugin_counts_is_not_left_out_by_an_empty_name",),
    ),
    Claim(
        "taken: an input as output, opset 10, `ai.onnx` spelt out, If, Resize without roi, an INT roi_scale_factor",
        "ascend-facts: parser-takes",
        "run",
        (f"{FRONT_END}::test_what_the_parser_takes_is_no_error",),
    ),
    Claim(
        "an initializer that is also an input counts as a constant: it is listed once",
        "ascend-facts: parser-inputs",
        "run",
        (f"{HANDOVER}::test_initializers_are_no_inputs",),
    ),
    Claim(
        "external data lies beside the model",
        "ascend-facts: parser-external",
        "run",
        (f"{DRIVER}::test_external_data_goes_along_and_weights_come_back",),
    ),
    Claim(
        "`--external_weight` leaves a directory `weight` beside the model",
        "ascend-facts: atc-options names the option only",
        "assumed",
        (f"{DRIVER}::test_external_data_goes_along_and_weights_come_back",),
    ),
    Claim(
        "an `.om` begins with `IMOD` and 256 bytes that say its length",
        "public ModelFileHeader of the graph engine",
        "read",
        (f"{DRIVER}::test_a_model_is_whole_or_it_is_not",),
    ),
)

OUTPUT = (
    Claim(
        "errors as CANN 7, 8 and 9 write them: code and text, process id and time, title and code",
        "ascend-facts: atc-errors, atc-reports; error tables of 8.1 and of the open sources",
        "reported",
        (f"{ERRORS}::test_a_code_is_found_in_every_form", f"{SITUATIONS}::test_every_release_is_understood"),
    ),
    Claim(
        "the codes and their parameters; some have a second number in newer releases",
        "ascend-facts: atc-errors",
        "read",
        (
            f"{ERRORS}::test_every_known_code_gives_one_screen_with_cause_and_fix",
            f"{ERRORS}::test_aliases_meet",
        ),
    ),
    Claim(
        "names that ATC makes out of ours contain them",
        "ascend-facts: parser-generated-names",
        "run",
        (f"{ERRORS}::test_names_made_out_of_ours_lead_back_to_the_longest",),
    ),
    Claim(
        "the form of log lines; logs of a process under `$HOME/ascend/log`",
        "ascend-facts: atc-logs",
        "documented",
        (
            f"{DRIVER}::test_phases_are_read_from_the_log",
            f"{DRIVER}::test_errors_in_the_home_directory_are_found",
        ),
    ),
    Claim(
        "which source file logs in which phase",
        "names of files in the open sources",
        "derived",
        (f"{DRIVER}::test_the_status_tells_phase_and_time",),
    ),
)
