-- Refuses a percentage outside 0 to 100, or with more than four decimals, and one beside the rest.
create or replace function pgwallet._check_percentage(
  p_allocation_percentage numeric,
  p_takes_rest boolean
)
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
  elsif p_takes_rest is null then
    raise exception using
      errcode = 'PW002',
      message = 'takes_rest is null',
      detail = 'A pocket takes the rest of an allocation, or it does not.',
      hint = 'Pass true or false.';
  elsif p_takes_rest and p_allocation_percentage > 0 then
    raise exception using
      errcode = 'PW002',
      message = 'a pocket that takes the rest has no percentage',
      detail = format('Its percentage would be %s.', p_allocation_percentage),
      hint = 'Pass a percentage of 0, or leave the rest in the wallet.';
  end if;
end;
$function$;
