-- Refuses a percentage outside 0 to 100, or with more than four decimals.
create or replace function pgwallet._check_percentage(p_allocation_percentage numeric)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if (
    p_allocation_percentage between 0 and 100 and scale(trim_scale(p_allocation_percentage)) <= 4
  ) is not true then
    raise exception using
      errcode = 'PW002',
      message = format(
        'allocation_percentage %s is not valid', coalesce(p_allocation_percentage::text, 'null')
      ),
      detail = 'A percentage is from 0 to 100, with up to four decimals.',
      hint = 'Pass 12.5 for an eighth of each deposit.';
  end if;
end;
$function$;
