-- The next postings of an account that no index leads to, as _read_postings has them: nearly every
-- posting touches one of these, and few read them. So many ids at a time, until there are enough,
-- and each time from a posting on: ids are passed over where a shard begins its range, or after a
-- failover.
create or replace function pgwallet._scan_postings(
  p_account_id bigint,
  p_above bigint,
  p_below bigint,
  p_from timestamptz,
  p_until timestamptz,
  p_limit integer,
  p_newest_first boolean
)
returns setof pgwallet.posting
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = on
as $function$
declare
  v_last bigint;
  v_left integer := p_limit;
  v_step bigint := 2000;
  v_low bigint := p_above;
  v_high bigint := p_below;
  v_count integer;
begin
  if p_below <= p_above then
    return;
  end if;
  -- A sequence may be behind its table, so the last step, or the first one back, has no end.
  select s.last_value into v_last from pgwallet.posting_id_seq as s;
  loop
    if p_newest_first then
      select max(p.posting_id) + 1 into v_high
      from pgwallet.posting as p where p.posting_id > p_above and p.posting_id < v_high;
      exit when v_high is null;
    else
      select min(p.posting_id) - 1 into v_low
      from pgwallet.posting as p where p.posting_id > v_low and p.posting_id < p_below;
      exit when v_low is null;
    end if;
    if p_limit is null or p_above >= v_last then
      v_low := p_above;
      v_high := p_below;
    elsif p_newest_first then
      v_low := greatest(p_above, least(v_high, v_last) - v_step);
    else
      v_high := least(p_below, case when v_low + v_step > v_last then p_below else v_low + v_step end);
    end if;
    return query
    select p.*
    from pgwallet.posting as p
    where (p.source_account_id = p_account_id or p.destination_account_id = p_account_id)
      and p.posting_id > v_low and p.posting_id < v_high
      and p.created_at >= p_from and p.created_at < p_until
    order by case when p_newest_first then -p.posting_id else p.posting_id end
    limit v_left;
    get diagnostics v_count = row_count;
    v_left := v_left - v_count;
    if p_newest_first then
      exit when v_left <= 0 or v_low <= p_above;
      v_high := v_low + 1;
    else
      exit when v_left <= 0 or v_high >= p_below;
      v_low := v_high - 1;
    end if;
    v_step := least(2 * v_step, 1000000);
  end loop;
end;
$function$;
