-- Looks for violations of the seven invariants: a row for each, none when the ledger is sound. With
-- p_since_transaction_id it looks at what later transactions touched, against what was stored.
--
-- Stable, and so is each of its parts: all see one snapshot, whatever goes on meanwhile, and lock
-- nothing.
create or replace function pgwallet.check_ledger(p_since_transaction_id bigint default 0)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- Null for all.
  v_since bigint := nullif(greatest(p_since_transaction_id, 0), 0);
begin
  return query
  select v.invariant, v.subject, v.detail
  from (
    select 1 as place, b.* from pgwallet._find_wrong_balances(v_since) as b
    union all
    select 2, p.* from pgwallet._find_wrong_postings(v_since) as p
    union all
    select 3, e.* from pgwallet._find_wrong_escrows(v_since) as e
    union all
    select 4, t.* from pgwallet._find_wrong_transactions(v_since) as t
    union all
    select 5, h.* from pgwallet._find_wrong_holders(v_since) as h
    union all
    select 6, s.* from pgwallet._find_wrong_sums(v_since) as s
    union all
    select 7, g.* from pgwallet._find_lost_guards() as g
  ) as v
  order by v.invariant, v.place;
end;
$function$;

comment on function pgwallet.check_ledger(bigint) is
'Looks for violations of the ledger''s invariants: a row for each, none when it is sound.';
