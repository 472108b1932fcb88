"""Balances and postings that contradict each other."""

from .corruption import corrupted

BALANCES = [
    corrupted(
        "a balance is written by hand",
        "update pgwallet.account set balance = balance + 1 where account_id = {eve}",
        (1, "wallet {eve}"),
    ),
    corrupted(
        "a posting is deleted",
        "delete from pgwallet.posting where posting_id = {posting_salary}",
        (1, "wallet {ada}"),
        (7, "transaction {tx_salary}"),
    ),
    corrupted(
        "a currency gets other decimals",
        "alter table pgwallet.currency disable trigger user;"
        "update pgwallet.currency set exponent = 3 where currency = 'EUR';"
        "alter table pgwallet.currency enable always trigger refuse_other_decimals",
        (1, "wallet {ada}"),
        (1, "project {film}"),
    ),
    corrupted(
        "a posting is dated before the one before it",
        "update pgwallet.posting set created_at = created_at - interval '1 day' "
        "where posting_id = {posting_cash}",
        (1, "wallet {ada}"),
    ),
    corrupted(
        "amounts get fractions of a cent that cancel",
        "update pgwallet.posting set amount = amount + 0.005 "
        "where posting_id in ({posting_salary}, {posting_cash});"
        "update pgwallet.posting set destination_balance = destination_balance + 0.005 "
        "where posting_id = {posting_salary}",
        (1, "posting {posting_salary}"),
        (1, "posting {posting_cash}"),
    ),
    corrupted(
        "all amounts are written anew",
        "drop view pgwallet.transaction_log, pgwallet.platform_summary, pgwallet.flow, "
        "pgwallet.project_summary;"
        "drop function pgwallet._show_transaction cascade;"
        "alter table pgwallet.posting alter amount type numeric using amount + 1",
        (1, "wallet {ada}"),
        (2, "project {song}"),
    ),
]
