"""A function that is in the catalogue is tested everywhere, without a line about it anywhere.

A copy of the project gets `stub_deposit`, which takes a key, records nothing, moves nothing and is
given to a role too many; its entry in the catalogue says that it is like a deposit. Each place that
iterates over the catalogue has to notice. Without the entry, the catalogue's own test does.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import IS_FULL
from tests.mutants.trial import FAILED, ROOT, copy_of

FUNCTION = """\
-- Takes a key and does nothing.
create or replace function pgwallet.stub_deposit(
  p_wallet_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query select 1::bigint, 100.00, false;
end;
$function$;
comment on function pgwallet.stub_deposit(bigint, numeric, text, jsonb, timestamptz) is
'Does nothing.';
"""
ENTRY = """\
    CallOf(
        name="stub_deposit",
        given_to=APPLICATION,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": amount},
        moves={"wallet": IN},
    ),
"""
DECLARATION = '''

@database_function
def stub_deposit(
    wallet_id: int,
    amount: Decimal | int,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Deposit:
    """Do nothing."""
'''

# What notices, and the tests of it that are run: those that name the function, and those of all.
PLACES = {
    "tests/ledger/test_refusals.py": "stub_deposit",
    "tests/ledger/test_idempotency.py": "stub_deposit",
    "tests/ledger/test_order_of_errors.py": "stub_deposit",
    "tests/ledger/test_to_the_last_unit.py": "stub_deposit",
    "tests/concurrency/test_keys.py": "stub_deposit",
    "tests/concurrency/test_money.py": "test_a_call_goes_on and stub_deposit",
    "tests/concurrency/test_lock_order.py": "stub_deposit",
    "tests/model/test_model.py": "test_the_reference_has",
    "tests/mutants/test_list.py": "stub_deposit",
    "tests/access/test_grants.py": "test_an_access_is_exactly_its_functions",
    "tests/faults/test_connection_cut.py": "test_every_call and before_commit",
    "tests/attackers/test_functions.py": "stub_deposit",
    "tests/attackers/test_numbers.py": "stub_deposit",
    "tests/storm/test_storm.py": "storm and read_committed",
    "tests/bench/test_calls.py": "stub_deposit",
}
# These make calls of all functions at once; they are left to a full run.
LONG = {"tests/faults/test_connection_cut.py", "tests/storm/test_storm.py"}
# As few as take all functions.
HURRIED = {"PGWALLET_FAULTS": "3", "PGWALLET_STORM_CALLS": "300"}


def add_function(tree: Path) -> None:
    """Installs it, and has the driver know it."""
    (tree / "db" / "procedures" / "wallets" / "stub_deposit.sql").write_text(FUNCTION)
    replace(
        tree / "db/procedures/access/internal/_rights_of.sql", "'balance_at',", "'stub_deposit',"
    )
    wallets = tree / "driver" / "pgwallet" / "wallets.py"
    wallets.write_text(wallets.read_text() + DECLARATION)
    package = tree / "driver" / "pgwallet" / "__init__.py"
    replace(package, "from .wallets import (\n", "from .wallets import (\n    stub_deposit,\n")
    replace(package, '    "statement",\n', '    "statement",\n    "stub_deposit",\n')


def replace(path: Path, old: str, new: str) -> None:
    """Puts the new text before the old one, which has to be there once."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old} is not in {path} once"
    path.write_text(text.replace(old, f"{new} {old}" if new.endswith(",") else new))


def failed_in(tree: Path, server: str, *arguments: str) -> set[str]:
    """The files of the tests that failed, on this server; a full run kills one of its own."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", *arguments],
        cwd=tree,
        env={
            **environment,
            **HURRIED,
            "PYTHONPATH": str(tree / "driver"),
            **({} if IS_FULL else {"PGWALLET_TEST_SERVER": server}),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout
    return {test.split("::")[0] for test in re.findall(FAILED, done.stdout)}


@pytest.mark.timeout(600)
def test_a_stub_is_noticed_in_every_place_by_its_entry_alone(server: str) -> None:
    with copy_of(ROOT) as tree:
        add_function(tree)
        replace(tree / "tests/catalogue/calls.py", "_ESCROW = (\n", f"_ESCROW = (\n{ENTRY}")
        places = {place: tests for place, tests in PLACES.items() if IS_FULL or place not in LONG}
        tests = " or ".join(f"({tests})" for tests in sorted(set(places.values())))
        assert failed_in(tree, server, "-k", tests, *places) == set(places)


@pytest.mark.timeout(300)
def test_a_function_without_an_entry_fails_the_contract(server: str) -> None:
    place = "tests/contract/test_catalogue.py"
    with copy_of(ROOT) as tree:
        add_function(tree)
        assert failed_in(tree, server, place, "-k", "test_every_public_function_has_an_entry") == {
            place
        }
