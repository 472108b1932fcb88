-- Raises what a shard returned as its error: SQLSTATE, message, detail, hint.
create or replace function pgwallet_router._raise(p_error text[])
returns boolean
language plpgsql
as $function$
begin
  -- An empty detail or hint would be shown as such.
  if p_error[3] <> '' and p_error[4] <> '' then
    raise exception using
      errcode = p_error[1], message = p_error[2], detail = p_error[3], hint = p_error[4];
  elsif p_error[3] <> '' then
    raise exception using errcode = p_error[1], message = p_error[2], detail = p_error[3];
  elsif p_error[4] <> '' then
    raise exception using errcode = p_error[1], message = p_error[2], hint = p_error[4];
  end if;
  raise exception using errcode = p_error[1], message = p_error[2];
end;
$function$;
