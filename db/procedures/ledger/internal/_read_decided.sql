-- The postings of an account that keeps no balance, oldest first, as far as none can come between
-- them any more. No lock orders these: one that commits later may have a smaller id.
--
-- It reads what is sealed, then the rest as _find_decided tells. Where nobody can tell, a page that
-- would be empty though there is something is refused: it would look like the end. Each statement
-- of it sees what was committed by then, unlike those of its caller.
create or replace function pgwallet._read_decided(
  p_account pgwallet.account,
  p_above bigint,
  p_below bigint,
  p_from timestamptz,
  p_until timestamptz,
  p_limit integer
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, amount numeric, balance numeric,
  counterpart_id bigint, escrow_id bigint, created_at timestamptz, effective_at timestamptz,
  metadata jsonb, reversed_transaction_id bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
  v_above bigint := p_above;
  v_until bigint;
  v_left integer := p_limit;
  v_found integer;
begin
  select s.posting_id into v_until from pgwallet.seal as s order by s.seal_id desc limit 1;
  for v_round in 1..2 loop
    v_until := least(coalesce(v_until, 0), p_below - 1);
    if v_until > v_above then
      return query
      select
        p.posting_id, p.transaction_id, t.kind::text,
        case
          when p.destination_account_id = p_account.account_id then p.amount else -p.amount
        end,
        case
          when p.destination_account_id = p_account.account_id then p.destination_balance
          else p.source_balance
        end,
        case
          when p.destination_account_id = p_account.account_id then p.source_account_id
          else p.destination_account_id
        end,
        t.escrow_id, p.created_at, coalesce(t.effective_at, p.created_at), t.metadata,
        t.reversed_transaction_id
      from pgwallet._read_postings(
        p_account, v_above, v_until + 1, p_from, p_until, v_left, false
      ) as p
      inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
      order by p.posting_id
      limit v_left;
      get diagnostics v_found = row_count;
      v_left := v_left - v_found;
      v_above := v_until;
    end if;
    exit when v_round = 2 or v_left = 0 or v_above >= p_below - 1;
    v_until := pgwallet._find_decided();
    if v_until is null and v_left = p_limit and exists (
      select from pgwallet._read_postings(p_account, v_above, p_below, p_from, p_until, 1, false)
    ) then
      perform pgwallet._check_decided();
    end if;
  end loop;
end;
$function$;
