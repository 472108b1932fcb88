"""The figures of a cluster as a table, as JSON, as a plot and on a page."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench import server
from bench.cluster import capacity
from bench.cluster.contests import Sizes
from bench.cluster.figures import Figure
from bench.report import with_tables

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "cluster-size.md"

# As many times what one shard does, at least.
_TARGETS = {("direct", 2): 1.85, ("direct", 4): 3.7, ("router", 2): 1.75, ("router", 4): 3.3}


def environment(conninfo: str) -> dict[str, dict[str, str]]:
    with psycopg.connect(conninfo) as conn:
        found = server.described(conn)
    found["versions"].pop("Django", None)
    return found


def printed(console: Console, figures: Sequence[Figure]) -> None:
    table = Table("work", "way", title="Medians", title_justify="left")
    for heading in ("clients", "shards", "rate", "ms", "router µs", "shard µs"):
        table.add_column(heading, justify="right")
    for each in figures:
        table.add_row(
            each.work,
            each.way,
            str(each.clients),
            str(each.shards),
            f"{each.rate:,.0f}/s",
            f"{each.ms:.2f}",
            f"{each.router_us:.0f}",
            f"{each.shard_us:.0f}",
        )
    console.print(table)


def written(
    into: Path,
    environment: Mapping[str, Mapping[str, str]],
    figures: Sequence[Figure],
    sizes: Sizes,
) -> None:
    """cluster.json with all samples, cluster.png, and the tables of the page."""
    report: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **environment,
        "share": sizes.share,
        "figures": [
            {
                "work": each.work,
                "way": each.way,
                "clients": each.clients,
                "shards": each.shards,
                "rate": round(each.rate, 1),
                "router_us": round(each.router_us, 1),
                "shard_us": round(each.shard_us, 1),
                "rates": [round(sample.rate, 1) for sample in each.samples],
            }
            for each in figures
        ],
    }
    lines = ",\n".join(map(json.dumps, report.pop("figures")))
    head = json.dumps(report, indent=1).removesuffix("\n}")
    (into / "cluster.json").write_text(f'{head},\n "figures": [\n{lines}\n]\n}}\n')
    report = json.loads((into / "cluster.json").read_text())
    drawn(into / "cluster.png", report)
    if into.resolve() == PAGE.parents[1] / "performance":
        PAGE.write_text(with_tables(PAGE.read_text(), tables(report)))


def tables(report: Mapping[str, Any]) -> dict[str, str]:
    """In Markdown, by their marks on the page: what was measured where, and what it comes to."""
    figures = report["figures"]
    measured = ["| what | value |", "|---|---|", f"| measured at | {report['measured_at']} |"]
    for heading in ("machine", "versions"):
        values = ", ".join(f"{name} {value}" for name, value in report[heading].items())
        measured.append(f"| {heading} | {values} |")
    made = {"measured": measured, "calls": _calls(figures), "shards": _shards(figures)}
    made["release"] = [
        "| way | shards | pledges a second |",
        "|---|---:|---:|",
        *(
            f"| {each['way']} | {each['shards']} | {each['rate']:,.0f} |"
            for each in figures
            if each["work"] == "release"
        ),
    ]
    made["capacity"] = [
        "| deposits a second | shards, direct | shards behind routers | routers |",
        "|---:|---:|---:|---:|",
    ]
    for deposits in capacity.WANTED if made["calls"][2:] else ():
        found = capacity.needed(report, deposits, capacity.CORES, capacity.BUSY)
        made["capacity"].append(
            f"| {deposits:,} | {found.direct_shards} | {found.routed_shards} | {found.routers} |"
        )
    return {mark: "\n".join(lines) + "\n" for mark, lines in made.items()}


def _calls(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| call | clients | direct | by the router | ratio | ms more | router, µs of processor "
        "| shard, µs (direct) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    direct = {(f["work"], f["clients"]): f for f in figures if f["way"] == "direct"}
    for each in figures:
        other = direct.get((each["work"], each["clients"]))
        if each["way"] != "router" or other is None or "limited" in each["work"]:
            continue
        more = 1000 * each["clients"] * (1 / each["rate"] - 1 / other["rate"])
        lines.append(
            f"| {each['work']} | {each['clients']} | {other['rate']:,.0f}/s "
            f"| {each['rate']:,.0f}/s | {each['rate'] / other['rate']:.2f} | {more:.2f} "
            f"| {each['router_us']:.0f} | {each['shard_us']:.0f} ({other['shard_us']:.0f}) |"
        )
    return lines


def _shards(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| way | shards | deposits a second | times one shard | target |",
        "|---|---:|---:|---:|---:|",
    ]
    some = [f for f in figures if "limited" in f["work"]]
    one = {f["way"]: f["rate"] for f in some if f["shards"] == 1}
    for each in sorted(some, key=lambda f: (f["way"], f["shards"])):
        target = _TARGETS.get((each["way"], each["shards"]), "")
        lines.append(
            f"| {each['way']} | {each['shards']} | {each['rate']:,.0f} "
            f"| {each['rate'] / one[each['way']]:.2f} | {target} |"
        )
    return lines


def drawn(path: Path, report: Mapping[str, Any]) -> None:
    """Deposits a second against shards, for both ways, beside what would be linear."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    some = [f for f in report["figures"] if "limited" in f["work"]]
    for way, color in (("direct", "#336791"), ("router", "#d1495b")):
        points = sorted((f["shards"], f["rate"]) for f in some if f["way"] == way)
        if not points:
            continue
        shards, rates = zip(*points, strict=True)
        axes.plot(shards, rates, marker="o", color=color, label=way)
        linear = [rates[0] * count for count in shards]
        axes.plot(shards, linear, ":", color=color, alpha=0.6, label=f"{way}, were it linear")
    axes.set(
        xlabel=f"shards, each with {report['share']:g} of a processor", ylabel="deposits a second"
    )
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    if some:
        axes.legend()
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)
