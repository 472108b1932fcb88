-- Refuses an id that no project may have; null is none. Callers reach half of all ids only, so
-- that the sequence, which follows them, never runs out.
create or replace function pgwallet._check_project_id(p_project_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_project_id < 1024 or p_project_id % 1024 <> 0 or p_project_id >= 1::bigint << 62 then
    perform pgwallet._refuse_argument(
      format('project_id %s is not the id of a project', p_project_id),
      'Projects have ids of slot 0: multiples of 1024 from 1024 up to 2^62.',
      'Leave it out to get the next one.'
    );
  end if;
end;
$function$;

comment on function pgwallet._check_project_id(bigint) is
'Refuses an id that no project may have. Raises: PW002.';
