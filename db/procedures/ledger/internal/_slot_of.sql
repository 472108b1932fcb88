-- The slot of what has this name, 0 to 1023: where in a cluster an owner or a project lives. It
-- never changes, since ids hold it.
create or replace function pgwallet._slot_of(p_name text)
returns integer
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_digest bytea := sha256(convert_to(p_name, 'UTF8'));
begin
  return (get_byte(v_digest, 0) * 256 + get_byte(v_digest, 1)) % 1024;
end;
$function$;
