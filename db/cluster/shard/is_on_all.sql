-- Whether an id is that of what all shards have: a project, or an account of a currency.
create or replace function pgwallet_shard.is_on_all(p_id bigint)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
  select exists (select from pgwallet.project as p where p.project_id = p_id)
    or exists (
      select from pgwallet.currency as c
      where p_id in (c.external_account_id, c.commission_account_id, c.fee_account_id)
    )
$function$;
