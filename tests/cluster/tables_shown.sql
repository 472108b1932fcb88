-- For each table of a ledger, what makes a view of the same name on a router: the rows of all shards,
-- but of what is everywhere the same those of one, and of what all have a part of, the sum.
with shown as (
  select
    c.relname::text as name,
    string_agg(format('%I', a.attname), ', ' order by a.attnum) as columns,
    string_agg(format('%I %s', a.attname, t.type), ', ' order by a.attnum) as typed,
    string_agg(format('t.%I::%s', a.attname, t.type), ', ' order by a.attnum) as selected,
    string_agg(
      case a.attname
        when 'balance' then 'sum(t.balance) as balance'
        else format('(array_agg(t.%1$I))[1] as %1$I', a.attname)
      end,
      ', ' order by a.attnum
    ) as summed,
    case when c.relname in ('project', 'settings', 'currency') then '0' else 'all' end as run_on
  from pg_class as c
  inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  inner join pg_type as y on y.oid = a.atttypid
  cross join lateral (
    select case
      when y.typtype = 'd' then format_type(y.typbasetype, y.typtypmod)
      when y.typtype = 'e' then 'text'
      else format_type(a.atttypid, a.atttypmod)
    end as type
  ) as t
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'r'
    and c.relname not in ('deployment', 'role_grant', '_yoyo_migration')
  group by c.relname
)
select
  s.name,
  format(
    $sql$
    create function pgwallet_test.%1$I() returns table (%3$s) security definer language plproxy
    as $function$ cluster 'pgwallet'; run on %2$s; select %4$s from pgwallet.%1$I as t; $function$;
    create view pgwallet.%1$I as select %5$s from pgwallet_test.%1$I() as t %6$s
    $sql$,
    s.name, s.run_on, s.typed, s.selected,
    case s.name when 'account' then s.summed else s.columns end,
    case s.name when 'account' then 'group by t.account_id' else '' end
  )
from shown as s
order by s.name
