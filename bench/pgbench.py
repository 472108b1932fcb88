"""Many clients at once, through PostgreSQL's own pgbench."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.server import Bench

THREADS = 2
FEW = 20


@dataclass(frozen=True)
class Runs:
    """A script that so many clients repeat for so many seconds, or else so many times: one sample a
    call. The few times of a smoke test measure nothing.

    Without a script it is pgbench's own TPC-B; `each` is how much work one run of a script does.
    """

    bench: Bench
    conninfo: str
    script: str | None
    clients: int
    seconds: int = 0
    each: int = 1
    transactions: int = FEW
    variables: Mapping[str, int] = field(default_factory=dict)

    def __call__(self) -> float:
        length = f"--time={self.seconds}" if self.seconds else f"--transactions={self.transactions}"
        options = ["--no-vacuum", "--protocol=prepared", length]
        options += [f"--client={self.clients}", f"--jobs={min(self.clients, THREADS)}"]
        options += [f"--define={name}={value}" for name, value in self.variables.items()]
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
