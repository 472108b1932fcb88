-- Refuses to release an escrow that expired before its project succeeded; an open one has not yet.
create or replace function pgwallet._refuse_expired(
  p_escrow_id bigint,
  p_expires_at timestamptz,
  p_closed_at timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW202',
    message = format('escrow %s has expired', p_escrow_id),
    detail = format(
      'It expired at %s, the project %s.',
      p_expires_at, coalesce('succeeded at ' || p_closed_at, 'has not succeeded yet')
    ),
    hint = format(
      'Give it back by pgwallet.refund_escrow(%s), or by refund_expired_escrows.', p_escrow_id
    );
end;
$function$;
