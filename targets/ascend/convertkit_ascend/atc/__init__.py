"""ATC, the vendor's compiler: its options, its command line, how it is run, and what its errors mean."""

from __future__ import annotations

from convertkit_ascend.atc.command import command, config_files, display
from convertkit_ascend.atc.driver import AtcError, Compiled, compile_with_atc
from convertkit_ascend.atc.dtype_files import CustomDtype, Mixlist, OpPrecision
from convertkit_ascend.atc.location import Compiler, Docker, Local, Ssh, has_local, open_compiler
from convertkit_ascend.atc.options import AtcOptions
from convertkit_ascend.atc.phases import Status
from convertkit_ascend.atc.read import option_types, options_from
from convertkit_ascend.atc.shapes import FREE, InputShape, parse_shapes, shapes_text

__all__ = [
    "FREE",
    "AtcError",
    "AtcOptions",
    "Compiled",
    "Compiler",
    "CustomDtype",
    "Docker",
    "InputShape",
    "Local",
    "Mixlist",
    "OpPrecision",
    "Ssh",
    "Status",
    "command",
    "compile_with_atc",
    "config_files",
    "display",
    "has_local",
    "open_compiler",
    "option_types",
    "options_from",
    "parse_shapes",
    "shapes_text",
]
