"""On what the forms stand that the doctor reads."""

from __future__ import annotations

from tests.ascend.evidence import Claim

DOCTOR = "tests/ascend/doctor/test_doctor.py"
KERNELS = "tests/ascend/linter/test_kernels.py"

CLAIMS = (
    Claim(
        "`npu-smi info`: two lines a chip, one chip a card",
        "ascend-facts: npu-smi-table; the print in the guide",
        "documented",
        (f"{DOCTOR}::test_the_guides_table_is_read",),
    ),
    Claim(
        "an Atlas 300I Duo: one card number twice, power `NA`, about 44 GB a chip",
        "ascend-facts: npu-smi-table; prints of users",
        "reported",
        (f"{DOCTOR}::test_both_chips_of_a_duo_are_read_and_its_processes_are_not",),
    ),
    Claim(
        "a 910: a column for HBM, 0 of 0 MB of other memory",
        "prints of users",
        "reported",
        (f"{DOCTOR}::test_the_memory_of_a_910_is_its_hbm",),
    ),
    Claim(
        "`--soc_version` is `Ascend` and the name in that table",
        "ascend-facts: soc-version",
        "documented",
        (f"{DOCTOR}::test_the_guides_table_is_read",),
    ),
    Claim(
        "a driver that is not well fails with a line and a code, or prints half a table",
        "nothing on this",
        "assumed",
        (f"{DOCTOR}::test_a_driver_that_fails_is_missing", f"{DOCTOR}::test_half_a_table_is_no_crash"),
    ),
    Claim(
        "from CANN 8.5 on the chip's operators are a package of their own",
        "ascend-facts: cann-releases",
        "documented",
        (f"{DOCTOR}::test_cann_and_its_operators",),
    ),
    Claim(
        "the version is in `ascend_toolkit_install.info`, `version.cfg` or `version.info`",
        "nothing on these files",
        "assumed",
        (f"{DOCTOR}::test_cann_and_its_operators", f"{DOCTOR}::test_older_version_files_are_read"),
    ),
    Claim(
        "variables: which are directories, which make a compilation slow",
        "ascend-facts: cann-variables",
        "documented",
        (f"{DOCTOR}::test_variables_that_lead_nowhere_are_named",),
    ),
    Claim(
        "`TE_PARALLEL_COMPILER` is 1 to 32, at most 80 % of the cores",
        "ascend-facts: cann-parallel",
        "documented",
        (f"{DOCTOR}::test_the_number_of_compiling_processes",),
    ),
    Claim(
        "Python 3.7 to 3.10, numpy below 2, and the modules that compiling needs",
        "ascend-facts: cann-python",
        "reported",
        (
            f"{DOCTOR}::test_a_python_that_atc_likes",
            f"{DOCTOR}::test_a_python_that_atc_does_not_like",
        ),
    ),
    Claim(
        "packages of PyPI whose names promise what they are not",
        "ascend-facts: pypi-names",
        "read",
        (f"{DOCTOR}::test_traps_of_pypi_are_named",),
    ),
    Claim(
        "the kernel lists of an installation: where they lie, what they look like",
        "ascend-facts: kernel-lists; ops-info files of 8.1",
        "read",
        (
            f"{KERNELS}::test_an_installation_is_the_truth",
            f"{KERNELS}::test_types_and_pairs_come_from_the_columns",
        ),
    ),
)
