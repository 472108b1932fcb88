-- What the pledges to a project came to, and what became of them: from its escrows, or where that
-- is less to read, from the last seal and what was posted since.
--
-- Nobody counts along with each pledge: all pledges to a project would wait for each other.
create or replace function pgwallet._sum_pledges(p_project_id bigint)
returns table (
  pledge_count bigint, locked_count bigint, disputed_count bigint, pledged numeric,
  disputed numeric, released numeric, refunded numeric, commission numeric, fee numeric,
  net numeric
)
language plpgsql
stable
rows 1
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  -- With fewer there is nothing to save.
  c_few constant bigint := 1000;
  v_known pgwallet.seal_project;
  v_above bigint;
  v_last bigint;
begin
  select s.*
  into v_known
  from pgwallet.seal_project as s
  where s.project_id = p_project_id
  order by s.seal_id desc
  limit 1;
  if v_known.pledge_count >= c_few then
    select s.posting_id into v_above from pgwallet.seal as s order by s.seal_id desc limit 1;
    select q.last_value into v_last from pgwallet.posting_id_seq as q;
  end if;

  -- To look at a posting takes as long as two escrows.
  if v_known.pledge_count > 2 * (v_last - v_above) then
    return query
    select
      w.pledge_count, w.pledge_count - w.settled_count - d.number, d.number, w.pledged, d.amount,
      w.commission + w.fee + w.net, w.refunded, w.commission, w.fee, w.net
    from (
      select
        sum(b.pledge_count)::bigint as pledge_count, sum(b.settled_count)::bigint as settled_count,
        sum(b.pledged) as pledged, sum(b.refunded) as refunded, sum(b.commission) as commission,
        sum(b.fee) as fee, sum(b.net) as net
      from (
        select v_known.*
        union all
        select (n.project).*
        from pgwallet._count_sums(v_above, array[9223372036854775807], p_project_id) as n
        where (n.project).project_id is not null
      ) as b
    ) as w
    cross join (
      select
        count(*) as number,
        coalesce(sum(e.amount - e.released_amount - e.refunded_amount), 0) as amount
      from pgwallet.escrow as e
      -- Disputes are few: along their index, and not along all that is locked for the project.
      where e.status = 'disputed' and e.project_id + 0 = p_project_id
    ) as d;
    return;
  end if;

  -- Two sums, since one index has the escrows that hold something and another one the rest.
  return query
  select
    l.number + s.number, l.number - l.disputed_number, l.disputed_number, l.amount + s.amount,
    l.disputed, l.released + s.released, l.refunded + s.refunded, l.commission + s.commission,
    l.fee + s.fee, l.net + s.net
  from (
    select
      count(*) as number,
      count(*) filter (where e.status = 'disputed') as disputed_number,
      coalesce(
        sum(e.amount - e.released_amount - e.refunded_amount) filter (where e.status = 'disputed'),
        0
      ) as disputed,
      coalesce(sum(e.amount), 0) as amount,
      coalesce(sum(e.released_amount), 0) as released,
      coalesce(sum(e.refunded_amount), 0) as refunded,
      coalesce(sum(e.commission_amount), 0) as commission,
      coalesce(sum(e.fee_amount), 0) as fee,
      coalesce(sum(e.net_amount), 0) as net
    from pgwallet.escrow as e
    where e.project_id = p_project_id and e.status in ('locked', 'disputed')
  ) as l
  cross join (
    select
      count(*) as number,
      coalesce(sum(e.amount), 0) as amount,
      coalesce(sum(e.released_amount), 0) as released,
      coalesce(sum(e.refunded_amount), 0) as refunded,
      coalesce(sum(e.commission_amount), 0) as commission,
      coalesce(sum(e.fee_amount), 0) as fee,
      coalesce(sum(e.net_amount), 0) as net
    from pgwallet.escrow as e
    where e.project_id = p_project_id and e.status not in ('locked', 'disputed')
  ) as s;
end;
$function$;
