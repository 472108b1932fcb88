-- Finds the first of seals that follow another one which does not fit what the tables hold, by its
-- place among them.
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

  return query
  select
    n.place::integer,
    case
      when n.fits
        then format(
          'Of this, something says that it was recorded at %s, when the seal before had been made: '
          'it was forged, or the clock was set back.', n.first_created_at
        )
      else 'Something of this was changed, added or taken away since, or the seal was.'
    end
  from (
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
      coalesce(p_previous.event_id, c_first)
      || array(select b.event_id from unnest(v_seals) as b)
    ) as g on g.place = s.place
    window o as (order by s.place)
  ) as n
  where n.fits is not true or n.first_created_at < n.after - c_clock
  order by n.place
  limit 1;
  if not found and v_misplaced is not null then
    return query
    select v_misplaced, 'It does not follow on the seal before it: one of them was changed or taken away.';
  end if;
end;
$function$;
