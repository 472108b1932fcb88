"""The functions that read and check: one entry each."""

from datetime import UTC, datetime

from tests import clusters
from tests.catalogue.access import AUDIT, EVERYBODY, MONITORING, READING
from tests.catalogue.call_of import CallOf
from tests.catalogue.kinds import PROJECT_STATUS

READING_CALLS = (
    CallOf(name="balance", given_to=READING, good=lambda w, _: {"p_account_id": w.wallet}),
    CallOf(
        name="balance_at",
        given_to=READING,
        good=lambda w, _: {"p_account_id": w.wallet, "p_at": datetime.now(UTC)},
    ),
    CallOf(name="statement", given_to=READING, good=lambda w, _: {"p_account_id": w.wallet}),
    CallOf(
        name="list_wallets", given_to=READING, good=lambda w, _: {"p_owner_id": w.called("ada")}
    ),
    CallOf(name="list_pockets", given_to=READING, good=lambda w, _: {"p_wallet_id": w.wallet}),
    CallOf(
        name="list_escrows",
        given_to=READING,
        good=lambda w, _: {"p_wallet_id": w.wallet, "p_project_id": w.open},
    ),
    CallOf(
        name="list_settled_escrows",
        given_to=READING,
        good=lambda w, _: {"p_transaction_id": w.transaction},
    ),
    CallOf(name="get_escrow", given_to=READING, good=lambda w, _: {"p_escrow_id": w.escrow}),
    CallOf(name="get_project", given_to=READING, good=lambda w, _: {"p_project_id": w.open}),
    CallOf(
        name="find_project", given_to=READING, good=lambda w, _: {"p_reference": w.called("open")}
    ),
    CallOf(
        name="list_projects",
        given_to=READING,
        good=lambda w, _: {},
        kinds={"p_status": PROJECT_STATUS},
    ),
    CallOf(
        name="get_transaction",
        given_to=READING,
        good=lambda w, _: {"p_transaction_id": w.transaction},
    ),
    CallOf(
        name="find_transaction",
        given_to=READING,
        good=lambda w, _: {"p_idempotency_key": "nobody's"},
    ),
    CallOf(name="list_events", given_to=AUDIT, good=lambda w, _: {"p_subject_id": w.wallet}),
    # Behind the last one: for any other it waits, which only the lowest level of isolation allows.
    CallOf(
        name="read_feed",
        given_to=AUDIT,
        good=lambda w, _: {"p_after_posting_id": 2**63 - 1, **clusters.OF_ONE_SHARD},
    ),
    CallOf(name="check_ledger", given_to=AUDIT, good=lambda w, _: {}),
    CallOf(name="check_seals", given_to=AUDIT, good=lambda w, _: {}),
    CallOf(name="list_seals", given_to=AUDIT, good=lambda w, _: {}),
    CallOf(name="record_check", given_to=AUDIT, good=lambda w, _: {}),
    CallOf(name="currency_metrics", given_to=MONITORING, good=lambda w, _: {}),
    CallOf(name="ledger_metrics", given_to=MONITORING, good=lambda w, _: {}),
    CallOf(name="list_rights", given_to=EVERYBODY, good=lambda w, _: {}),
    CallOf(name="list_sequences", given_to=EVERYBODY, good=lambda w, _: {}),
    CallOf(name="show_deployment", given_to=EVERYBODY, good=lambda w, _: {}),
)
