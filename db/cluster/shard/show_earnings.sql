-- What the platform has earned on this shard and not collected yet, and in which account.
create or replace function pgwallet_shard.show_earnings(p_currency text, p_account text)
returns table (account_id bigint, balance numeric)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select e.account_id, pgwallet.balance(e.account_id)
  from (
    select
      case p_account when 'fee' then c.fee_account_id else c.commission_account_id end as account_id
    from pgwallet.currency as c
    where c.currency = p_currency collate "C"
  ) as e;
end;
$function$;
