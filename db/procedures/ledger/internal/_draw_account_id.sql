-- Draws the next free account id in a slot. A project may have been created with an id of its own,
-- so slot 0 passes over those in use.
--
-- Locks: a share of the ids of slot 0, which whoever brings an id along locks alone.
create or replace function pgwallet._draw_account_id(p_slot integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account_id bigint;
begin
  if p_slot = 0 then
    perform pg_advisory_xact_lock_shared(hashtextextended('pgwallet.id_seq', 0));
  end if;

  loop
    v_account_id := nextval('pgwallet.id_seq') * 1024 + p_slot;
    exit when p_slot <> 0
      or not exists (select from pgwallet.account as a where a.account_id = v_account_id);
  end loop;
  return v_account_id;
end;
$function$;
