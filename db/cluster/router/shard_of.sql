-- The shard of an id or of an owner, and where it is. No row for what is on all shards: a project
-- or an account of a currency.
create or replace function pgwallet.shard_of(
  p_subject_id bigint default null,
  p_owner_id text default null
)
returns table (shard integer, place text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer;
begin
  if (p_subject_id is null) = (p_owner_id is null) then
    raise exception using
      errcode = 'PW002',
      message = 'give either an id or an owner',
      hint = 'An id is that of a wallet, pocket, escrow, transaction or posting.';
  end if;

  v_shard := case
    when p_subject_id is null then pgwallet_router._home_or_first(p_owner_id, null)
    else pgwallet_router._shard_of_account(p_subject_id)
  end;
  return query
  select s.shard, s.place
  from pgwallet.list_shards() as s
  where s.shard = v_shard;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;

comment on function pgwallet.shard_of(bigint, text) is
'Where an id or an owner is: the shard and its connection string, without user and password. '
'Raises: PW002.';
