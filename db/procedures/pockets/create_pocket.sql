-- Makes a pocket in a wallet, with the percentage of allocated deposits that it receives. The same
-- name and arguments as a pocket has now return that one.
--
-- Locks, in order: a share of the ids of slot 0 for a wallet there, the wallet.
create or replace function pgwallet.create_pocket(
  p_wallet_id bigint,
  p_name text,
  p_allocation_percentage numeric default 0,
  p_pocket_type text default null,
  p_target_amount numeric default null
)
returns table (
  pocket_id bigint, wallet_id bigint, name text, allocation_percentage numeric, balance numeric,
  pocket_type text, target_amount numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_currency pgwallet.currency;
  v_pocket pgwallet.pocket;
  v_pocket_id bigint;
begin
  if p_target_amount is not null
    and (p_target_amount > 0 and p_target_amount < 1000000000000000) is not true
  then
    perform pgwallet._refuse_amount(p_target_amount);
  end if;
  perform pgwallet._check_text('name', p_name);
  perform pgwallet._check_percentage(p_allocation_percentage);
  perform pgwallet._check_text('pocket_type', p_pocket_type, false);
  v_currency := pgwallet._check_account('wallet', p_wallet_id, p_target_amount);

  -- In the wallet's slot, like all that belongs to it.
  v_pocket_id := pgwallet._draw_account_id((p_wallet_id % 1024)::integer);
  perform from pgwallet.account as a where a.account_id = p_wallet_id for no key update;

  select k.* into v_pocket
  from pgwallet.pocket as k
  where k.wallet_id = p_wallet_id and k.name = p_name collate "C" and k.closed_at is null;
  if found then
    if v_pocket.allocation_percentage <> p_allocation_percentage
      or v_pocket.pocket_type is distinct from p_pocket_type collate "C"
      or v_pocket.target_amount is distinct from p_target_amount
    then
      raise exception using
        errcode = 'PW002',
        message = format('wallet %s has another pocket %L', p_wallet_id, p_name),
        detail = format(
          'It is pocket %s with %s percent, of type %L, with a target of %s.',
          v_pocket.pocket_id, v_pocket.allocation_percentage, v_pocket.pocket_type,
          coalesce(v_pocket.target_amount::text, 'null')
        ),
        hint = 'Use that pocket, repeat what it has to get it, or take another name.';
    end if;
    v_pocket_id := v_pocket.pocket_id;
  else
    perform pgwallet._add_percentage(p_wallet_id, p_allocation_percentage);

    -- A balance has its currency's decimals from the start: other functions read them from it.
    insert into pgwallet.account (account_id, kind, currency, balance)
    values (v_pocket_id, 'pocket', v_currency.currency, round(0.0, v_currency.exponent));
    insert into pgwallet.pocket (
      pocket_id, wallet_id, name, allocation_percentage, pocket_type, target_amount
    )
    values (
      v_pocket_id, p_wallet_id, p_name, trim_scale(p_allocation_percentage), p_pocket_type,
      round(p_target_amount, v_currency.exponent)
    );
  end if;

  return query
  select
    k.pocket_id, k.wallet_id, k.name, k.allocation_percentage, a.balance,
    k.pocket_type, k.target_amount
  from pgwallet.pocket as k
  inner join pgwallet.account as a on a.account_id = k.pocket_id
  where k.pocket_id = v_pocket_id;
end;
$function$;

comment on function pgwallet.create_pocket(bigint, text, numeric, text, numeric) is
'Makes a pocket in a wallet, or returns it again. Raises: PW001, PW002, PW101, PW302.';
