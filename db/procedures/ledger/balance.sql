-- What is in an account: kept for wallets, pockets and projects, else derived: from the few locked
-- escrows of its project for an escrow account, else from the last seal and what came since.
create or replace function pgwallet.balance(p_account_id bigint)
returns numeric
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account pgwallet.account;
  v_seal pgwallet.seal;
  v_balance numeric;
begin
  select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;

  if v_account.balance is not null then
    v_balance := v_account.balance;
  elsif v_account.kind = 'escrow' and not pgwallet._has_many_locked(p_account_id) then
    select sum(e.amount - e.released_amount - e.refunded_amount)
    into v_balance
    from pgwallet.project as p
    inner join pgwallet.escrow as e on e.project_id = p.project_id
      and e.status in ('locked', 'disputed')
    where p.escrow_account_id = p_account_id;
  else
    select s.* into v_seal from pgwallet.seal as s order by s.seal_id desc limit 1;
    v_balance := case
      when v_seal.seal_id is null and v_account.kind in ('commission', 'fee')
        then pgwallet._sum_earned(p_account_id)
      else
        pgwallet._sealed_balance(p_account_id, v_seal.seal_id) + pgwallet._sum_postings(
          p_account_id, coalesce(v_seal.posting_id, '-9223372036854775808'),
          9223372036854775807, 'infinity'
        )
    end;
  end if;
  return round(coalesce(v_balance, 0), pgwallet._find_exponent(v_account.currency));
end;
$function$;

comment on function pgwallet.balance(bigint) is
'What is in an account, in major units; below 0 for external. Raises: PW105.';
