"""What docs/monitoring holds can be imported, and the role `monitor` can run every query of it."""

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

import pgwallet
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
ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load((MONITORING / "prometheus-alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
RUN_CHECKS = MONITORING / "run-checks.sh"
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
def test_a_monitor_runs_each_panel(monitor: psycopg.Connection, title: str) -> None:
    (target,) = PANELS[title]["targets"]
    assert not re.search(r"\$\w|\[\[|\$\{", target["rawSql"]), "a macro or variable of Grafana"
    found = panel_rows(monitor, title)
    assert found
    if target["format"] == "time_series":
        for row in found:
            assert isinstance(row.pop("time"), datetime)
            assert isinstance(row.pop("metric"), str)
            (amount,) = row.values()
            assert isinstance(amount, Decimal)


def total(books: Books, *kinds: str) -> dict[str, Decimal]:
    """What accounts of these kinds hold, in each currency."""
    rows = books.conn.execute(
        "select a.currency, sum(pgwallet.balance(a.account_id)) from pgwallet.account as a "
        "where a.kind = any (%s) and a.currency = any (%s) group by a.currency",
        [list(kinds), list(EXPONENTS)],
    )
    return dict(rows.fetchall())


def shown(conn: psycopg.Connection, title: str, column: str) -> dict[str, Decimal]:
    return {row["currency"]: row[column] for row in panel_rows(conn, title)}


def test_the_panels_show_what_the_books_say(books: Books, monitor: psycopg.Connection) -> None:
    locked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for escrow in books.escrows.values():
        locked[books.currency[escrow.project_id]] += escrow.left
    assert shown(monitor, "Locked in escrow", "locked") == locked
    ready = shown(monitor, "Ready to pay out", "ready")
    for currency in EXPONENTS:
        held = [books.held[p] for p in books.projects if books.currency[p] == currency]
        assert ready[currency] == sum(held, ZERO)
    income: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in panel_rows(monitor, "Platform income by month"):
        income[row["metric"]] += row["income"]
    for currency in EXPONENTS:
        earned = books.moved[currency, "commission"] + books.moved[currency, "fee"]
        assert income[currency] == earned


def test_the_panels_show_where_the_money_is(books: Books, monitor: psycopg.Connection) -> None:
    title = "Where the money is"
    assert shown(monitor, title, "in_wallets") == total(books, "wallet", "pocket")
    assert shown(monitor, title, "locked") == total(books, "escrow")
    assert shown(monitor, title, "ready_to_pay_out") == total(books, "project")
    assert shown(monitor, title, "earned") == total(books, "commission", "fee")


def test_what_disputes_hold_shows(books: Books, monitor: psycopg.Connection) -> None:
    disputed: defaultdict[str, list[Decimal]] = defaultdict(list)
    for escrow in books.escrows.values():
        if escrow.disputed:
            disputed[books.currency[escrow.project_id]].append(escrow.left)
    assert disputed
    for row in metric_rows(monitor, "pgwallet_disputed_amount"):
        assert row["disputed_amount"] == sum(disputed[row["currency"]], ZERO)
        assert row["disputed_count"] == len(disputed[row["currency"]])


def test_a_violation_that_a_check_found_shows(books: Books, monitor: psycopg.Connection) -> None:
    conn = books.conn
    assert panel_rows(monitor, "Violations") == [{"violations": None}]
    with conn.transaction(force_rollback=True):
        conn.execute("update pgwallet.account set balance = balance + 1 where kind = 'project'")
        assert len(pgwallet.record_check(conn)) == len(books.projects)
        assert panel_rows(conn, "Violations") == [{"violations": len(books.projects)}]
        (row,) = metric_rows(conn, "pgwallet_violations")
        assert row["violations"] == len(books.projects)


@pytest.mark.parametrize("name", METRICS)
def test_a_monitor_runs_the_query_of_each_metric(monitor: psycopg.Connection, name: str) -> None:
    collector, metric = METRICS[name]
    assert collector["collector_name"] in EXPORTER["target"]["collectors"]
    assert re.fullmatch(r"pgwallet_[a-z_]+", name)
    assert metric["help"]
    assert metric["type"] == ("counter" if name.endswith("_total") else "gauge")
    labels = metric.get("key_labels", [])
    if len(metric["values"]) > 1:
        assert metric["value_label"] not in labels
    found = metric_rows(monitor, name)
    assert found
    assert len({tuple(row[label] for label in labels) for row in found}) == len(found)
    for row in found:
        for value in metric["values"]:
            assert isinstance(row[value], Decimal | int), (name, value, row)


def test_the_metrics_say_what_moved(books: Books, monitor: psycopg.Connection) -> None:
    moved = {row["currency"]: row for row in metric_rows(monitor, "pgwallet_moved_amount")}
    for currency in EXPONENTS:
        for value, what in (("deposited", "deposit"), ("refunded", "refund"), ("fee", "fee")):
            assert moved[currency][value] == books.moved[currency, what]
    for row in moved.values():
        of_currency = monitor.execute(
            "select sum(deposited_amount), sum(withdrawn_amount), sum(pledged_amount), "
            "sum(released_amount), sum(refunded_amount), sum(commission_amount), sum(fee_amount), "
            "sum(paid_out_amount), sum(collected_amount) "
            "from pgwallet.platform_summary where currency = %s",
            [row["currency"]],
        ).fetchone()
        (metric,) = [metric for name, (_, metric) in METRICS.items() if "moved" in name]
        assert of_currency == tuple(row[value] for value in metric["values"])


def test_projects_that_ended_and_hold_locked_escrows_are_counted(
    books: Books, monitor: psycopg.Connection
) -> None:
    unsettled = {
        escrow.project_id
        for escrow in books.escrows.values()
        if escrow.left and not escrow.disputed
    } & {
        project_id
        for (project_id,) in books.conn.execute(
            "select project_id from pgwallet.project where status <> 'open'"
        )
    }
    assert unsettled
    for row in metric_rows(monitor, "pgwallet_unsettled_projects"):
        of_currency = [each for each in unsettled if books.currency[each] == row["currency"]]
        assert row["unsettled_count"] == len(of_currency)


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
        found = metric_rows(books.conn, "pgwallet_expired_escrows")
        expected = books.conn.execute(
            "select currency, count(*) from pgwallet.escrow_summary "
            "where status = 'locked' and (%s or reference not like 'won %%') group by currency",
            [before],
        ).fetchall()
        assert {row["currency"]: row["expired_count"] for row in found} == dict(expected)
        assert all(0 < row["expired_age"] < 3600 for row in found)


def test_the_oldest_locked_escrow_is_that_of_the_views(
    books: Books, monitor: psycopg.Connection
) -> None:
    ages = books.conn.execute(
        "select currency, extract(epoch from now() - min(created_at)) "
        "from pgwallet.escrow_summary where status in ('locked', 'disputed') group by currency"
    ).fetchall()
    for row in metric_rows(monitor, "pgwallet_oldest_locked_escrow_age_seconds"):
        assert row["locked_age"] >= dict(ages)[row["currency"]]


def test_alerts_are_about_metrics_that_there_are() -> None:
    written = set(re.findall(r"^(pgwallet_\w+) ", RUN_CHECKS.read_text(), re.MULTILINE))
    assert written
    known = {*METRICS, *written}
    used = set()
    for alert in ALERTS.values():
        found = set(re.findall(r"pgwallet_\w+", alert["expr"]))
        assert found <= known, alert
        used |= found
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["summary"].endswith(".")
    assert written <= used


def test_the_page_names_every_alert() -> None:
    page = (MONITORING.parent / "how-to" / "monitoring.md").read_text()
    named = re.findall(r"^\| `([A-Z]\w+)` \|", page, re.MULTILINE)
    assert named == list(ALERTS)
    for name in METRICS:
        assert f"`{name}`" in page, name
