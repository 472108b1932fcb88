-- What the postings come to that were recorded in an account until a time. Up to the time of a seal
-- those that it covers, whatever the clock says of later ones: so that never changes any more.
create or replace function pgwallet._sum_recorded(p_account pgwallet.account, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- A clock that was set back puts times out of order, so seeking keeps its distance.
  c_distance constant interval := interval '1 hour';
  -- Nothing after this one counts, all up to that one does.
  v_last pgwallet.seal := pgwallet._seal_from(p_at);
  v_known pgwallet.seal := pgwallet._seal_until(p_at);
  v_upto bigint := coalesce(v_last.posting_id, 9223372036854775807);
  v_above bigint;
  v_from bigint;
  v_below bigint;
begin
  if v_last.seal_id < v_known.seal_id then
    v_known := v_last;
  end if;
  v_above := coalesce(v_known.posting_id, '-9223372036854775808'::bigint);

  if p_account.balance is null then
    return pgwallet._sealed_balance(p_account.account_id, v_known.seal_id)
      + pgwallet._sum_postings(p_account.account_id, v_above, v_upto, p_at);
  end if;

  -- Whatever has a smaller id was recorded earlier: its last posting carries what it came to.
  v_below := least(
    v_upto, pgwallet._seek_posting(p_account.account_id, p_at + c_distance) - 1
  ) + 1;
  v_from := least(
    v_below,
    greatest(v_above + 1, pgwallet._seek_posting(p_account.account_id, p_at - c_distance))
  );
  return pgwallet._carried_balance(p_account.account_id, v_from)
    + pgwallet._sum_movements(p_account.account_id, v_from, v_below, p_at);
end;
$function$;
