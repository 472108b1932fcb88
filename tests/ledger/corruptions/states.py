"""Freezes, closings and credit that were written by hand, or in one place of two."""

from .corruption import corrupted

STATES = [
    corrupted(
        "a pocket has credit",
        "update pgwallet.account set credit_limit = 5 where account_id = {holiday}",
        (7, "pocket {holiday}"),
    ),
    corrupted(
        "a pocket is frozen",
        "update pgwallet.account set frozen_at = now() where account_id = {holiday}",
        (7, "pocket {holiday}"),
    ),
    corrupted(
        "a project is frozen, but not its account",
        "update pgwallet.project set frozen_at = now() where project_id = {film}",
        (7, "project {film}"),
    ),
    corrupted(
        "the account of a project is frozen, but not the project",
        "update pgwallet.account set frozen_at = now() where account_id = {film}",
        (7, "project {film}"),
    ),
    corrupted(
        "a project is closed as wallets are",
        "update pgwallet.account set closed_at = now() where account_id = {film}",
        (7, "project {film}"),
    ),
    corrupted(
        "the account of a pocket is closed, but not the pocket",
        "update pgwallet.account set closed_at = now() where account_id = {holiday}",
        (7, "pocket {holiday}"),
    ),
    corrupted(
        "a closed pocket is opened, but not its account",
        "update pgwallet.pocket set closed_at = null where pocket_id = {attic}",
        (7, "pocket {attic}"),
    ),
    corrupted(
        "a closed pocket holds something",
        "update pgwallet.account set balance = 5.00 where account_id = {attic}",
        (7, "pocket {attic}"),
        (1, "pocket {attic}"),
    ),
    corrupted(
        "a wallet is closed, but not its pocket",
        "update pgwallet.account set closed_at = now() where account_id = {ada}",
        (7, "pocket {holiday}"),
    ),
    corrupted(
        "money left a wallet after it was closed",
        "update pgwallet.posting set created_at = now() + interval '1 day' "
        "where source_account_id = {gone}",
        (7, "wallet {gone}"),
    ),
    corrupted(
        "money came to a wallet after it was closed",
        "update pgwallet.posting set created_at = now() + interval '1 day' "
        "where destination_account_id = {gone}",
        (7, "wallet {gone}"),
    ),
    corrupted(
        "the closing of a pocket left something in it",
        "update pgwallet.posting set source_balance = 1.00 where posting_id = {posting_attic}",
        (7, "transaction {tx_attic}"),
    ),
    corrupted(
        "the closing of a pocket has the request of another one",
        "update pgwallet.transaction set request = 'close_pocket({holiday})' "
        "where transaction_id = {tx_attic}",
        (6, "transaction {tx_attic}"),
    ),
    corrupted(
        "the closing of a pocket has two postings",
        "insert into pgwallet.posting (transaction_id, source_account_id, destination_account_id, "
        "amount, source_balance, destination_balance) "
        "values ({tx_attic}, {attic}, {gone}, 1, 0, 0)",
        (7, "transaction {tx_attic}"),
    ),
    corrupted(
        "a wallet owes more than its credit",
        "alter table pgwallet.account drop constraint account_balance_check;"
        "update pgwallet.account set credit_limit = 2 where account_id = {debtor}",
        (1, "wallet {debtor}"),
    ),
]
