-- Writes down as an event what somebody changed of the settings, of a currency or of the accesses
-- of roles, by a function or by hand: of an updated row only what is different, which all shards of
-- a cluster have alike. The migrations that make these tables have attached it to them.
--
-- It has the rights of the owner: whoever may update settings needs none for events.
create or replace function pgwallet._record_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_kind text;
  v_before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
begin
  if tg_op = 'UPDATE' then
    perform pgwallet._check_alone(format('an update of pgwallet.%s', tg_table_name));
    v_kind := 'update_' || tg_table_name;
    select
      jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, v_after -> o.key)
    into v_before, v_after
    from jsonb_each(v_before) as o
    where o.value is distinct from v_after -> o.key or o.key in ('currency', 'role_name');
  else
    v_kind := case tg_op when 'INSERT' then 'grant_' else 'revoke_' end
      || (coalesce(v_after, v_before) ->> 'access');
    v_before := v_before - 'granted_at';
    v_after := v_after - 'granted_at';
  end if;
  perform pgwallet._insert_event(v_kind, null, v_before, v_after);
  return null;
end;
$function$;
