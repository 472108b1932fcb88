"""The alerts fire when they should, by Prometheus' own tool."""

import shutil
import subprocess
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from tests import servers
from tests.docs.blocks import ROOT

RULES = ROOT / "docs" / "monitoring" / "prometheus-alerts.yml"
PROMTOOL = shutil.which("promtool")


def promtool(*arguments: str | Path) -> str:
    if PROMTOOL is None:
        servers.missing("promtool is not installed: apt-get install prometheus")
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", RULES)


# The values of each half hour, as Prometheus writes them; and what is on after 49 hours.
QUIET = {
    "pgwallet_violations": "0x100",
    "pgwallet_status_exit_code": "0x100",
    "pgwallet_check_exit_code": "0x100",
    "pgwallet_checks_timestamp_seconds": "0+1800x100",
    "pgwallet_last_check_timestamp_seconds": "0+1800x100",
    "pgwallet_oldest_unsealed_age_seconds": "0x100",
    "pgwallet_last_seal_timestamp_seconds": "0x100",
}
CASES: dict[str, tuple[dict[str, str | None], set[str]]] = {
    # Nothing new makes no seal, so the last one is old.
    "a quiet ledger": ({}, set()),
    "seals have stopped": (
        {"pgwallet_oldest_unsealed_age_seconds": "0+1800x100"},
        {"LedgerNotSealed"},
    ),
    "a violation": ({"pgwallet_violations": "1x100"}, {"LedgerBroken"}),
    "a check on a standby finds one": ({"pgwallet_check_exit_code": "1x100"}, {"LedgerBroken"}),
    "drift": ({"pgwallet_status_exit_code": "1x100"}, {"LedgerDrifted"}),
    "a check cannot look": ({"pgwallet_check_exit_code": "3x100"}, {"LedgerCheckFails"}),
    "no exporter": ({"pgwallet_violations": None}, {"LedgerNotWatched"}),
    "nobody ever ran the checks": ({"pgwallet_status_exit_code": None}, {"LedgerNotWatched"}),
    "checks ended two days ago": (
        {
            "pgwallet_checks_timestamp_seconds": "0x100",
            "pgwallet_last_check_timestamp_seconds": "0x100",
            "pgwallet_check_exit_code": None,
        },
        {"LedgerChecksStopped", "LedgerNotChecked"},
    ),
}


def test_each_fires_for_what_it_is_for_and_for_nothing_else(tmp_path: Path) -> None:
    """One run for all: promtool takes each as a world of its own."""
    groups = []
    for what, (changes, fires) in CASES.items():
        values = {name: value for name, value in {**QUIET, **changes}.items() if value is not None}
        groups.append(
            {
                "name": what,
                "interval": "30m",
                "input_series": [{"series": n, "values": v} for n, v in values.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "49h",
                        "exp_samples": [
                            {"labels": f'{{alertname="{name}"}}', "value": 1}
                            for name in sorted(fires)
                        ],
                    }
                ],
            }
        )
    written = tmp_path / "alerts.yml"
    written.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30m", "tests": groups})
    )
    promtool("test", "rules", written)
