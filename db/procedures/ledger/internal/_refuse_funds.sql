-- Refuses to take more out of an account than is in it, or may be owed where credit counts.
create or replace function pgwallet._refuse_funds(
  p_kind text,
  p_account_id bigint,
  p_balance numeric,
  p_amount numeric,
  p_credit_limit numeric default 0
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW201',
    message = format('%s %s does not hold enough', p_kind, p_account_id),
    detail = case
      when p_credit_limit = 0 then format('Its balance is %s, the amount %s.', p_balance, p_amount)
      else format(
        'Its balance is %s, its credit %s, the amount %s.', p_balance, p_credit_limit, p_amount
      )
    end,
    hint = 'Take a smaller amount, or pay in first.';
end;
$function$;
