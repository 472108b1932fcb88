"""Results as a table, as JSON and as a plot."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.contest import Figure, Result

_TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def printed(console: Console, results: Sequence[Result], figures: Sequence[Figure]) -> None:
    """A line for each contender: its median rate, and how the first compares with it."""
    table = Table("work", "contender", title="Medians", title_justify="left")
    for heading in ("rate", "first is", "target", ""):
        table.add_column(heading, justify="right")
    for result in results:
        for place, name in enumerate(result.rates):
            rate = f"{_short(result.median(name))} {result.unit}"
            if place == 0:
                table.add_row(result.work, name, rate, "", "", "")
                continue
            target = result.at_least.get(name)
            table.add_row(
                "",
                name,
                rate,
                f"{_short(result.ratio(name))} x",
                "" if target is None else f"{target:g} x",
                _verdict(result.met(name)),
            )
        table.add_section()
    for figure in figures:
        rate = f"{_short(figure.value)} {figure.unit}"
        table.add_row(figure.name, "", rate, "", f"<= {figure.at_most:g}", _verdict(figure.met))
    console.print(table)


def written(
    path: Path,
    environment: Mapping[str, Mapping[str, str]],
    results: Sequence[Result],
    figures: Sequence[Figure],
) -> None:
    """All samples, so that whoever doubts a median can look at them."""
    report: dict[str, Any] = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
    report |= environment
    report["contests"] = [
        {
            "work": result.work,
            "unit": result.unit,
            "rates": {
                name: {
                    "median": _rounded(result.median(name)),
                    "samples": list(map(_rounded, all_)),
                }
                for name, all_ in result.rates.items()
            },
            "first_is_times_as_fast_as": {
                name: {
                    "ratio": _rounded(result.ratio(name)),
                    "target": result.at_least.get(name),
                    "met": result.met(name),
                }
                for name in list(result.rates)[1:]
            },
        }
        for result in results
    ]
    report["figures"] = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "value": _rounded(figure.value),
            "at_most": figure.at_most,
            "met": figure.met,
        }
        for figure in figures
    ]
    path.write_text(_in_lines(report) + "\n")


def _in_lines(report: Mapping[str, Any]) -> str:
    """JSON with a line for each entry, each contest and each figure, so that a diff says which."""
    lines = []
    for name, value in report.items():
        if isinstance(value, list):
            rows = ",\n".join(map(json.dumps, value))
            lines.append(f"{json.dumps(name)}: [\n{rows}\n]")
        else:
            lines.append(f"{json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def drawn(path: Path, results: Sequence[Result]) -> None:
    """Bars of the ratios that have a target, with the targets as marks, on a logarithmic axis."""
    plt = _pyplot()
    bars = [(r, name) for r in results for name in r.at_least]
    figure, axes = plt.subplots(figsize=(9, 0.34 * len(bars) + 1.2), layout="constrained")
    places = range(len(bars))
    ratios = [result.ratio(name) for result, name in bars]
    targets = [result.at_least[name] for result, name in bars]
    axes.barh(places, ratios, color="#336791", label="measured")
    axes.plot(targets, places, "|", color="#d1495b", markersize=12, mew=2, label="target")
    for place, ratio, target in zip(places, ratios, targets, strict=True):
        beside = (max(ratio, target), place)
        axes.annotate(_short(ratio), beside, (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, [f"{result.work}\nagainst {name}" for result, name in bars], fontsize=7)
    axes.set_xscale("log")
    axes.set_xticks(_TICKS, [f"{tick:g} x" for tick in _TICKS])
    axes.set_xlim(0.2, 100)
    axes.invert_yaxis()
    axes.set_xlabel("pgwallet is so many times as fast")
    axes.legend(loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    _save(plt, figure, path)


def drawn_growth(path: Path, results: Sequence[Result]) -> None:
    """A panel for each axis, a line for each call: its median time against the size."""
    plt = _pyplot()
    axes_of: dict[str, list[Result]] = {}
    for result in results:
        axes_of.setdefault(result.work.partition(" by ")[2], []).append(result)
    figure, panels = plt.subplots(
        len(axes_of), 1, figsize=(8, 3.4 * len(axes_of)), layout="constrained", squeeze=False
    )
    for panel, (axis, all_) in zip(panels.flat, axes_of.items(), strict=True):
        panel.set_prop_cycle(color=plt.colormaps["tab20"].colors)
        for result in all_:
            sizes = [int(name.replace(",", "")) for name in result.rates]
            times = [1000 / result.median(name) for name in result.rates]
            panel.plot(sizes, times, marker="o", ms=3, label=result.work.partition(" by ")[0])
        panel.set(xscale="log", yscale="log", xlabel=axis, ylabel="ms a call")
        panel.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
        panel.grid(alpha=0.3)
    _save(plt, figure, path)


def inserted(page: Path, results: Path) -> None:
    """Puts the tables of results.json into a page, each where its mark is."""
    page.write_text(with_tables(page.read_text(), tables(json.loads(results.read_text()))))


def with_tables(text: str, made: Mapping[str, str]) -> str:
    """A page with these tables between their marks."""
    for mark, table in made.items():
        start, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->\n"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{table}\n{end}{after}"
    return text


def tables(report: Mapping[str, Any]) -> dict[str, str]:
    """In Markdown: `environment`, `targets` and `growth`."""
    environment = ["| what | value |", "|---|---|", f"| measured at | {report['measured_at']} |"]
    for heading in ("machine", "versions", "settings"):
        values = ", ".join(f"{name} {value}" for name, value in report[heading].items())
        environment.append(f"| {heading} | {values} |")

    targets = [
        "| work | rate | against | its rate | times as fast | target | |",
        "|---|---:|---|---:|---:|---:|---|",
    ]
    growth = ["| call | largest | smallest | times as fast |", "|---|---:|---:|---:|"]
    for contest in report["contests"]:
        rates = {name: rate["median"] for name, rate in contest["rates"].items()}
        first, *others = rates
        ours = f"{_short(rates[first])} {contest['unit']}"
        if " by " in contest["work"]:
            last = others[-1]
            growth.append(
                f"| {contest['work']} | {first}: {ours} | {last}: {_short(rates[last])} "
                f"| {_short(rates[first] / rates[last])} |"
            )
        for other in others:
            compared = contest["first_is_times_as_fast_as"][other]
            if " by " in contest["work"] and compared["target"] is None:
                continue
            target = "" if compared["target"] is None else f"{compared['target']:g}"
            targets.append(
                f"| {contest['work']} | {ours} | {other} | {_short(rates[other])} "
                f"| {_short(compared['ratio'])} | {target} | {_word(compared['met'])} |"
            )
    for figure in report["figures"]:
        targets.append(
            f"| {figure['name']} | {_short(figure['value'])} {figure['unit']} | | | "
            f"| at most {figure['at_most']:g} | {_word(figure['met'])} |"
        )
    lines = {"environment": environment, "targets": targets, "growth": growth}
    return {mark: "\n".join(table) + "\n" for mark, table in lines.items()}


def _word(met: bool | None) -> str:
    return {None: "", True: "met", False: "**missed**"}[met]


def _pyplot() -> Any:
    """Without a display."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    return plt


def _save(plt: Any, figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)


def _verdict(met: bool | None) -> str:
    return _word(met).replace("**missed**", "[bold]missed[/bold]")


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _rounded(number: float) -> float:
    return float(f"{number:.4g}")
