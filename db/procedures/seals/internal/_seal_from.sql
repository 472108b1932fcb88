-- The first seal that covers all there ever will be up to a time, by halving; null where there is
-- none yet.
create or replace function pgwallet._seal_from(p_time timestamptz)
returns pgwallet.seal
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_low bigint := 1;
  v_high bigint;
  v_middle bigint;
  v_seal pgwallet.seal;
begin
  select s.* into v_seal from pgwallet.seal as s order by s.seal_id desc limit 1;
  -- Most ask for a time after it.
  if (v_seal.sealed_at >= p_time) is not true then
    return null;
  end if;
  v_high := v_seal.seal_id;
  while v_low < v_high loop
    v_middle := v_low + (v_high - v_low) / 2;
    select s.* into v_seal from pgwallet.seal as s where s.seal_id = v_middle;
    if v_seal.sealed_at >= p_time then
      v_high := v_middle;
    else
      v_low := v_middle + 1;
    end if;
  end loop;
  select s.* into v_seal from pgwallet.seal as s where s.seal_id = v_high;
  return v_seal;
end;
$function$;
