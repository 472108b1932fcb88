"""What the clients of pgbench run: the calls, and the floor under each.

A floor writes the same rows into the same tables in one bare statement, with all values known
beforehand but those that other clients change meanwhile, the balances. It checks nothing, and
returns what the call returns, as far as the rows have it. That of a keyed call writes the key, too.
"""

from bench.crowd import POCKETS, PROJECTS, WIDE_POCKETS, Crowd, Ids

ALLOCATED = 100
REPEATED = 10  # calls that are made again and again
WITH_KEY = ", p_idempotency_key => gen_random_uuid()::text"


def _picked(name: str, count: int, **ids: Ids) -> str:
    """Lines of a script that draw a number below `count` and the ids at that place."""
    lines = [f"\\set {name} random(0, {count - 1})"]
    lines += [f"\\set {key} {i.first} + :{name} * {i.step}" for key, i in ids.items()]
    return "\n".join(lines) + "\n"


def _keyed(request: str) -> tuple[str, str]:
    """Columns and values of a transaction with a key, to go on a list of others."""
    return ", idempotency_key, request", f", gen_random_uuid()::text, {request}"


def deposit(crowd: Crowd) -> str:
    return _picked("n", crowd.wallets.count, wallet=crowd.wallets) + (
        "select * from pgwallet.deposit(:wallet, 10);\n"
    )


def deposit_floor(crowd: Crowd, *, key: bool = False) -> str:
    names, values = _keyed("'deposit(' || :wallet || ', 10)'") if key else ("", "")
    return (
        _picked("n", crowd.wallets.count, wallet=crowd.wallets)
        + f"""
      with recorded as (
        insert into pgwallet.transaction (kind{names}) values ('deposit'{values})
        returning transaction_id
      ), credited as (
        update pgwallet.account set balance = balance + 10.00 where account_id = :wallet
        returning account_id, balance
      )
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount, destination_balance
      )
      select r.transaction_id, {crowd.external_account_id}, c.account_id, 10.00, c.balance
      from recorded as r, credited as c
      returning transaction_id, destination_balance, false;
    """
    )


def deposit_with_key(crowd: Crowd) -> str:
    """With a key, as a caller who may have to repeat the call."""
    return _picked("n", crowd.wallets.count, wallet=crowd.wallets) + (
        "select * from pgwallet.deposit(:wallet, 10, gen_random_uuid()::text);\n"
    )


def deposit_again(crowd: Crowd) -> str:
    """But for the first ones, calls that were made before."""
    return _picked("n", REPEATED, wallet=crowd.wallets) + (
        "select * from pgwallet.deposit(:wallet, 10, 'again ' || :n);\n"
    )


def pledge(crowd: Crowd, projects: int = PROJECTS, *, key: bool = False) -> str:
    return (
        _picked("n", crowd.wallets.count, wallet=crowd.wallets)
        + _picked("p", projects, project=crowd.projects)
        + f"select * from pgwallet.pledge(:wallet, :project, 1{WITH_KEY if key else ''});\n"
    )


def pledge_floor(crowd: Crowd, *, key: bool = False) -> str:
    request = "'pledge(' || :wallet || ', ' || :project || ', 1)'"
    names, values = _keyed(request) if key else ("", "")
    places = {"project": crowd.projects, "escrow_account": crowd.escrow_accounts}
    return (
        _picked("n", crowd.wallets.count, wallet=crowd.wallets)
        + _picked("p", PROJECTS, **places)
        + f"""
      with drawn as materialized (
        select nextval('pgwallet.id_seq') * 1024 + 1 as escrow_id
      ), recorded as (
        insert into pgwallet.transaction (kind, escrow_id{names})
        select 'pledge', escrow_id{values} from drawn
        returning transaction_id
      ), locked as (
        insert into pgwallet.escrow (escrow_id, project_id, wallet_id, amount)
        select escrow_id, :project, :wallet, 1.00 from drawn
      ), debited as (
        update pgwallet.account set balance = balance - 1.00 where account_id = :wallet
        returning account_id, balance
      )
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount, source_balance
      )
      select r.transaction_id, d.account_id, :escrow_account, 1.00, d.balance
      from recorded as r, debited as d
      returning
        transaction_id, (select escrow_id from drawn), source_account_id, :project,
        amount, 'locked', source_balance, false;
    """
    )


def allocate(crowd: Crowd, rounding: str = "half_up", *, key: bool = False) -> str:
    return _allocation(crowd.wallets, rounding, key)


def allocate_floor(crowd: Crowd) -> str:
    """Of either rounding: the shares are known beforehand."""
    return _allocation_floor(crowd.wallets, crowd.pockets, POCKETS)


def allocate_wide(crowd: Crowd, rounding: str = "half_up", *, key: bool = False) -> str:
    return _allocation(crowd.wide_wallets, rounding, key)


def allocate_wide_floor(crowd: Crowd) -> str:
    return _allocation_floor(crowd.wide_wallets, crowd.wide_pockets, WIDE_POCKETS)


def _allocation(wallets: Ids, rounding: str, key: bool) -> str:
    arguments = f":wallet, {ALLOCATED}, '{rounding}'{WITH_KEY if key else ''}"
    return _picked("n", wallets.count, wallet=wallets) + (
        f"select * from pgwallet.allocate_deposit({arguments});\n"
    )


def _allocation_floor(wallets: Ids, pockets: Ids, each: int) -> str:
    """The amounts and what the wallet has left after each are arrays in the statement's text."""
    amounts = [f"{ALLOCATED // each}.00"] * each
    left = [f"{ALLOCATED - ALLOCATED // each * n}.00" for n in range(1, each + 1)]
    return (
        _picked("n", wallets.count, wallet=wallets)
        + f"\\set pocket {pockets.first} + :n * {pockets.step * each}\n"
        + f"""
      with recorded as (
        insert into pgwallet.transaction (kind) values ('allocation') returning transaction_id
      ), debited as (
        update pgwallet.account set balance = balance - {ALLOCATED}.00 where account_id = :wallet
        returning account_id, balance
      ), credited as (
        update pgwallet.account as a set balance = a.balance + s.amount
        from unnest(
          '{{{",".join(amounts)}}}'::numeric[], '{{{",".join(left)}}}'::numeric[]
        ) with ordinality as s (amount, rest, n)
        where a.account_id = :pocket + (s.n - 1) * {pockets.step}
        returning a.account_id, a.balance, s.amount, s.rest
      )
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount,
        source_balance, destination_balance
      )
      select
        r.transaction_id, d.account_id, c.account_id, c.amount, d.balance + c.rest, c.balance
      from recorded as r, debited as d, credited as c
      order by c.rest desc
      returning transaction_id, destination_account_id, amount, destination_balance, false;
    """
    )


def deposit_many() -> str:
    return (
        "\\set n :client_id % 2\n"
        "select count(*) from pgwallet.deposit_many("
        "(select b.wallet_ids from batch as b where b.n = :n), "
        "(select b.amounts from batch as b where b.n = :n));\n"
    )


def allocate_deposits(crowd: Crowd, wallets: int) -> str:
    """Each client has wallets of its own."""
    first, step = crowd.wallets.first, crowd.wallets.step
    return (
        f"\\set wallet {first} + (:client_id % 2) * {wallets * step}\n"
        "select count(*) from pgwallet.allocate_deposits("
        f"(select array_agg(:wallet + g.n * {step}) "
        f"from generate_series(0, {wallets - 1}) as g (n)), "
        f"(select array_agg({ALLOCATED}.00) from generate_series(1, {wallets})));\n"
    )
