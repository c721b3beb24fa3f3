"""The errors a user may meet, each one line with an exit code, and the words that point to what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.errors import ConvertkitError as ConvertkitError
    from convertkit.errors import GraphError as GraphError
    from convertkit.errors import PassError as PassError
    from convertkit.errors import PluginError as PluginError
    from convertkit.errors import ProcessError as ProcessError
    from convertkit.errors import SpecError as SpecError
    from convertkit.errors import TargetError as TargetError
    from convertkit.errors import UnavailableError as UnavailableError
    from convertkit.errors import UnknownNameError as UnknownNameError
    from convertkit.errors import UsageError as UsageError
    from convertkit.errors import nearest as nearest
    from convertkit.errors import suggestion as suggestion
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
