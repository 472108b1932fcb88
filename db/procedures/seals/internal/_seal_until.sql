-- The last seal that covers nothing of after a time, by halving; null where there is none.
create or replace function pgwallet._seal_until(p_time timestamptz)
returns pgwallet.seal
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_low bigint := 0;
  v_high bigint;
  v_middle bigint;
  v_seal pgwallet.seal;
begin
  select s.* into v_seal from pgwallet.seal as s order by s.seal_id desc limit 1;
  if v_seal.latest_at <= p_time then
    return v_seal;
  end if;
  v_high := v_seal.seal_id - 1;
  while v_low < v_high loop
    v_middle := v_high - (v_high - v_low) / 2;
    select s.* into v_seal from pgwallet.seal as s where s.seal_id = v_middle;
    if v_seal.latest_at <= p_time then
      v_low := v_middle;
    else
      v_high := v_middle - 1;
    end if;
  end loop;
  select s.* into v_seal from pgwallet.seal as s where s.seal_id = v_high;
  return v_seal;
end;
$function$;
