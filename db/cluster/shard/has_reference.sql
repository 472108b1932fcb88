-- Whether a project of this reference was made here before this database was a shard.
create or replace function pgwallet_shard.has_reference(p_reference text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
  select exists (
    select from pgwallet.project as p
    where p.reference = p_reference collate "C" and p.first_transaction_id >> 46 = 0
  )
$function$;
