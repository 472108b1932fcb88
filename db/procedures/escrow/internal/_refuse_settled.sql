-- Refuses to take more out of an escrow than is left in it, or anything where it is not locked.
create or replace function pgwallet._refuse_settled(
  p_escrow_id bigint,
  p_status pgwallet.escrow_status,
  p_left numeric,
  p_amount numeric
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_status = 'locked' then
    raise exception using
      errcode = 'PW206',
      message = format('escrow %s does not hold that much', p_escrow_id),
      detail = format('%s is left in it, the amount is %s.', p_left, p_amount),
      hint = 'Take less, or leave the amount out for all that is left.';
  end if;

  perform pgwallet._refuse_not_locked(p_escrow_id, p_status, p_left, p_amount);
end;
$function$;
