"""Postings and transactions that do not fit each other."""

from .corruption import corrupted
from .world import KEYS

POSTINGS = [
    corrupted(
        "what is left of metadata is no digest",
        "update pgwallet.transaction set metadata_digest = 'erased' "
        "where transaction_id = {tx_salary}",
        (5, "transaction {tx_salary}"),
    ),
    corrupted(
        "metadata come back beside their digest",
        "update pgwallet.transaction set metadata_digest = sha256('x'), metadata = '1' "
        "where transaction_id = {tx_salary}",
        (5, "transaction {tx_salary}"),
    ),
    corrupted(
        "more is collected than there is",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'collection');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, source_balance) values (-1, {fee}, {outside}, 99, -98.00)",
        (7, "transaction -1"),
    ),
    corrupted(
        "two postings between currencies cancel",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'deposit'), "
        "(-2, 'withdrawal');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, source_balance, destination_balance) values "
        "(-1, {yen_outside}, {eve}, 5, null, 5.00), (-2, {eve}, {yen_outside}, 5, 0.00, null)",
        (4, "currency EUR"),
        (4, "currency JPY"),
    ),
    corrupted(
        "a transaction is deleted",
        "delete from pgwallet.transaction where transaction_id = {tx_cash}",
        (5, "posting {posting_cash}"),
    ),
    corrupted(
        "a request is written anew",
        "update pgwallet.transaction set request = 'deposit({bob}, 50)' "
        "where transaction_id = {tx_salary}",
        (6, "transaction {tx_salary}"),
    ),
    corrupted(
        "all requests are written anew",
        "update pgwallet.transaction set request = 'x' where request is not null",
        *[(6, f"transaction {{tx_{key}}}") for key in KEYS],
    ),
    corrupted(
        "two keys exchange their transactions",
        "update pgwallet.transaction as t set (idempotency_key, request) = "
        "(select 'other ' || o.idempotency_key, o.request from pgwallet.transaction as o "
        "where o.transaction_id in ({tx_salary}, {tx_cash}) "
        "and o.transaction_id <> t.transaction_id) "
        "where t.transaction_id in ({tx_salary}, {tx_cash})",
        (6, "transaction {tx_salary}"),
        (6, "transaction {tx_cash}"),
    ),
    corrupted(
        "money leaves the commission account",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'deposit');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, destination_balance) values (-1, {commission}, {eve}, 1, 1.00);"
        "update pgwallet.account set balance = 1.00 where account_id = {eve}",
        (7, "transaction -1"),
    ),
    corrupted(
        "money leaves the fee account",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'payout');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount) values (-1, {fee}, {outside}, 1)",
        (7, "transaction -1"),
    ),
    corrupted(
        "money comes from outside without a deposit",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'refund');"
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, destination_balance) values (-1, {outside}, {eve}, 1, 1.00);"
        "update pgwallet.account set balance = 1.00 where account_id = {eve}",
        (7, "transaction -1"),
    ),
    corrupted(
        "a transaction gets another kind",
        "update pgwallet.transaction set kind = 'withdrawal' where transaction_id = {tx_salary}",
        (7, "transaction {tx_salary}"),
    ),
    corrupted(
        "a transaction has no posting",
        "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'deposit')",
        (7, "transaction -1"),
    ),
    corrupted(
        "a deposit has two postings",
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, destination_balance) values ({tx_salary}, {outside}, {eve}, 50.00, 50.00);"
        "update pgwallet.account set balance = 50.00 where account_id = {eve}",
        (7, "transaction {tx_salary}"),
    ),
    corrupted(
        "two postings exchange their transactions",
        "update pgwallet.posting set transaction_id = "
        "case posting_id when {posting_salary} then {tx_cash} else {tx_salary} end "
        "where posting_id in ({posting_salary}, {posting_cash})",
        (7, "transaction {tx_salary}"),
        (7, "transaction {tx_cash}"),
    ),
    corrupted(
        "a release went to another project",
        "update pgwallet.posting set destination_account_id = {song}, destination_balance = 18.42 "
        "where posting_id = {posting_release};"
        "update pgwallet.account set balance = 18.42 where account_id = {song}",
        (7, "transaction {tx_release}"),
    ),
    corrupted(
        "a pocket is moved to another wallet",
        "update pgwallet.wallet set allocation_percentage = "
        "case wallet_id when {ada} then 0 else 80 end where wallet_id in ({ada}, {bob});"
        "update pgwallet.pocket set wallet_id = {bob} where pocket_id = {holiday}",
        (7, "pocket {holiday}"),
    ),
    corrupted(
        "a project whose escrows were released by a batch is open again",
        "update pgwallet.project set status = 'open', closed_at = null where project_id = {hit}",
        (7, "transaction {tx_hit}"),
    ),
]
