"""Many clients at once, through PostgreSQL's own pgbench."""

import re
import tempfile
from dataclasses import dataclass

from bench.server import Bench

THREADS = 2
FEW = 20


@dataclass(frozen=True)
class Runs:
    """A script that so many clients repeat for so many seconds: one sample a call. In no seconds
    they repeat it a few times, which measures nothing.

    Without a script it is pgbench's own TPC-B; `each` is how much work one run of a script does.
    """

    bench: Bench
    conninfo: str
    script: str | None
    clients: int
    seconds: int
    each: int = 1

    def __call__(self) -> float:
        length = f"--time={self.seconds}" if self.seconds else f"--transactions={FEW}"
        options = ["--no-vacuum", "--protocol=prepared", length]
        options += [f"--client={self.clients}", f"--jobs={min(self.clients, THREADS)}"]
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            if self.script is not None:
                file.write(self.script)
                file.flush()
                options.append(f"--file={file.name}")
            report = self.bench.pgbench(*options, self.conninfo)
        found = re.search(r"^tps = ([\d.]+)", report, re.MULTILINE)
        if found is None:
            raise RuntimeError(f"pgbench reported no rate: {report}")
        return self.each * float(found[1])
