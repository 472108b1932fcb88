-- What a call that moves money needs to know of a wallet or project, in the account's own row, so
-- that it looks up no currency, which took 5 % of a deposit: the external account it deals with,
-- and a balance with just the decimals of the currency, which allocations had given more zeros.
--
-- depends: 0014_views

alter table pgwallet.account add column external_account_id bigint;

update pgwallet.account as a
set
  balance = round(a.balance, c.exponent),
  external_account_id = case
    when a.kind in ('wallet', 'project') then c.external_account_id
  end
from pgwallet.currency as c
where c.currency = a.currency and a.balance is not null;

comment on column pgwallet.account.external_account_id is
'Of a wallet or project: the external account of its currency.';
