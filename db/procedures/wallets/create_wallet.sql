-- Returns the wallet of an owner in a currency; makes it, with balance 0, if there is none yet. One
-- that was closed is returned as it is: an owner has one wallet a currency, and closing is final.
--
-- Two calls at once make one wallet: the second waits on the owner's key.
create or replace function pgwallet.create_wallet(p_owner_id text, p_currency text default 'EUR')
returns table (
  wallet_id bigint, owner_id text, currency text, balance numeric,
  credit_limit numeric, frozen_at timestamptz, closed_at timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
  v_exponent integer;
  v_external_account_id bigint;
  v_wallet_id bigint;
  v_slot integer;
begin
  if (p_owner_id ~ '[!-~]' and length(p_owner_id) <= 200) is not true then
    perform pgwallet._check_text('owner_id', p_owner_id);
  end if;

  select c.exponent, w.wallet_id, c.external_account_id
  into v_exponent, v_wallet_id, v_external_account_id
  from pgwallet.currency as c
  left join pgwallet.wallet as w
    on w.owner_id = p_owner_id collate "C" and w.currency = c.currency
  where c.currency = p_currency collate "C";
  if not found then
    perform pgwallet._find_exponent(p_currency);
  end if;

  if v_wallet_id is null then
    -- It depends on the owner alone: all wallets of an owner are in one place.
    v_slot := pgwallet._slot_of(p_owner_id);

    -- A balance has its currency's decimals from the start: other functions read them from it.
    with opened as (
      insert into pgwallet.wallet as w (wallet_id, owner_id, currency)
      values (
        case v_slot
          when 0 then pgwallet._draw_account_id(0)
          else nextval('pgwallet.id_seq') * 1024 + v_slot
        end,
        p_owner_id, p_currency
      )
      on conflict on constraint wallet_owner_key do nothing
      returning w.wallet_id, w.owner_id, w.owner_salt, w.currency
    ),

    -- Within this statement, which is cheaper than a call of _insert_event: imports make many.
    told as (
      insert into pgwallet.event (kind, subject_id, after)
      select
        'create_wallet', o.wallet_id,
        jsonb_build_object(
          'currency', o.currency,
          'owner_digest', pgwallet._owner_digest(o.owner_salt, o.owner_id)
        )
      from opened as o
    )

    insert into pgwallet.account as a (
      account_id, kind, currency, balance, external_account_id
    )
    select o.wallet_id, 'wallet', o.currency, round(0.0, v_exponent), v_external_account_id
    from opened as o
    returning a.account_id into wallet_id;

    if found then
      owner_id := p_owner_id;
      currency := p_currency;
      balance := round(0.0, v_exponent);
      credit_limit := balance;
      return next;
      return;
    end if;

    select w.wallet_id
    into v_wallet_id
    from pgwallet.wallet as w
    where w.owner_id = p_owner_id collate "C" and w.currency = p_currency collate "C";
  end if;

  return query select s.* from pgwallet._show_wallets(array[v_wallet_id]) as s;
end;
$function$;

comment on function pgwallet.create_wallet(text, text) is
'Returns the wallet of an owner in a currency, and makes it if needed. Raises: PW002, PW003.';
