-- Refuses to take anything out of an escrow that is settled, or of what a dispute holds.
create or replace function pgwallet._refuse_not_locked(
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
  raise exception using
    errcode = 'PW202',
    message = format(
      case p_status when 'disputed' then 'escrow %s is disputed' else 'escrow %s is not locked' end,
      p_escrow_id
    ),
    detail = format(
      'Its status is %s, %s is left in it, the amount is %s.',
      p_status, p_left, coalesce(p_amount::text, 'what is left')
    ),
    hint = case p_status
      when 'disputed'
        then format(
          'Resolve the dispute first, by pgwallet.resolve_dispute(%s, ''upheld'' or ''rejected'').',
          p_escrow_id
        )
      else 'Nothing is left to release or refund.'
    end;
end;
$function$;
