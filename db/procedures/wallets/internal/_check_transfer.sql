-- Refuses a transfer from or to what is neither a wallet nor a pocket, or of an amount with too
-- many decimals. Locks nothing: neither kind nor currency of an account ever change.
create or replace function pgwallet._check_transfer(
  p_from_account_id bigint,
  p_to_account_id bigint,
  p_amount numeric
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_wrong record;
  v_currency pgwallet.currency;
begin
  select i.account_id, a.kind
  into v_wrong
  from unnest(array[p_from_account_id, p_to_account_id]) with ordinality as i (account_id, place)
  left join pgwallet.account as a on a.account_id = i.account_id
  where (a.kind in ('wallet', 'pocket')) is not true
  order by i.place
  limit 1;
  if found then
    raise exception using
      errcode = 'PW105',
      message = format(
        'no wallet or pocket has the id %s', coalesce(v_wrong.account_id::text, 'null')
      ),
      detail = case
        when v_wrong.account_id is null then 'The id is null.'
        when v_wrong.kind is null then 'Nothing has this id.'
        else format('The id is that of another account: %s.', v_wrong.kind)
      end,
      hint = 'Use the ids of two wallets, or of two pockets of one wallet.';
  end if;

  -- An amount is one of the account that pays.
  select c.*
  into v_currency
  from pgwallet.account as a
  inner join pgwallet.currency as c on c.currency = a.currency
  where a.account_id = p_from_account_id;
  if scale(trim_scale(p_amount)) > v_currency.exponent then
    perform pgwallet._refuse_decimals(p_amount, v_currency.currency, v_currency.exponent);
  end if;
end;
$function$;
