-- Refuses to let a pocket stop at a target that it has not.
create or replace function pgwallet._check_stop(
  p_target_amount numeric,
  p_stop_at_target boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_stop_at_target is null then
    raise exception using
      errcode = 'PW002',
      message = 'stop_at_target is null',
      detail = 'A pocket stops at its target, or it does not.',
      hint = 'Pass true or false.';
  elsif p_stop_at_target and p_target_amount is null then
    raise exception using
      errcode = 'PW002',
      message = 'a pocket without a target cannot stop at it',
      detail = 'target_amount is null, and stop_at_target true.',
      hint = 'Pass a target too.';
  end if;
end;
$function$;
