-- Finds from which posting on an account's were recorded at a time or later, by halving: within an
-- account ids and times have one order. Where none is as late, it is the one after the last.
create or replace function pgwallet._seek_posting(p_account_id bigint, p_time timestamptz)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_low bigint := 0;
  v_high bigint;
  v_found record;
begin
  -- Most ask for a time that nothing is as late as.
  select m.posting_id, m.created_at
  into v_found
  from (
    (
      select p.posting_id, p.created_at
      from pgwallet.posting as p
      where p.source_account_id = p_account_id and p.source_balance is not null
      order by p.posting_id desc
      limit 1
    )
    union all
    (
      select p.posting_id, p.created_at
      from pgwallet.posting as p
      where p.destination_account_id = p_account_id and p.destination_balance is not null
      order by p.posting_id desc
      limit 1
    )
  ) as m
  order by m.posting_id desc
  limit 1;
  v_high := coalesce(v_found.posting_id, 0) + 1;
  if v_found.created_at < p_time then
    return v_high;
  end if;

  while v_low < v_high loop
    select x.posting_id, x.created_at
    into v_found
    from (
      (
        select p.posting_id, p.created_at
        from pgwallet.posting as p
        where p.source_account_id = p_account_id and p.source_balance is not null
          and p.posting_id >= v_low + (v_high - v_low) / 2
        order by p.posting_id
        limit 1
      )
      union all
      (
        select p.posting_id, p.created_at
        from pgwallet.posting as p
        where p.destination_account_id = p_account_id and p.destination_balance is not null
          and p.posting_id >= v_low + (v_high - v_low) / 2
        order by p.posting_id
        limit 1
      )
    ) as x
    order by x.posting_id
    limit 1;
    if v_found.created_at < p_time then
      v_low := v_found.posting_id + 1;
    else
      v_high := v_low + (v_high - v_low) / 2;
    end if;
  end loop;
  return v_high;
end;
$function$;
