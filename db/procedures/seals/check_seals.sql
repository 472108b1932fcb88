-- Computes seals again, all or those after one that is trusted, and returns the first that does not
-- fit what the tables hold; no row where all do. Up to p_until_seal_id, which has to be there; else
-- to the end, and what came since then must not say that it is older.
--
-- Stable: it sees one snapshot, whatever goes on meanwhile, and locks nothing.
create or replace function pgwallet.check_seals(
  p_since_seal_id bigint default 0,
  p_until_seal_id bigint default null
)
returns table (seal_id bigint, covers text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_since bigint := greatest(p_since_seal_id, 0);
  v_previous pgwallet.seal;
  v_seals pgwallet.seal[];
  v_wrong record;
  v_early text;
begin
  if v_since > 0 then
    select s.* into v_previous from pgwallet.seal as s where s.seal_id = v_since;
    if not found then
      return query select v_since, null::text, 'It is not there.';
      return;
    end if;
  end if;

  loop
    v_seals := pgwallet._read_seals(v_previous, p_until_seal_id);
    exit when v_seals is null;
    select w.* into v_wrong from pgwallet._find_wrong_seal(v_seals, v_previous) as w;
    if found then
      if v_wrong.place > 1 then
        v_previous := v_seals[v_wrong.place - 1];
      end if;
      seal_id := v_seals[v_wrong.place].seal_id;
      if seal_id > coalesce(v_previous.seal_id, 0) + 1 then
        seal_id := coalesce(v_previous.seal_id, 0) + 1;
        detail := 'It is not there.';
      else
        covers := pgwallet._seal_range(v_seals[v_wrong.place], v_previous);
        detail := v_wrong.detail;
      end if;
      return next;
      return;
    end if;
    v_previous := v_seals[cardinality(v_seals)];
  end loop;

  if p_until_seal_id > coalesce(v_previous.seal_id, 0) then
    return query select p_until_seal_id, null::text, 'It is not there.';
  elsif p_until_seal_id is null then
    v_early := pgwallet._find_early_row(v_previous);
    if v_early is not null then
      return query
      select
        v_previous.seal_id, pgwallet._seal_range(null, v_previous),
        format(
          'Recorded since it was made, but older by what it says: %s. It was forged, or the clock '
          'was set back.', v_early
        );
    end if;
  end if;
end;
$function$;

comment on function pgwallet.check_seals(bigint, bigint) is
'Computes seals again, and names the first that does not fit what the tables hold.';
