"""Triggers, indexes and constraints that refuse less than they should."""

from .corruption import corrupted

GUARDS = [
    corrupted(
        "a trigger refuses only deletes",
        "drop trigger refuse_change on pgwallet.posting;"
        "create trigger refuse_change before delete on pgwallet.posting "
        "for each statement execute function pgwallet._refuse_change();"
        "alter table pgwallet.posting enable always trigger refuse_change",
        (5, "table pgwallet.posting"),
    ),
    corrupted(
        "a trigger never fires",
        "drop trigger refuse_row_change on pgwallet.transaction;"
        "create trigger refuse_row_change before update or delete on pgwallet.transaction "
        "for each row when (false) execute function pgwallet._refuse_change();"
        "alter table pgwallet.transaction enable always trigger refuse_row_change",
        (5, "table pgwallet.transaction"),
    ),
    corrupted(
        "a trigger calls a function that does nothing",
        "create function pgwallet.allow() returns trigger language plpgsql "
        "as 'begin return coalesce(new, old); end';"
        "drop trigger refuse_row_change on pgwallet.escrow;"
        "create trigger refuse_row_change before delete on pgwallet.escrow "
        "for each row execute function pgwallet.allow();"
        "alter table pgwallet.escrow enable always trigger refuse_row_change",
        (5, "table pgwallet.escrow"),
    ),
    corrupted(
        "the unique index of keys is dropped",
        "drop index pgwallet.transaction_idempotency_key",
        (6, "table pgwallet.transaction"),
    ),
    corrupted(
        "another index has the name of that of keys",
        "drop index pgwallet.transaction_idempotency_key;"
        "create index transaction_idempotency_key on pgwallet.transaction (idempotency_key) "
        "where idempotency_key is not null",
        (6, "table pgwallet.transaction"),
    ),
    corrupted(
        "a unique index is not valid",
        "update pg_index set indisvalid = false "
        "where indexrelid = 'pgwallet.wallet_owner_key'::regclass",
        (7, "table pgwallet.wallet"),
    ),
    corrupted(
        "a check is only for new rows",
        "alter table pgwallet.account drop constraint account_balance_check;"
        "alter table pgwallet.account add constraint account_balance_check "
        "check (balance >= 0.0 and balance < 'infinity') not valid",
        (1, "table pgwallet.account"),
    ),
    corrupted(
        "a table that money is in has none of its checks",
        "alter table pgwallet.escrow drop constraint escrow_parts_check, "
        "drop constraint escrow_status_check, drop constraint escrow_amount_check",
        (3, "table pgwallet.escrow"),
    ),
    corrupted(
        "the row of settings is gone",
        "alter table pgwallet.settings disable trigger user; delete from pgwallet.settings;"
        "alter table pgwallet.settings enable always trigger refuse_change;"
        "alter table pgwallet.settings enable always trigger refuse_row_change",
        (7, "table pgwallet.settings"),
    ),
]
