-- Finds the first of seals that follow another one which does not fit what the tables hold, by its
-- place among them. Also by the owners of wallets whose creation it covers.
--
-- One that ends before the one before it is not computed: nothing could lie between their bounds.
create or replace function pgwallet._find_wrong_seal(
  p_seals pgwallet.seal[],
  p_previous pgwallet.seal
)
returns table (place integer, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  c_first constant bigint := '-9223372036854775808'::bigint;
  -- A clock is set back by less.
  c_clock constant interval := interval '1 minute';
  v_misplaced integer;
  v_seals pgwallet.seal[];
  v_event_ids bigint[];
begin
  select min(n.place) into v_misplaced
  from (
    select
      s.place,
      s.seal_id = lag(s.seal_id, 1, coalesce(p_previous.seal_id, 0)) over o + 1
      and s.sealed_at >= lag(s.sealed_at, 1, coalesce(p_previous.sealed_at, 'epoch')) over o
      and s.transaction_id
      >= lag(s.transaction_id, 1, coalesce(p_previous.transaction_id, 0)) over o
      and s.posting_id >= lag(s.posting_id, 1, coalesce(p_previous.posting_id, 0)) over o
      and s.event_id >= lag(s.event_id, 1, coalesce(p_previous.event_id, 0)) over o as follows
    from unnest(p_seals) with ordinality
      as s (seal_id, sealed_at, posting_id, transaction_id, event_id, latest_at, digest, place)
    window o as (order by s.place)
  ) as n
  where n.follows is not true;
  v_seals := p_seals[:coalesce(v_misplaced - 1, cardinality(p_seals))];
  v_event_ids := coalesce(p_previous.event_id, c_first)
    || array(select b.event_id from unnest(v_seals) as b);

  return query
  with digested as (
    select
      s.place, g.first_created_at,
      s.digest = pgwallet._seal_digest(
        v_seals[s.place], lag(s.digest, 1, p_previous.digest) over o, g.pages
      ) as fits,
      lag(s.sealed_at, 1, p_previous.sealed_at) over o as after
    from unnest(v_seals) with ordinality
      as s (seal_id, sealed_at, posting_id, transaction_id, event_id, latest_at, digest, place)
    left join pgwallet._seal_pages(
      coalesce(p_previous.transaction_id, c_first)
      || array(select b.transaction_id from unnest(v_seals) as b),
      coalesce(p_previous.posting_id, c_first)
      || array(select b.posting_id from unnest(v_seals) as b),
      v_event_ids
    ) as g on g.place = s.place
    window o as (order by s.place)
  )

  select n.place::integer, n.detail
  from (
    select
      d.place, 0 as wallet_id,
      case
        when d.fits
          then format(
            'Of this, something says that it was recorded at %s, when the seal before had been '
            'made: it was forged, or the clock was set back.', d.first_created_at
          )
        else 'Something of this was changed, added or taken away since, or the seal was.'
      end as detail
    from digested as d
    where d.fits is not true or d.first_created_at < d.after - c_clock
    union all
    select
      width_bucket(w.event_id - 1, v_event_ids), w.wallet_id,
      format('It tells of wallet %s: %s', w.wallet_id, w.detail)
    from pgwallet._find_wrong_owners(
      array(
        select e.subject_id
        from pgwallet.event as e
        where e.event_id > v_event_ids[1] and e.event_id <= v_event_ids[cardinality(v_event_ids)]
          and e.kind = 'create_wallet'
      )
    ) as w
    where w.event_id > v_event_ids[1] and w.event_id <= v_event_ids[cardinality(v_event_ids)]
  ) as n
  order by n.place, n.wallet_id
  limit 1;
  if not found and v_misplaced is not null then
    return query
    select v_misplaced, 'It does not follow on the seal before it: one of them was changed or taken away.';
  end if;
end;
$function$;
