-- Makes a pocket in a wallet, with the percentage of allocated deposits that it receives, or with
-- what the others leave of them. The same name and arguments as a pocket has now return that one.
--
-- Locks, in order: a share of the ids of slot 0 for a wallet there, the wallet.
create or replace function pgwallet.create_pocket(
  p_wallet_id bigint,
  p_name text,
  p_allocation_percentage numeric default 0,
  p_pocket_type text default null,
  p_target_amount numeric default null,
  p_stop_at_target boolean default false,
  p_takes_rest boolean default false
)
returns table (
  pocket_id bigint, wallet_id bigint, name text, allocation_percentage numeric, balance numeric,
  pocket_type text, target_amount numeric, stop_at_target boolean, takes_rest boolean,
  lacking_amount numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_currency pgwallet.currency;
  v_pocket pgwallet.pocket;
  v_pocket_id bigint;
  v_closed_at timestamptz;
begin
  if p_target_amount is not null
    and (p_target_amount > 0 and p_target_amount < 1000000000000000) is not true
  then
    perform pgwallet._refuse_amount(p_target_amount);
  end if;
  perform pgwallet._check_text('name', p_name);
  perform pgwallet._check_percentage(p_allocation_percentage, p_takes_rest);
  perform pgwallet._check_text('pocket_type', p_pocket_type, false);
  perform pgwallet._check_stop(p_target_amount, p_stop_at_target);
  v_currency := pgwallet._check_account('wallet', p_wallet_id, p_target_amount);

  -- In the wallet's slot, like all that belongs to it.
  v_pocket_id := pgwallet._draw_account_id((p_wallet_id % 1024)::integer);
  select a.closed_at into v_closed_at
  from pgwallet.account as a where a.account_id = p_wallet_id
  for no key update;
  if v_closed_at is not null then
    perform pgwallet._refuse_closed_account('wallet', p_wallet_id, v_closed_at);
  end if;

  select k.* into v_pocket
  from pgwallet.pocket as k
  where k.wallet_id = p_wallet_id and k.name = p_name collate "C" and k.closed_at is null;
  if found then
    if v_pocket.allocation_percentage <> p_allocation_percentage
      or v_pocket.pocket_type is distinct from p_pocket_type collate "C"
      or v_pocket.target_amount is distinct from p_target_amount
      or v_pocket.stop_at_target <> p_stop_at_target
      or v_pocket.takes_rest <> p_takes_rest
    then
      raise exception using
        errcode = 'PW002',
        message = format('wallet %s has another pocket %L', p_wallet_id, p_name),
        detail = format(
          'It is pocket %s with %s, of type %L, with a target of %s%s.',
          v_pocket.pocket_id,
          case
            when v_pocket.takes_rest then 'the rest'
            else v_pocket.allocation_percentage || ' percent'
          end,
          v_pocket.pocket_type,
          coalesce(v_pocket.target_amount::text, 'null'),
          case when v_pocket.stop_at_target then ' at which it stops' else '' end
        ),
        hint = 'Use that pocket, repeat what it has to get it, or take another name.';
    end if;
    v_pocket_id := v_pocket.pocket_id;
  else
    perform pgwallet._add_percentage(p_wallet_id, p_allocation_percentage);
    if p_takes_rest then
      perform pgwallet._check_rest(p_wallet_id, v_pocket_id);
    end if;

    -- A balance has its currency's decimals from the start: other functions read them from it.
    insert into pgwallet.account (account_id, kind, currency, balance)
    values (v_pocket_id, 'pocket', v_currency.currency, round(0.0, v_currency.exponent));
    insert into pgwallet.pocket (
      pocket_id, wallet_id, name, allocation_percentage, pocket_type, target_amount,
      stop_at_target, takes_rest
    )
    values (
      v_pocket_id, p_wallet_id, p_name, trim_scale(p_allocation_percentage), p_pocket_type,
      round(p_target_amount, v_currency.exponent), p_stop_at_target, p_takes_rest
    )
    returning * into v_pocket;
    if p_stop_at_target or p_takes_rest then
      perform pgwallet._note_rules(p_wallet_id);
    end if;
    perform pgwallet._insert_event(
      'create_pocket', v_pocket_id, null, to_jsonb(v_pocket) - 'created_at' - 'closed_at'
    );
  end if;

  return query select s.* from pgwallet._show_pocket(v_pocket_id) as s;
end;
$function$;

comment on function pgwallet.create_pocket(bigint, text, numeric, text, numeric, boolean, boolean)
is 'Makes a pocket in a wallet, or returns it again. Raises: PW001, PW002, PW101, PW209, PW302.';
