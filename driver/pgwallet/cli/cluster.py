"""Commands for many databases that are one ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from inspect import Signature, signature
from typing import Annotated, Any

import typer

from pgwallet import cluster
from pgwallet.cluster import ClusterFile, ClusterFileError, ClusterReport, MemberStatus
from pgwallet.results import Violation

from .commands import FAILED, NOT_LOOKED, Command, Csv, Json, group
from .failures import FAILURES, told
from .output import harmless, out, show_error, showing_notices
from .records import Form, print_rows

clustering = group()

# That a key has one effect.
_KEYS_ARE_UNIQUE = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in which a database of the cluster is not as it should be."""

    member: str
    what: str
    kind: str
    name: str
    detail: str
    remedy: str

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.member:<9} {self.what:<8} {self.kind} {self.name}{detail}"


def _read(path: str) -> ClusterFile:
    try:
        return cluster.read_cluster_file(path)
    except ClusterFileError as error:
        raise typer.BadParameter(str(error)) from None


_File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        callback=_read,
        help="Says what it is made of, as pgwallet cluster init --help shows.",
    ),
]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for locks of others."),
]


def _on_file(
    name: str | None = None, fails_with: int = FAILED
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a function on the file of a cluster a command that tells on stderr how far it is."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        def command(**arguments: Any) -> None:
            try:
                with showing_notices():
                    function(**arguments)
            except FAILURES as error:
                show_error(told(error))
                raise typer.Exit(fails_with) from None

        update_wrapper(command, function, assigned=("__module__", "__name__", "__doc__"))
        file, *more = signature(function).parameters.values()
        vars(command)["__signature__"] = Signature([file.replace(annotation=_File), *more])
        clustering.command(name, cls=Command)(command)
        return function

    return register


@_on_file()
def init(file: ClusterFile, wait: Wait = 60.0) -> None:
    """Make a cluster of the databases in a file.

    Shards get pgwallet and a range of ids each, routers its functions. The same again completes
    what was broken off and makes routers that are new in the file; with nothing to do it does
    nothing. What cannot work is refused before anything is changed.

    \b
    A file, cluster.toml; passwords belong in a passfile, not here:
      name = "shop"
      [[shards]]                        # a power of two of them, for good
      conninfo = "host=db1 dbname=shard0 options='-c role=pgwallet_owner'"
      through = "host=pooler1 port=6432 dbname=shard0"    # for routers
      [[shards]]
      conninfo = "host=db2 dbname=shard1 options='-c role=pgwallet_owner'"
      [[routers]]                       # as a superuser: PL/Proxy needs one
      conninfo = "host=router1 dbname=shop user=postgres"

    \b
    Example:  pgwallet cluster init cluster.toml
    """
    _tell(cluster.init(file, wait=wait))


@_on_file()
def adopt(file: ClusterFile, wait: Wait = 60.0) -> None:
    """Make a cluster whose shard 0 is a ledger that is in use.

    The file is as for init: the ledger first, then empty databases. It keeps its ids, keys, owners
    and history, and works on meanwhile. Its settings, currencies and projects become those of all
    shards; new owners are spread over them. Only a new cluster adopts a database, and only one.

    Make no projects and currencies while it runs, a few seconds as a rule, and after it through a
    router alone. The same again completes what was broken off.

    \b
    Example:  pgwallet cluster adopt cluster.toml
    """
    _tell(cluster.adopt(file, wait=wait))


@_on_file()
def migrate(
    file: ClusterFile,
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="Go back, where a newer version was installed.")
    ] = False,
    wait: Wait = 60.0,
) -> None:
    """Bring a running cluster to this version.

    Shards first, then routers, while calls go on: each works with the version before and after. It
    stops at what fails and names what it left behind; the same again goes on from there.

    \b
    Example:  pgwallet cluster migrate cluster.toml
    """
    _tell(cluster.migrate(file, downgrade=downgrade, wait=wait))


def _tell(report: ClusterReport) -> None:
    for number, shard in enumerate(report.shards):
        for name in shard.applied:
            out.print(f"shard {number}   applied   {name}")
        for drift in shard.mended:
            out.print(f"shard {number}   mended    {harmless(drift.name)} ({drift.what})")
    installed = [f"shard {n}" for n, shard in enumerate(report.shards) if shard.functions_installed]
    installed += [f"router {number}" for number in report.routers]
    if installed:
        out.print(f"installed the functions on {', '.join(installed)}")
    else:
        out.print("Nothing to do: the cluster is up to date.")


@_on_file(fails_with=NOT_LOOKED)
def status(
    file: ClusterFile,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 unless everything is up to date.")
    ] = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Tell in what shards and routers are not as they should be.

    As they should be is as this version and the file have them.
    Of each: whether it is reached, also by each router as its functions will; its version, and how
    far its standbys are behind; what differs in functions, tables and rights, those of the routers'
    role, too. It changes nothing.

    Exit codes: 0 compared, and with --check all is well; 1 with --check, something differs or is
    not reached; 3 it could not look.

    \b
    Example:  pgwallet cluster status cluster.toml --check
    """
    found = cluster.status(file)
    findings = [
        Finding(each.name, d.what, d.kind, d.name, d.detail, d.remedy)
        for each in found.members
        for d in each.findings
    ]
    form = Form.of(json, csv)
    if form is not Form.TABLE:
        print_rows(form, Finding, findings, None)
    else:
        for member in found.members:
            out.print(_line(member))
        for finding in findings:
            out.print(harmless(str(finding)))
        remedies = dict.fromkeys(finding.remedy for finding in findings)
        if remedies:
            out.print("What helps:")
            for remedy in remedies:
                out.print(f"  {harmless(remedy)}")
        else:
            out.print("The cluster is up to date.")
    if check and findings:
        raise typer.Exit(1)


def _line(member: MemberStatus) -> str:
    if not member.reached:
        return f"{member.name:<9} not reached"
    told = [f"pgwallet {member.version}" if member.version else "without pgwallet"]
    if member.lag_bytes is not None:
        told.append(f"slowest standby {member.lag_bytes:,} bytes behind")
    if member.lag_seconds is not None:
        told.append(f"{member.lag_seconds:.1f} s")
    return f"{member.name:<9} {', '.join(told)}"


@_on_file()
def move(
    file: ClusterFile,
    shard: Annotated[int, typer.Argument(metavar="SHARD", help="Its number, counted from 0.")],
    conninfo: Annotated[
        str,
        typer.Argument(
            metavar="NEW-CONNINFO", help="An empty database for it, as in the file; a superuser."
        ),
    ],
    through: Annotated[
        str | None,
        typer.Option(metavar="CONNINFO", help="How routers will reach it, such as by a pooler."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="CONNINFO", help="How the new server reaches the old one, if not as the file."
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", metavar="SECONDS", min=0, help="How long to look for a moment to switch."
        ),
    ] = 60.0,
    pause: Annotated[
        float,
        typer.Option("--pause", metavar="SECONDS", min=0.1, help="How long calls may wait then."),
    ] = 5.0,
) -> None:
    """Move a shard to another server while calls go on.

    Logical replication copies it, so the old server needs wal_level = logical, and both places a
    superuser. In the end calls wait for a moment, and routers go on in the new place. The old one
    refuses each change from then on, and may be dropped. Broken off, the same command begins again,
    or completes what was decided.

    \b
    Example:  pgwallet cluster move cluster.toml 2 "host=db3 dbname=shard2"
    """
    done = cluster.move(
        file, shard, conninfo, through=through, source=source, wait=wait, pause=pause
    )
    if done.paused is None:
        out.print(f"Shard {shard} had moved already; the routers go there now.")
    else:
        out.print(
            f"Shard {shard} has moved: copied in {done.copied:.1f} s; calls waited for "
            f"{done.paused:.2f} s."
        )
    out.print("Change the file now; its place there is:")
    out.print(harmless(f'  conninfo = "{done.shard.conninfo}"'))
    out.print(harmless(f'  through = "{done.shard.through}"'))


@_on_file(fails_with=NOT_LOOKED)
def check(
    file: ClusterFile,
    keys: Annotated[
        bool, typer.Option("--keys", help="Also look for keys that two shards have used.")
    ] = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Look for broken invariants on each shard and between shards.

    Each shard is checked as by pgwallet check, seals too; then what shards have to agree on:
    projects, settings, currencies, functions, money on its way, and where wallets are.

    An idempotency key is unique in a shard alone: used with wallets of two shards it names two
    calls. With --keys it reads the keys of all, some at a time, and names those.

    Exit codes: 0 sound, 1 something is wrong, 3 it could not look, or not to the end.

    \b
    Example:  pgwallet cluster check cluster.toml --keys
    """
    violations = cluster.check(file)
    if keys:
        violations += (
            Violation(
                _KEYS_ARE_UNIQUE,
                f"key {each.idempotency_key!r}",
                f"It has {len(each.uses)} effects: {'; '.join(map(str, each.uses))}.",
            )
            for each in cluster.shared_keys(file)
        )
    form = Form.of(json, csv)
    if violations or form is not Form.TABLE:
        print_rows(form, Violation, violations, None)
    if violations:
        raise typer.Exit(1)
    if form is Form.TABLE:
        out.print("The cluster is sound: check found nothing.")


@_on_file()
def complete(file: ClusterFile) -> None:
    """Finish what was broken off on its way over several shards.

    Payouts, transfers and collections whose plan was left, and projects that were created or closed
    on some shards alone. Each is the call that was broken off, once more: nothing is done twice.
    After a restore also parts that a shard has lost, and those whose plan is lost: they are taken
    back. It exits with 1 where something is still in the way of a plan.

    \b
    Example:  pgwallet cluster complete cluster.toml
    """
    done = cluster.complete(file)
    for project in done.created:
        out.print(f"project {project} is on all shards now")
    for project in done.closed:
        out.print(f"project {project} is closed on all shards now")
    for plan in done.plans:
        key = f", key {plan.idempotency_key!r}" if plan.idempotency_key else ""
        out.print(harmless(f"{plan.state:<8} {plan.request}{key}"))
        if plan.failure is not None:
            out.print(harmless(f"         {plan.failure}"))
    if done == cluster.CompletionReport((), (), ()):
        out.print("Nothing was broken off.")
    if any(plan.state in ("open", "undoing") for plan in done.plans):
        raise typer.Exit(1)
