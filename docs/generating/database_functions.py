"""Shows the driver's functions to the reference as callers see them.

In the source they describe a call; the decorator `database_function` adds the connection and makes
the call. So the reference has `conn` first, and the result instead of the description.
"""

from typing import Any

from griffe import ExprSubscript, Extension, Function, Parameter, ParameterKind, Parameters


class DatabaseFunctions(Extension):
    """The extension that mkdocs.yml names."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        if "database_function" not in {str(decorator.value) for decorator in func.decorators}:
            return
        conn = Parameter(
            "conn",
            annotation="Connection | AsyncConnection",
            kind=ParameterKind.positional_only,
        )
        func.parameters = Parameters(conn, *func.parameters)
        assert isinstance(func.returns, ExprSubscript), func.path
        func.returns = func.returns.slice
        func.decorators = []
