"""Every public function of the schema, one entry each."""

from collections.abc import Iterable
from decimal import Decimal

from tests.catalogue.access import APPLICATION, OPERATION, OWNER_ALONE
from tests.catalogue.call_of import Arguments, CallOf
from tests.catalogue.kinds import CODE, DISPUTE_OUTCOME, EARNED_IN, FREE_ID, HOLDER, TARGET
from tests.catalogue.reading_calls import READING_CALLS
from tests.catalogue.states import (
    ESCROW_DISPUTED,
    LEFT_OUT,
    OWING,
    POCKET_CLOSED,
    PROJECT_FROZEN,
    WALLET_CLOSED,
    WALLET_FROZEN,
)
from tests.catalogue.world import World

IN, OUT = Decimal(1), Decimal(-1)
NET = Decimal("0.8")  # of what is released, after the rates of the world's projects

# What many functions answer in the states that their accounts may be in.
_OF_WALLET = {WALLET_CLOSED: "PW209"}
_OF_POCKET = {WALLET_CLOSED: "PW209", POCKET_CLOSED: "PW209"}
_LEAVING = {WALLET_FROZEN: "PW208", WALLET_CLOSED: "PW209"}
_ALLOCATING = {**_OF_WALLET, OWING: "PW201"}  # credit never fills a pocket
_BATCH = {ESCROW_DISPUTED: LEFT_OUT}

_OPENING = (
    CallOf(
        name="create_currency",
        given_to=OWNER_ALONE,
        good=lambda w, _: {"p_currency": "POINTS", "p_exponent": 18, "p_name": "Points"},
        kinds={"p_currency": CODE},
        refused=[("PW002", lambda w: {"p_currency": "EUR"})],
    ),
    CallOf(name="create_wallet", given_to=APPLICATION, good=lambda w, _: {"p_owner_id": "bob"}),
    CallOf(
        name="create_pocket",
        given_to=APPLICATION,
        states=_OF_WALLET,
        good=lambda w, _: {"p_wallet_id": w.wallet, "p_name": "rent"},
        refused=[
            ("PW302", lambda w: {"p_allocation_percentage": "50.0001"}),
            ("PW002", lambda w: {"p_name": "holiday"}),
            ("PW002", lambda w: {"p_stop_at_target": True}),
            ("PW002", lambda w: {"p_allocation_percentage": 10, "p_takes_rest": True}),
        ],
    ),
    CallOf(
        name="rename_pocket",
        given_to=APPLICATION,
        states=_OF_POCKET,
        good=lambda w, _: {"p_pocket_id": w.pocket, "p_name": "sea"},
    ),
    CallOf(
        name="set_allocation",
        given_to=APPLICATION,
        states=_OF_POCKET,
        good=lambda w, _: {"p_pocket_id": w.pocket, "p_allocation_percentage": 10},
        refused=[("PW002", lambda w: {"p_takes_rest": True})],
    ),
    CallOf(
        name="set_target",
        given_to=APPLICATION,
        states=_OF_POCKET,
        good=lambda w, amount: {"p_pocket_id": w.pocket, "p_target_amount": amount},
        kinds={"p_target_amount": TARGET},
        refused=[("PW002", lambda w: {"p_target_amount": None, "p_stop_at_target": True})],
    ),
    CallOf(
        name="create_project",
        given_to=APPLICATION,
        good=lambda w, _: {"p_reference": "bridge"},
        kinds={"p_project_id": FREE_ID},
        refused=[
            ("PW002", lambda w: {"p_reference": w.called("open")}),
            (
                "PW002",
                lambda w: {
                    "p_reference": w.called("open"),
                    "p_commission_rate": "0.1",
                    "p_fee_rate": "0.1",
                    "p_max_pledge": 500,
                    "p_currency": "USD",
                },
            ),
            ("PW002", lambda w: {"p_commission_rate": "0.6", "p_fee_rate": "0.5"}),
            ("PW002", lambda w: {"p_commission_rate": 1}),
        ],
    ),
)

_WALLETS_AND_POCKETS = (
    CallOf(
        name="deposit",
        given_to=APPLICATION,
        states=_OF_WALLET,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": amount},
        moves={"wallet": IN},
    ),
    CallOf(
        name="withdraw",
        given_to=APPLICATION,
        states=_LEAVING,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": amount},
        moves={"wallet": OUT},
        refused=[
            ("PW201", lambda w: {"p_amount": "250"}),
            ("PW201", lambda w: {"p_amount": "100.01"}),
            ("PW201", lambda w: {"p_amount": "999999999999999.99"}),
        ],
    ),
    CallOf(
        name="transfer",
        given_to=APPLICATION,
        states=_LEAVING,
        good=lambda w, amount: {
            "p_from_account_id": w.wallet,
            "p_to_account_id": w.friend,
            "p_amount": amount,
        },
        moves={"wallet": OUT, "friend": IN},
        refused=[
            ("PW002", lambda w: {"p_to_account_id": w.wallet}),
            ("PW002", lambda w: {"p_to_account_id": w.pocket}),
            ("PW002", lambda w: {"p_from_account_id": w.yen_pocket, "p_to_account_id": w.pocket}),
            ("PW003", lambda w: {"p_from_account_id": w.yen_wallet}),
            ("PW003", lambda w: {"p_to_account_id": w.yen_wallet}),
            ("PW201", lambda w: {"p_amount": "250"}),
            ("PW201", lambda w: {"p_amount": "100.01"}),
        ],
    ),
    CallOf(
        name="deposit_many",
        given_to=APPLICATION,
        states=_OF_WALLET,
        good=lambda w, amount: {"p_wallet_ids": [w.wallet], "p_amounts": [amount]},
        moves={"wallet": IN},
    ),
    CallOf(
        name="preview_allocation",
        given_to=APPLICATION,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": 2 * amount},
    ),
    # Half of what is allocated goes to the only pocket.
    CallOf(
        name="allocate_deposit",
        given_to=APPLICATION,
        states=_ALLOCATING,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": 2 * amount},
        moves={"wallet": OUT, "pocket": IN},
        refused=[("PW201", lambda w: {"p_amount": "250"})],
    ),
    CallOf(
        name="allocate_deposits",
        given_to=APPLICATION,
        states=_ALLOCATING,
        good=lambda w, amount: {"p_wallet_ids": [w.wallet], "p_amounts": [2 * amount]},
        moves={"wallet": OUT, "pocket": IN},
        refused=[
            ("PW201", lambda w: {"p_amounts": ["200", "200"]}),
            ("PW201", lambda w: {"p_amounts": ["100", "100.02"]}),
        ],
    ),
    CallOf(
        name="transfer_to_pocket",
        given_to=APPLICATION,
        states={**_OF_POCKET, OWING: "PW201"},
        good=lambda w, amount: {"p_pocket_id": w.pocket, "p_amount": amount},
        moves={"wallet": OUT, "pocket": IN},
        refused=[("PW201", lambda w: {"p_amount": "250"})],
    ),
    CallOf(
        name="transfer_from_pocket",
        given_to=APPLICATION,
        states=_OF_POCKET,
        good=lambda w, amount: {"p_pocket_id": w.pocket, "p_amount": amount},
        moves={"wallet": IN, "pocket": OUT},
        refused=[
            ("PW201", lambda w: {"p_amount": "1000"}),
            ("PW201", lambda w: {"p_amount": "20.01"}),
        ],
    ),
    CallOf(
        name="close_pocket",
        given_to=APPLICATION,
        states=_OF_POCKET,
        good=lambda w, _: {"p_pocket_id": w.spare_pocket},
        moves={"wallet": IN, "spare_pocket": OUT},
        whole=True,
    ),
    CallOf(
        name="close_wallet",
        given_to=APPLICATION,
        states={OWING: "PW210"},
        good=lambda w, _: {"p_wallet_id": w.empty_wallet},
        refused=[("PW210", lambda w: {"p_wallet_id": w.wallet})],
    ),
)

_ACCOUNTS = (
    *(
        CallOf(
            name=name,
            given_to=OPERATION,
            good=lambda w, _: {"p_account_id": w.wallet, "p_reason": "court order 17"},
            kinds={"p_account_id": HOLDER},
        )
        for name in ("freeze_account", "unfreeze_account")
    ),
    CallOf(
        name="set_credit_limit",
        given_to=OPERATION,
        states={WALLET_CLOSED: "PW209", OWING: "PW201"},
        good=lambda w, amount: {"p_account_id": w.wallet, "p_credit_limit": amount},
        kinds={"p_account_id": HOLDER},
    ),
)

_ESCROW = (
    CallOf(
        name="pledge",
        given_to=APPLICATION,
        states={**_LEAVING, PROJECT_FROZEN: "PW208"},
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
        states={**_LEAVING, PROJECT_FROZEN: "PW208"},
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
        states={**_LEAVING, PROJECT_FROZEN: "PW208", ESCROW_DISPUTED: "PW202"},
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
        states=_BATCH,
        good=lambda w, _: {"p_project_id": w.succeeded},
        refused=[
            ("PW205", lambda w: {"p_project_id": w.open}),
            ("PW205", lambda w: {"p_project_id": w.failed}),
        ],
    ),
    CallOf(
        name="refund_escrows",
        given_to=OPERATION,
        states=_BATCH,
        good=lambda w, _: {"p_project_id": w.failed},
        refused=[
            ("PW205", lambda w: {"p_project_id": w.open}),
            ("PW205", lambda w: {"p_project_id": w.succeeded}),
        ],
    ),
    CallOf(name="refund_expired_escrows", given_to=OPERATION, states=_BATCH, good=lambda w, _: {}),
    CallOf(
        name="release_project",
        given_to=OPERATION,
        states=_BATCH,
        good=lambda w, _: {"p_project_id": w.open},
        refused=[("PW204", lambda w: {"p_project_id": w.failed})],
    ),
    CallOf(
        name="refund_project",
        given_to=OPERATION,
        states=_BATCH,
        good=lambda w, _: {"p_project_id": w.open},
        refused=[("PW204", lambda w: {"p_project_id": w.succeeded})],
    ),
)

# Of a deposit of 10.
_CORRECTING = (
    CallOf(
        name="reverse_transaction",
        given_to=OPERATION,
        states=_OF_WALLET,
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
    *(_OPENING, _WALLETS_AND_POCKETS, _ACCOUNTS, _ESCROW, _ENDING, _CORRECTING, _CONTROLS),
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
