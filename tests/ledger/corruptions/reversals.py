"""Reversals that are not the opposite of what they say that they took back, and transfers."""

from .corruption import corrupted

REVERSALS = [
    corrupted(
        "a reversal names another transaction",
        "update pgwallet.transaction set reversed_transaction_id = {tx_split}, "
        "request = 'reverse_transaction({tx_split})' where transaction_id = {tx_undo}",
        (7, "transaction {tx_undo}"),
    ),
    corrupted(
        "a reversal names nothing any more",
        "update pgwallet.transaction set reversed_transaction_id = null, request = null, "
        "idempotency_key = null where transaction_id = {tx_undo}",
        (7, "transaction {tx_undo}"),
    ),
    corrupted(
        "a reversal names a transaction that is not there",
        "update pgwallet.transaction set reversed_transaction_id = -1, "
        "request = 'reverse_transaction(-1)' where transaction_id = {tx_undo}",
        (7, "transaction {tx_undo}"),
    ),
    corrupted(
        "a reversal is called a transfer from a pocket",
        "update pgwallet.transaction set kind = 'transfer_from_pocket', request = null, "
        "idempotency_key = null where transaction_id = {tx_undo}",
        (7, "transaction {tx_undo}"),
    ),
    corrupted(
        "a reversal took back less",
        "update pgwallet.posting set amount = amount - 1, source_balance = source_balance + 1, "
        "destination_balance = destination_balance - 1 where posting_id = {posting_undo};"
        "update pgwallet.account set balance = balance + 1 where account_id = {holiday};"
        "update pgwallet.account set balance = balance - 1 where account_id = {ada}",
        (7, "transaction {tx_undo}"),
    ),
    corrupted(
        "a pledge is taken back by a reversal",
        "insert into pgwallet.transaction (transaction_id, kind, reversed_transaction_id) "
        "values (-1, 'reversal', {tx_pledge});"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, destination_balance) values (-1, {escrows_of_film}, {ada}, 30, 1.00)",
        (7, "transaction -1"),
    ),
    corrupted(
        "a reversal has no postings",
        "insert into pgwallet.transaction (transaction_id, kind, reversed_transaction_id) "
        "values (-1, 'reversal', {tx_cash})",
        (7, "transaction -1"),
    ),
    corrupted(
        "a reversal has another transaction in its request",
        "update pgwallet.transaction set request = 'reverse_transaction({tx_split})' "
        "where transaction_id = {tx_undo}",
        (6, "transaction {tx_undo}"),
    ),
    corrupted(
        "a transaction is taken back twice",
        "drop index pgwallet.transaction_reversed_key;"
        "insert into pgwallet.transaction (transaction_id, kind, reversed_transaction_id) "
        "values (-1, 'reversal', {tx_mistake})",
        (6, "transaction {tx_mistake}"),
        (6, "table pgwallet.transaction"),
    ),
    corrupted(
        "a transfer went to somebody else",
        "update pgwallet.posting set destination_account_id = {eve}, destination_balance = 4.00 "
        "where posting_id = {posting_share};"
        "update pgwallet.account set balance = 4.00 where account_id = {eve};"
        "update pgwallet.account set balance = balance - 4 where account_id = {ada}",
        (6, "transaction {tx_share}"),
    ),
    corrupted(
        "a transfer without a key goes from a wallet to a pocket of another",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'transfer');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, source_balance, destination_balance) values (-1, {eve}, {rent}, 1, 0, 8)",
        (7, "transaction -1"),
        (7, "pocket {rent}"),
    ),
    corrupted(
        "a transfer goes from a pocket to one of another wallet",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'transfer');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, source_balance, destination_balance) values (-1, {holiday}, {rent}, 1, 9, 8)",
        (7, "pocket {rent}"),
    ),
]
