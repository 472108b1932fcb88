"""Functions that open something, and those of wallets, pockets and accounts: one entry each."""

from tests.catalogue.access import APPLICATION, OPERATION, OWNER_ALONE
from tests.catalogue.call_of import IN, OUT, CallOf
from tests.catalogue.kinds import CODE, FREE_ID, HOLDER, TARGET
from tests.catalogue.states import (
    ALLOCATING,
    LEAVING,
    OF_POCKET,
    OF_WALLET,
    OWING,
    WALLET_CLOSED,
)

OPENING_CALLS = (
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
        states=OF_WALLET,
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
        states=OF_POCKET,
        good=lambda w, _: {"p_pocket_id": w.pocket, "p_name": "sea"},
    ),
    CallOf(
        name="set_allocation",
        given_to=APPLICATION,
        states=OF_POCKET,
        good=lambda w, _: {"p_pocket_id": w.pocket, "p_allocation_percentage": 10},
        refused=[("PW002", lambda w: {"p_takes_rest": True})],
    ),
    CallOf(
        name="set_target",
        given_to=APPLICATION,
        states=OF_POCKET,
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


WALLET_CALLS = (
    CallOf(
        name="deposit",
        given_to=APPLICATION,
        states=OF_WALLET,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": amount},
        moves={"wallet": IN},
    ),
    CallOf(
        name="withdraw",
        given_to=APPLICATION,
        states=LEAVING,
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
        states=LEAVING,
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
        states=OF_WALLET,
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
        states=ALLOCATING,
        good=lambda w, amount: {"p_wallet_id": w.wallet, "p_amount": 2 * amount},
        moves={"wallet": OUT, "pocket": IN},
        refused=[("PW201", lambda w: {"p_amount": "250"})],
    ),
    CallOf(
        name="allocate_deposits",
        given_to=APPLICATION,
        states=ALLOCATING,
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
        states={**OF_POCKET, OWING: "PW201"},
        good=lambda w, amount: {"p_pocket_id": w.pocket, "p_amount": amount},
        moves={"wallet": OUT, "pocket": IN},
        refused=[("PW201", lambda w: {"p_amount": "250"})],
    ),
    CallOf(
        name="transfer_from_pocket",
        given_to=APPLICATION,
        states=OF_POCKET,
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
        states=OF_POCKET,
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


ACCOUNT_CALLS = (
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
