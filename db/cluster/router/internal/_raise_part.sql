-- Raises what a shard returned as the error of its part. Behind the first part it says what became
-- of the others.
create or replace function pgwallet_router._raise_part(p_error text[], p_is_first boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if not p_is_first then
    p_error[4] := concat_ws(
      ' ', nullif(p_error[4], ''),
      'Other shards may have done their part; with the same keys the call completes the rest.'
    );
  end if;
  return pgwallet_router._raise(p_error);
end;
$function$;
