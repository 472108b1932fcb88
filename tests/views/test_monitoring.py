"""What docs/monitoring holds can be imported, and an auditor can run every query of it."""

import json
import re
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml  # type: ignore[import-untyped]
from psycopg.rows import dict_row

from tests.views.books import EXPONENTS, ZERO, Books

pytestmark = pytest.mark.sql

MONITORING = Path(__file__).parents[2] / "docs" / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
EXPORTER = yaml.safe_load((MONITORING / "prometheus-queries.yml").read_text())
METRICS = {
    metric["metric_name"]: (collector, metric)
    for collector in EXPORTER["collectors"]
    for metric in collector["metrics"]
}
DATA_SOURCE = {"type": "postgres", "uid": "${DS_PGWALLET}"}


def rows(conn: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def panel_rows(conn: psycopg.Connection, title: str) -> list[dict[str, Any]]:
    (target,) = PANELS[title]["targets"]
    return rows(conn, target["rawSql"])


def metric_rows(conn: psycopg.Connection, name: str) -> list[dict[str, Any]]:
    collector, metric = METRICS[name]
    if "query" in metric:
        return rows(conn, metric["query"])
    named = {each["query_name"]: each["query"] for each in collector["queries"]}
    return rows(conn, named[metric["query_ref"]])


def test_the_dashboard_asks_for_a_data_source_when_imported() -> None:
    (asked,) = DASHBOARD["__inputs"]
    assert (asked["type"], asked["pluginId"]) == ("datasource", "postgres")
    assert f"${{{asked['name']}}}" == DATA_SOURCE["uid"]
    assert DASHBOARD["id"] is None
    assert DASHBOARD["schemaVersion"] >= 36
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"] == DATA_SOURCE
        assert [target["datasource"] for target in panel["targets"]] == [DATA_SOURCE]


def test_the_panels_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(PANELS) == len(places)
    for one, other in combinations(places, 2):
        assert any(
            a[start] + a[size] <= b[start]
            for start, size in (("x", "w"), ("y", "h"))
            for a, b in ((one, other), (other, one))
        )


@pytest.mark.parametrize("title", PANELS)
def test_an_auditor_runs_each_panel(auditor: psycopg.Connection, title: str) -> None:
    (target,) = PANELS[title]["targets"]
    assert not re.search(r"\$\w|\[\[|\$\{", target["rawSql"]), "a macro or variable of Grafana"
    found = panel_rows(auditor, title)
    assert found
    if target["format"] == "time_series":
        for row in found:
            assert isinstance(row.pop("time"), datetime)
            assert isinstance(row.pop("metric"), str)
            (amount,) = row.values()
            assert isinstance(amount, Decimal)


def test_the_panels_show_what_the_books_say(books: Books, auditor: psycopg.Connection) -> None:
    locked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for escrow in books.escrows.values():
        locked[books.currency[escrow.project_id]] += escrow.left
    shown = {row["currency"]: row["locked"] for row in panel_rows(auditor, "Locked in escrow")}
    assert shown == locked
    ready = {row["currency"]: row["ready"] for row in panel_rows(auditor, "Ready to pay out")}
    for currency in EXPONENTS:
        held = [books.held[p] for p in books.projects if books.currency[p] == currency]
        assert ready[currency] == sum(held, ZERO)
    income: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in panel_rows(auditor, "Platform income by month"):
        income[row["metric"]] += row["income"]
    for currency in EXPONENTS:
        earned = books.moved[currency, "commission"] + books.moved[currency, "fee"]
        assert income[currency] == earned
    oldest = panel_rows(auditor, "Oldest locked escrows")[0]["escrow_id"]
    assert int(oldest) == min(e for e, escrow in books.escrows.items() if escrow.left)


VIOLATIONS = "Violations found by check_ledger"


def test_a_violation_shows_in_the_panel_and_in_the_metric(
    books: Books, auditor: psycopg.Connection
) -> None:
    assert panel_rows(auditor, VIOLATIONS) == [{"violations": 0}]
    assert metric_rows(auditor, "pgwallet_violations") == [{"violations": 0}]
    conn = books.conn
    with conn.transaction(force_rollback=True):
        conn.execute("update pgwallet.account set balance = balance + 1 where kind = 'project'")
        assert panel_rows(conn, VIOLATIONS) == [{"violations": len(books.projects)}]
        assert metric_rows(conn, "pgwallet_violations") == [{"violations": len(books.projects)}]


@pytest.mark.parametrize("name", METRICS)
def test_an_auditor_runs_the_query_of_each_metric(auditor: psycopg.Connection, name: str) -> None:
    collector, metric = METRICS[name]
    assert collector["collector_name"] in EXPORTER["target"]["collectors"]
    assert re.fullmatch(r"pgwallet_[a-z_]+", name)
    assert metric["help"]
    assert metric["type"] == ("counter" if name.endswith("_total") else "gauge")
    labels = metric.get("key_labels", [])
    if len(metric["values"]) > 1:
        assert metric["value_label"] not in labels
    found = metric_rows(auditor, name)
    assert found
    assert len({tuple(row[label] for label in labels) for row in found}) == len(found)
    for row in found:
        for value in metric["values"]:
            assert isinstance(row[value], Decimal | int), (name, value, row)


def test_the_metrics_say_what_the_books_say(books: Books, auditor: psycopg.Connection) -> None:
    moved = {row["currency"]: row for row in metric_rows(auditor, "pgwallet_moved_amount_total")}
    for currency in EXPONENTS:
        for value, what in (("deposited", "deposit"), ("refunded", "refund"), ("fee", "fee")):
            assert moved[currency][value] == books.moved[currency, what]
    closed = {
        project_id
        for (project_id,) in books.conn.execute(
            "select project_id from pgwallet.project where status <> 'open'"
        )
    }
    found = metric_rows(auditor, "pgwallet_unsettled_escrows")
    assert sum(row["unsettled_count"] for row in found) > 0
    for row in found:
        left = [
            escrow
            for escrow in books.escrows.values()
            if escrow.left
            and escrow.project_id in closed
            and books.currency[escrow.project_id] == row["currency"]
        ]
        assert row["unsettled_count"] == len(left)


@pytest.mark.parametrize("before", [True, False])
def test_an_escrow_past_its_expiry_is_counted_unless_its_project_succeeded_before(
    books: Books, before: bool
) -> None:
    with books.conn.transaction(force_rollback=True):
        books.conn.execute(
            """
            update pgwallet.escrow as e
            set expires_at = coalesce(p.closed_at + %s::interval, clock_timestamp())
            from pgwallet.project as p
            where p.project_id = e.project_id
            """,
            ["0" if before else "1 microsecond"],
        )
        counted = {
            row["currency"]: row["expired_count"]
            for row in metric_rows(books.conn, "pgwallet_expired_escrows")
        }
        expected = books.conn.execute(
            "select currency, count(*) from pgwallet.escrow_summary "
            "where status = 'locked' and (%s or reference not like 'won %%') group by currency",
            [before],
        ).fetchall()
        assert counted == dict(expected)
