-- What the last posting of an account below an id left in it; 0 before the first one.
create or replace function pgwallet._carried_balance(p_account_id bigint, p_below bigint)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_balance numeric;
begin
  select x.balance
  into v_balance
  from (
    (
      select p.posting_id, p.source_balance as balance
      from pgwallet.posting as p
      where p.source_account_id = p_account_id and p.source_balance is not null
        and p.posting_id < p_below
      order by p.posting_id desc
      limit 1
    )
    union all
    (
      select p.posting_id, p.destination_balance
      from pgwallet.posting as p
      where p.destination_account_id = p_account_id and p.destination_balance is not null
        and p.posting_id < p_below
      order by p.posting_id desc
      limit 1
    )
  ) as x
  order by x.posting_id desc
  limit 1;
  return coalesce(v_balance, 0);
end;
$function$;
