-- Whether an owner has a wallet here.
create or replace function pgwallet_shard.has_owner(p_owner_id text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
  select exists (select from pgwallet.wallet as w where w.owner_id = p_owner_id collate "C")
$function$;
