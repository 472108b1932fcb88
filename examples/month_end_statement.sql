-- The statement at the end of a month, in two currencies: what happened when, what was known when,
-- and where the two differ.
--
-- In a database of its own, which has pgwallet and nothing else:
--
--   psql -X -f examples/month_end_statement.sql
--
-- What it prints is in month_end_statement.out.
\set ECHO all
set timezone to 'UTC';

-- One wallet a currency. They never mix: no call moves money from one currency into another.
select wallet_id as euros from pgwallet.create_wallet('ada', 'EUR') \gset
select wallet_id as yen from pgwallet.create_wallet('ada', 'JPY') \gset

-- Two times belong to each movement: created_at, when it was recorded, which nobody can choose,
-- and effective_at, when it happened outside, which the caller may give.
select balance from pgwallet.deposit(
  :euros, 2100, p_effective_at => '2026-01-05', p_metadata => '{"text": "salary"}'
);
select balance from pgwallet.withdraw(
  :euros, 700, p_effective_at => '2026-01-07', p_metadata => '{"text": "rent"}'
);
select balance from pgwallet.deposit(
  :yen, 48000, p_effective_at => '2026-01-12', p_metadata => '{"text": "translation"}'
);

-- January's books are closed here. A real report would write down the time; so does this one.
select clock_timestamp() as closing \gset

-- February, and a card payment of January that the bank reports late.
select balance from pgwallet.deposit(
  :euros, 2100, p_effective_at => '2026-02-05', p_metadata => '{"text": "salary"}'
);
select balance from pgwallet.withdraw(
  :euros, 64.90, p_effective_at => '2026-01-30', p_metadata => '{"text": "card, late"}'
);
select balance from pgwallet.withdraw(
  :yen, 12500, p_effective_at => '2026-02-09', p_metadata => '{"text": "train"}'
);

-- The statement is in the order of recording: each balance follows from the one before it.
select s.effective_at::date as effective, s.kind, s.amount, s.balance, s.metadata ->> 'text' as text
from pgwallet.statement(:euros) as s;

-- A page at a time: pass the last posting_id seen. The balance goes on where the page before ended.
select posting_id as seen from pgwallet.statement(:euros, p_limit => 2) offset 1 \gset
select kind, amount, balance from pgwallet.statement(:euros, :seen, p_limit => 2);

-- In the order of what happened the balance runs differently: the late payment takes its place.
select s.effective_at::date as effective, s.metadata ->> 'text' as text, s.amount, s.balance
from pgwallet.statement(:euros, p_by => 'effective') as s;

-- By month, both currencies: what was there, what came, what went, what is there now.
select
  m.currency, to_char(m.month, 'YYYY-MM') as month,
  m.closing - m.came - m.went as opening, m.came, m.went, m.closing
from (
  select
    w.currency, date_trunc('month', s.effective_at) as month,
    sum(greatest(s.amount, 0)) as came, sum(least(s.amount, 0)) as went,
    sum(sum(s.amount)) over (
      partition by w.currency order by date_trunc('month', s.effective_at)
    ) as closing
  from (values ('EUR', :euros), ('JPY', :yen)) as w (currency, wallet_id)
  cross join lateral pgwallet.statement(w.wallet_id, p_limit => 1000) as s
  group by w.currency, date_trunc('month', s.effective_at)
) as m
order by m.currency, m.month;

-- The end of January has two right answers. As the books stood when they were closed:
select
  pgwallet.balance_at(:euros, :'closing') as euros, pgwallet.balance_at(:yen, :'closing') as yen;

-- And by what happened in January, as far as is known today: the late payment is in.
select pgwallet.balance_at(:euros, '2026-01-31 23:59:59.999999', 'effective') as euros;

-- Nothing of this can change what was closed: a correction is a movement of its own.
select pgwallet.balance_at(:euros, :'closing') as euros, pgwallet.balance(:euros) as euros_now;

select * from pgwallet.check_ledger();
