-- Makes a currency, with its three accounts, or returns the one that is there. Its decimals stay:
-- balances have them. p_account_ids are those that a cluster gave the accounts, external,
-- commission and fee, where its other shards have them under the same ids.
--
-- Locks, in order: a share of the ids of slot 0; the code, so that two at once make one currency.
create or replace function pgwallet._create_currency(
  p_currency text,
  p_exponent integer,
  p_name text,
  p_account_ids bigint[]
)
returns table (
  currency text, exponent integer, name text,
  external_account_id bigint, commission_account_id bigint, fee_account_id bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_currency pgwallet.currency;
begin
  perform pgwallet._check_currency(p_currency, p_exponent);
  perform pgwallet._check_text('name', p_name);

  insert into pgwallet.currency as c (
    currency, exponent, name, external_account_id, commission_account_id, fee_account_id
  )
  values (
    p_currency, p_exponent, p_name,
    coalesce(p_account_ids[1], pgwallet._draw_account_id(0)),
    coalesce(p_account_ids[2], pgwallet._draw_account_id(0)),
    coalesce(p_account_ids[3], pgwallet._draw_account_id(0))
  )
  on conflict on constraint currency_pkey do nothing
  returning c.* into v_currency;
  if found then
    insert into pgwallet.account (account_id, kind, currency)
    values
      (v_currency.external_account_id, 'external', p_currency),
      (v_currency.commission_account_id, 'commission', p_currency),
      (v_currency.fee_account_id, 'fee', p_currency);
    perform pgwallet._insert_event(
      'create_currency', null, null,
      jsonb_build_object('currency', p_currency, 'exponent', p_exponent, 'name', p_name)
    );
  else
    select c.* into v_currency
    from pgwallet.currency as c where c.currency = p_currency collate "C";
    if v_currency.exponent <> p_exponent or v_currency.name <> p_name collate "C" then
      raise exception using
        errcode = 'PW002',
        message = format('currency %L is another one', p_currency),
        detail = format(
          'It is called %L and has %s decimals.', v_currency.name, v_currency.exponent
        ),
        hint = 'Take another code; the decimals of a currency never change.';
    end if;
  end if;

  return query
  select
    v_currency.currency, v_currency.exponent::integer, v_currency.name,
    v_currency.external_account_id, v_currency.commission_account_id, v_currency.fee_account_id;
end;
$function$;
