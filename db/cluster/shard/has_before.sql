-- Whether an owner has a wallet here, or a project of a reference was made here before this
-- database was a shard; nobody has null.
create or replace function pgwallet_shard.has_before(p_owner_id text, p_reference text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
  select exists (select from pgwallet.wallet as w where w.owner_id = p_owner_id collate "C")
    or exists (
      select from pgwallet.project as p
      where p.reference = p_reference collate "C" and p.first_transaction_id >> 46 = 0
    )
$function$;
