"""Shows the driver's functions to the reference as callers see them.

The source declares them as they are in SQL; the decorator `database_function` adds the connection,
which is the first argument in the reference. An integer of SQL is an int for callers.
"""

from typing import Any

from griffe import Extension, Function, Parameter, ParameterKind, Parameters


class DatabaseFunctions(Extension):
    """The extension that mkdocs.yml names."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        decorators = {str(decorator.value).partition("(")[0] for decorator in func.decorators}
        if not decorators & {"database_function", "database_function_returning"}:
            return
        conn = Parameter(
            "conn",
            annotation="Connection | AsyncConnection",
            kind=ParameterKind.positional_only,
        )
        for parameter in func.parameters:
            if str(parameter.annotation) == "Count":
                parameter.annotation = "int"
        func.parameters = Parameters(conn, *func.parameters)
        func.decorators = []
