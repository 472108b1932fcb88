"""Accounts, and the wallets, pockets, projects and currencies that they are of."""

from .corruption import corrupted

HOLDERS = [
    corrupted(
        "percentages sum to more than 100",
        "update pgwallet.pocket set allocation_percentage = 100 where wallet_id = {ada};"
        "insert into pgwallet.account (account_id, kind, currency, balance) "
        "values (-2048, 'pocket', 'EUR', 0.00);"
        "insert into pgwallet.pocket (pocket_id, wallet_id, name, allocation_percentage) "
        "values (-2048, {ada}, 'more', 100);"
        "alter table pgwallet.wallet drop constraint wallet_allocation_check;"
        "update pgwallet.wallet set allocation_percentage = 200 where wallet_id = {ada}",
        (7, "wallet {ada}"),
    ),
    corrupted(
        "a percentage is written by hand",
        "update pgwallet.pocket set allocation_percentage = 60 where pocket_id = {holiday}",
        (7, "wallet {ada}"),
    ),
    corrupted(
        "the percentage of a wallet is written by hand",
        "update pgwallet.wallet set allocation_percentage = 10 where wallet_id = {eve}",
        (7, "wallet {eve}"),
    ),
    corrupted(
        "the commission account is outside for a wallet",
        "update pgwallet.account set external_account_id = {commission} where account_id = {eve}",
        (7, "wallet {eve}"),
    ),
    corrupted(
        "another currency's account is outside for a project",
        "update pgwallet.account set external_account_id = {yen_outside} where account_id = {hit}",
        (7, "project {hit}"),
    ),
    corrupted(
        "nothing is outside for a wallet",
        "update pgwallet.account set external_account_id = null where account_id = {eve}",
        (7, "wallet {eve}"),
    ),
    corrupted(
        "commission and fee exchange their accounts",
        "update pgwallet.currency set commission_account_id = fee_account_id, "
        "fee_account_id = commission_account_id where currency = 'EUR'",
        (7, "commission {fee}"),
        (7, "fee {commission}"),
    ),
    corrupted(
        "two currencies exchange their accounts outside",
        "alter table pgwallet.currency drop constraint currency_external_account_id_key;"
        "update pgwallet.currency set external_account_id = "
        "case currency when 'EUR' then {yen_outside} else {outside} end "
        "where currency in ('EUR', 'JPY')",
        (7, "external {outside}"),
        (7, "external {yen_outside}"),
    ),
    corrupted(
        "a currency has an account that does not exist",
        "insert into pgwallet.currency (currency, name, exponent) values ('XXY', 'own', 2);"
        "update pgwallet.currency set external_account_id = -1024, commission_account_id = -2048, "
        "fee_account_id = -3072 where currency = 'XXY'",
        (7, "external -1024"),
        (7, "commission -2048"),
        (7, "fee -3072"),
    ),
    corrupted(
        "a pocket with money is deleted",
        "delete from pgwallet.pocket where pocket_id = {holiday};"
        "update pgwallet.wallet set allocation_percentage = 0 where wallet_id = {ada}",
        (7, "pocket {holiday}"),
    ),
    corrupted(
        "a wallet with money is deleted",
        "delete from pgwallet.wallet where wallet_id = {yen}",
        (7, "wallet {yen}"),
    ),
    corrupted(
        "a project is deleted",
        "delete from pgwallet.project where project_id = {film}",
        (7, "project {film}"),
        (7, "escrow {escrows_of_film}"),
        (3, "escrow {locked}"),
    ),
    corrupted(
        "an account is deleted",
        "delete from pgwallet.account where account_id = {ada}",
        (7, "wallet {ada}"),
        (1, "posting {posting_salary}"),
    ),
    corrupted(
        "the account of a wallet that never had anything is deleted",
        "delete from pgwallet.account where account_id = {eve}",
        (7, "wallet {eve}"),
    ),
    corrupted(
        "the account of commission is deleted",
        "delete from pgwallet.account where account_id = {commission}",
        (7, "commission {commission}"),
        (1, "posting {posting_commission}"),
    ),
    corrupted(
        "an account gets another kind",
        "update pgwallet.account set kind = 'pocket' where account_id = {eve}",
        (7, "wallet {eve}"),
    ),
    corrupted(
        "an account gets another currency",
        "update pgwallet.account set currency = 'USD' where account_id = {eve}",
        (7, "wallet {eve}"),
    ),
    corrupted(
        "a wallet gets another currency",
        "update pgwallet.wallet set currency = 'USD' where wallet_id = {bob}",
        (7, "wallet {bob}"),
        (7, "pocket {rent}"),
    ),
    corrupted(
        "a project gets another currency",
        "update pgwallet.project set currency = 'USD' where project_id = {film}",
        (7, "project {film}"),
        (7, "escrow {escrows_of_film}"),
    ),
    corrupted(
        "a project has the account of a wallet for its escrows",
        "update pgwallet.project set escrow_account_id = {eve} where project_id = {film}",
        (7, "escrow {escrows_of_film}"),
    ),
    corrupted(
        "an owner has two wallets",
        "alter table pgwallet.wallet drop constraint wallet_owner_key;"
        "update pgwallet.wallet set owner_id = 'ada' where wallet_id = {bob}",
        (7, "owner 'ada'"),
        (7, "wallet {bob}"),
        (7, "table pgwallet.wallet"),
    ),
    corrupted(
        "two wallets have each other's owner and salt",
        "alter table pgwallet.wallet drop constraint wallet_owner_key;"
        "update pgwallet.wallet as w set owner_id = o.owner_id, owner_salt = o.owner_salt "
        "from pgwallet.wallet as o "
        "where w.wallet_id in ({bob}, {eve}) and o.wallet_id = {bob}::bigint + {eve} - w.wallet_id;"
        "alter table pgwallet.wallet add constraint wallet_owner_key unique (owner_id, currency)",
        (7, "wallet {bob}"),
        (7, "wallet {eve}"),
    ),
    corrupted(
        "an owner is erased by hand",
        "update pgwallet.wallet set owner_id = 'erased-by-hand', owner_salt = null "
        "where wallet_id = {bob}",
        (7, "wallet {bob}"),
    ),
    corrupted(
        "a wallet has two pockets of one name",
        "drop index pgwallet.pocket_name_key;"
        "insert into pgwallet.account (account_id, kind, currency, balance) "
        "values (-2048, 'pocket', 'EUR', 0.00);"
        "insert into pgwallet.pocket (pocket_id, wallet_id, name) values (-2048, {ada}, 'holiday')",
        (7, "wallet {ada}"),
        (7, "table pgwallet.pocket"),
    ),
    corrupted(
        "two pockets of a wallet take the rest",
        "drop index pgwallet.pocket_rest_key;"
        "insert into pgwallet.account (account_id, kind, currency, balance) "
        "values (-2048, 'pocket', 'EUR', 0.00), (-3072, 'pocket', 'EUR', 0.00);"
        "insert into pgwallet.pocket (pocket_id, wallet_id, name, takes_rest) "
        "values (-2048, {ada}, 'one', true), (-3072, {ada}, 'two', true);"
        "update pgwallet.account set has_rules = true where account_id = {ada}",
        (7, "wallet {ada}"),
        (7, "table pgwallet.pocket"),
    ),
    corrupted(
        "an account does not say that a pocket of its wallet stops",
        "update pgwallet.pocket set target_amount = 100, stop_at_target = true "
        "where pocket_id = {holiday}",
        (7, "wallet {ada}"),
    ),
    corrupted(
        "two projects have one reference",
        "alter table pgwallet.project drop constraint project_reference_key;"
        "update pgwallet.project set reference = 'film' where project_id = {song}",
        (7, "reference 'film'"),
        (7, "table pgwallet.project"),
    ),
]
