"""Installs pgwallet. After each upgrade of it, a new migration with the same operation."""

from typing import Any

from django.db import migrations

from ..installation import install


def forwards(apps: Any, schema_editor: Any) -> None:
    install(schema_editor.connection)


class Migration(migrations.Migration):
    # pgwallet commits on a connection of its own, whatever becomes of this one.
    atomic = False
    # Backwards it stays: the ledger is the record of other people's money.
    operations = (migrations.RunPython(forwards, migrations.RunPython.noop),)
