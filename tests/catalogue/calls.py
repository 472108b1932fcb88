"""Every public function of the schema, one entry each."""

from collections.abc import Iterable
from decimal import Decimal

from tests.catalogue.access import APPLICATION, OPERATION, OWNER_ALONE
from tests.catalogue.call_of import IN, OUT, Arguments, CallOf
from tests.catalogue.kinds import DISPUTE_OUTCOME, EARNED_IN
from tests.catalogue.reading_calls import READING_CALLS
from tests.catalogue.states import (
    BATCH,
    ESCROW_DISPUTED,
    LEAVING,
    OF_WALLET,
    PROJECT_FROZEN,
)
from tests.catalogue.wallet_calls import ACCOUNT_CALLS, OPENING_CALLS, WALLET_CALLS
from tests.catalogue.world import World

NET = Decimal("0.8")  # of what is released, after the rates of the world's projects

_ESCROW = (
    CallOf(
        name="pledge",
        given_to=APPLICATION,
        states={**LEAVING, PROJECT_FROZEN: "PW208"},
        good=lambda w, amount: {
            "p_wallet_id": w.wallet,
            "p_project_id": w.open,
            "p_amount": amount,
        },
        moves={"wallet": OUT},
        refused=[
            ("PW003", lambda w: {"p_wallet_id": w.yen_wallet}),
            ("PW003", lambda w: {"p_project_id": w.yen_project}),
            ("PW204", lambda w: {"p_project_id": w.succeeded}),
            ("PW204", lambda w: {"p_project_id": w.failed}),
            ("PW301", lambda w: {"p_amount": "600"}),
            ("PW301", lambda w: {"p_amount": "500.01"}),
            ("PW201", lambda w: {"p_amount": "101"}),
            ("PW201", lambda w: {"p_amount": "250"}),
        ],
    ),
    CallOf(
        name="pledge_many",
        given_to=APPLICATION,
        states={**LEAVING, PROJECT_FROZEN: "PW208"},
        good=lambda w, amount: {
            "p_project_id": w.open,
            "p_wallet_ids": [w.wallet],
            "p_amounts": [amount],
        },
        moves={"wallet": OUT},
        refused=[
            ("PW003", lambda w: {"p_wallet_ids": [w.yen_wallet, w.wallet]}),
            ("PW003", lambda w: {"p_wallet_ids": [w.wallet, w.yen_wallet]}),
            ("PW003", lambda w: {"p_project_id": w.yen_project}),
            ("PW204", lambda w: {"p_project_id": w.succeeded}),
            ("PW204", lambda w: {"p_project_id": w.failed}),
            ("PW301", lambda w: {"p_amounts": ["600", "1"]}),
            ("PW301", lambda w: {"p_amounts": ["10", "500.01"]}),
            ("PW201", lambda w: {"p_amounts": ["50", "51"]}),
            ("PW201", lambda w: {"p_amounts": ["50", "50.01"]}),
        ],
    ),
    CallOf(
        name="release_escrow",
        given_to=OPERATION,
        states={ESCROW_DISPUTED: "PW202"},
        good=lambda w, amount: {"p_escrow_id": w.escrow, "p_amount": amount},
        moves={"open": NET},
        refused=[
            ("PW202", lambda w: {"p_escrow_id": w.disputed_escrow, "p_amount": None}),
            ("PW205", lambda w: {"p_escrow_id": w.failed_escrow}),
            ("PW205", lambda w: {"p_escrow_id": w.failed_escrow, "p_amount": None}),
            ("PW206", lambda w: {"p_amount": "900"}),
            ("PW206", lambda w: {"p_amount": "30.01"}),
            ("PW206", lambda w: {"p_escrow_id": w.succeeded_escrow, "p_amount": "900"}),
            ("PW202", lambda w: {"p_escrow_id": w.settled_escrow, "p_amount": None}),
            ("PW202", lambda w: {"p_escrow_id": w.settled_escrow, "p_amount": "0.01"}),
        ],
    ),
    CallOf(
        name="refund_escrow",
        given_to=OPERATION,
        states={ESCROW_DISPUTED: "PW202"},
        good=lambda w, amount: {"p_escrow_id": w.escrow, "p_amount": amount},
        moves={"wallet": IN},
        refused=[
            ("PW202", lambda w: {"p_escrow_id": w.disputed_escrow, "p_amount": None}),
            ("PW206", lambda w: {"p_amount": "900"}),
            ("PW206", lambda w: {"p_amount": "30.01"}),
            ("PW206", lambda w: {"p_escrow_id": w.failed_escrow, "p_amount": "900"}),
            ("PW202", lambda w: {"p_escrow_id": w.settled_escrow, "p_amount": None}),
            ("PW202", lambda w: {"p_escrow_id": w.settled_escrow, "p_amount": "0.01"}),
        ],
    ),
    # Of 30: what is more comes from the wallet.
    CallOf(
        name="change_pledge",
        given_to=APPLICATION,
        states={**LEAVING, PROJECT_FROZEN: "PW208", ESCROW_DISPUTED: "PW202"},
        good=lambda w, amount: {"p_escrow_id": w.escrow, "p_amount": 30 + amount},
        moves={"wallet": OUT},
        whole=True,
        refused=[
            ("PW204", lambda w: {"p_escrow_id": w.succeeded_escrow}),
            ("PW204", lambda w: {"p_escrow_id": w.failed_escrow, "p_amount": 1}),
            ("PW202", lambda w: {"p_escrow_id": w.disputed_escrow}),
            ("PW206", lambda w: {"p_escrow_id": w.settled_escrow, "p_amount": "29.99"}),
            ("PW301", lambda w: {"p_amount": "500.01"}),
            ("PW201", lambda w: {"p_amount": "130.01"}),
        ],
    ),
    CallOf(
        name="cancel_pledge",
        given_to=APPLICATION,
        states={ESCROW_DISPUTED: "PW202"},
        good=lambda w, _: {"p_escrow_id": w.small_escrow},
        moves={"wallet": IN},
        whole=True,
        refused=[
            ("PW204", lambda w: {"p_escrow_id": w.succeeded_escrow}),
            ("PW204", lambda w: {"p_escrow_id": w.failed_escrow}),
            ("PW202", lambda w: {"p_escrow_id": w.settled_escrow}),
            ("PW202", lambda w: {"p_escrow_id": w.disputed_escrow}),
        ],
    ),
    CallOf(
        name="refund_release",
        given_to=OPERATION,
        good=lambda w, amount: {"p_escrow_id": w.released_escrow, "p_amount": amount},
        moves={"wallet": IN, "charged": -NET},
        refused=[
            ("PW206", lambda w: {"p_amount": "250.01"}),
            ("PW206", lambda w: {"p_escrow_id": w.escrow}),
            ("PW206", lambda w: {"p_escrow_id": w.escrow, "p_amount": None}),
            ("PW201", lambda w: {"p_amount": "200.01", "p_keep_fees": True}),
        ],
    ),
    CallOf(
        name="dispute_escrow",
        given_to=OPERATION,
        good=lambda w, _: {"p_escrow_id": w.escrow, "p_reason": "the card was stolen"},
        refused=[("PW202", lambda w: {"p_escrow_id": w.settled_escrow})],
    ),
    CallOf(
        name="resolve_dispute",
        given_to=OPERATION,
        good=lambda w, _: {"p_escrow_id": w.disputed_escrow, "p_outcome": "upheld"},
        kinds={"p_outcome": DISPUTE_OUTCOME},
        refused=[
            ("PW202", lambda w: {"p_escrow_id": w.escrow}),
            ("PW202", lambda w: {"p_escrow_id": w.settled_escrow}),
        ],
    ),
    CallOf(
        name="payout",
        given_to=OPERATION,
        states={PROJECT_FROZEN: "PW208"},
        good=lambda w, amount: {"p_project_id": w.open, "p_amount": amount},
        moves={"open": OUT},
        refused=[("PW201", lambda w: {"p_amount": "250"})],
    ),
)

_ENDING = (
    CallOf(
        name="close_project",
        given_to=OPERATION,
        good=lambda w, _: {"p_project_id": w.open, "p_outcome": "failed"},
        refused=[
            ("PW204", lambda w: {"p_project_id": w.succeeded}),
            ("PW204", lambda w: {"p_project_id": w.failed, "p_outcome": "succeeded"}),
        ],
    ),
    CallOf(
        name="release_escrows",
        given_to=OPERATION,
        states=BATCH,
        good=lambda w, _: {"p_project_id": w.succeeded},
        refused=[
            ("PW205", lambda w: {"p_project_id": w.open}),
            ("PW205", lambda w: {"p_project_id": w.failed}),
        ],
    ),
    CallOf(
        name="refund_escrows",
        given_to=OPERATION,
        states=BATCH,
        good=lambda w, _: {"p_project_id": w.failed},
        refused=[
            ("PW205", lambda w: {"p_project_id": w.open}),
            ("PW205", lambda w: {"p_project_id": w.succeeded}),
        ],
    ),
    CallOf(name="refund_expired_escrows", given_to=OPERATION, states=BATCH, good=lambda w, _: {}),
    CallOf(
        name="release_project",
        given_to=OPERATION,
        states=BATCH,
        good=lambda w, _: {"p_project_id": w.open},
        refused=[("PW204", lambda w: {"p_project_id": w.failed})],
    ),
    CallOf(
        name="refund_project",
        given_to=OPERATION,
        states=BATCH,
        good=lambda w, _: {"p_project_id": w.open},
        refused=[("PW204", lambda w: {"p_project_id": w.succeeded})],
    ),
)

# Of a deposit of 10.
_CORRECTING = (
    CallOf(
        name="reverse_transaction",
        given_to=OPERATION,
        states=OF_WALLET,
        good=lambda w, _: {"p_transaction_id": w.transaction},
        moves={"wallet": OUT},
        whole=True,
        refused=[
            ("PW207", lambda w: {"p_transaction_id": w.release}),
            ("PW207", lambda w: {"p_transaction_id": w.reversed}),
            ("PW207", lambda w: {"p_transaction_id": w.reversal}),
            ("PW201", lambda w: {"p_transaction_id": w.spent}),
        ],
    ),
)

_CONTROLS = (
    CallOf(
        name="collect_earnings",
        given_to=OPERATION,
        good=lambda w, amount: {
            "p_currency": "EUR",
            "p_account": "commission",
            "p_amount": amount,
        },
        kinds={"p_currency": EARNED_IN},
        refused=[("PW201", lambda w: {"p_amount": "999999999999999.99"})],
    ),
    CallOf(name="erase_owner", given_to=OPERATION, good=lambda w, _: {"p_wallet_id": w.wallet}),
    CallOf(name="seal_ledger", given_to=OPERATION, alone=True, good=lambda w, _: {}),
)

_ADMINISTRATION = (
    # Any role that exists will do.
    *(
        CallOf(name=name, given_to=OWNER_ALONE, good=lambda w, _: {"p_role": "pg_monitor"})
        for name in ("grant_app", "grant_operator", "grant_auditor", "grant_monitor")
    ),
    CallOf(name="skip_ids", given_to=OWNER_ALONE, good=lambda w, _: {"p_margin": 10**6}),
)


def _by_name(*entries: Iterable[CallOf]) -> dict[str, CallOf]:
    return {call.name: call for group in entries for call in group}


CALLS = _by_name(
    *(OPENING_CALLS, WALLET_CALLS, ACCOUNT_CALLS, _ESCROW, _ENDING, _CORRECTING, _CONTROLS),
    *(READING_CALLS, _ADMINISTRATION),
)

# Names, for tests to be parametrized by.
FUNCTIONS = [name for name, call in CALLS.items() if not call.signature.is_procedure]
# Those that a transaction may have several of.
TOGETHER = [name for name in FUNCTIONS if not CALLS[name].alone]
KEYED = [name for name, call in CALLS.items() if call.is_keyed]
BULK = [name for name in KEYED if CALLS[name].is_bulk]
SINGLE = [name for name in KEYED if not CALLS[name].is_bulk]
# Those that move an amount of the caller's choice, as often as they are called.
MOVING = [name for name, call in CALLS.items() if call.moves and not call.whole]


def given_to(access: str) -> list[str]:
    return [name for name, call in CALLS.items() if access in call.given_to]


def good(name: str, world: World, amount: object = 10) -> Arguments:
    """Arguments with which the call does its work, on this amount if it is about one."""
    return CALLS[name].good(world, amount)
