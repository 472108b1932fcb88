"""Installs the functions: yoyo runs this after it has applied migrations.

`pgwallet migrate` and `pgwallet sql` take the script from here too, so that there is one.
"""

import hashlib
from pathlib import Path

from yoyo import step

files = sorted((Path(__file__).parent.parent / "procedures").rglob("*.sql"))
source = "\n".join(file.read_text("utf-8") for file in files)
# Of all of pgwallet: the packages are built with it, too.
version = "0.1.0"

source_hash = hashlib.sha256(source.encode()).hexdigest()

# Functions call each other in any order, so bodies are not checked while they come.
script = f"""
set local check_function_bodies = off;
do $$ begin perform pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0)); end $$;

{source}
select pgwallet._finish_install('{source_hash}', '{version}');
"""

step(script)
