"""What cannot move, is not explained, or changed since it moved is named, row by row."""

from decimal import Decimal

import pytest

import pgwallet
from bench.orm.models import EscrowContract, UserWallet, WalletPocket
from bench.orm.pledge import pledge
from examples.from_an_orm.__main__ import main
from tests.conftest import Connect
from tests.examples.from_an_orm.old_service import (
    ADA,
    BOB,
    DAN,
    NAMES,
    UNEXPLAINED,
    Move,
    held,
    metadata,
    postings,
)


def test_all_rows_that_cannot_move_are_listed_before_anything_does(
    move: Move, connect: Connect
) -> None:
    with connect() as conn:
        for statement in (
            "alter table orm_walletpocket alter name type text",
            "alter table orm_walletpocket alter current_amount type numeric",
            "alter table orm_walletpocket alter allocation_percentage type numeric",
            "alter table orm_walletpocket alter target_amount type numeric",
            "alter table orm_escrowcontract alter amount type numeric",
            "alter table orm_userwallet alter balance type numeric",
            "update orm_userwallet set balance = -40 where id = 3",
            "update orm_userwallet set balance = 0.005 where id = 4",
            'update orm_userwallet set "user" = null where id = 5',
            """
            insert into orm_walletpocket (
              id, wallet_id, name, pocket_type, allocation_percentage, target_amount,
              current_amount, created_at, updated_at
            )
            values
              (11, 3, 'a', '', 70, 0, 0, now(), now()),
              (12, 3, 'b', '', 31, -1, 0, now(), now()),
              (13, 3, ' a', '', 0, 0, 0, now(), now()),
              (14, 3, '  ', '', 0, 0, -1, now(), now()),
              (15, 3, repeat('x', 201), '', 0, 0, 0.001, now(), now()),
              (16, 3, 'c', '', -0.01, 0, 'NaN', now(), now())
            """,
            "update orm_escrowcontract set amount = 5.001 where id = 2",
            'update orm_escrowcontract set "user" = 1 where id = 3',
            "update orm_escrowcontract set status = 'LOST' where id = 4",
        ):
            conn.execute(statement.encode())
    ended = move()

    problems = [
        (row.strip("│ ").split("│")[0].strip(), row.strip("│ ").split("│")[1].strip())
        for row in ended.out.partition("What cannot move")[2].splitlines()
        if row[:1] == "│"
    ]
    assert problems == [
        ("wallet 1", "another wallet has the same user, or both have none"),
        ("wallet 3", "its balance is -40"),
        ("wallet 3", "its pockets have 100.99 percent together"),
        ("wallet 4", "its balance is 0.005"),
        ("wallet 5", "another wallet has the same user, or both have none"),
        ("pocket 12", "its target_amount is -1"),
        ("pocket 13", "its name is that of pocket 11 in the same wallet, but for blanks"),
        ("pocket 14", "its current_amount is -1"),
        ("pocket 14", "its name is blank"),
        ("pocket 15", "its current_amount is 0.001"),
        ("pocket 15", "its name has 201 characters"),
        ("pocket 16", "its allocation_percentage is -0.01"),
        ("pocket 16", "its current_amount is NaN"),
        ("escrow 2", "its amount is 5.001"),
        ("escrow 3", "it is of user 1, its pledge was taken from the wallet of user 2"),
        ("escrow 4", "its status is LOST"),
    ]
    assert ended.code == 1
    with connect() as conn:
        assert held(conn) == {}
    assert move("--wallet", str(ADA)).code == 0


def test_a_check_lists_the_same_and_moves_nothing(move: Move, connect: Connect) -> None:
    ended = move("--check")

    assert "Every row can move. Nothing was moved" in ended.out
    assert ended.code == 0
    UserWallet.objects.filter(pk=DAN).update(balance=-1)
    ended = move("--check")
    assert ended.table()[f"wallet {DAN}"][0] == "its balance is -1.00"
    assert ended.code == 1
    with connect() as conn:
        assert held(conn) == {}


def test_what_the_old_transactions_do_not_explain_is_listed_and_refused_with_strict(
    move: Move, connect: Connect
) -> None:
    UserWallet.objects.filter(pk=ADA).update(balance=Decimal("20.02"))
    WalletPocket.objects.filter(wallet=ADA, name="rent").update(current_amount=Decimal("50.00"))
    # As the old service did it: a status, and no money.
    EscrowContract.objects.filter(user=2, project=8).update(status="REFUNDED")
    EscrowContract.objects.filter(user=2, project=7).update(amount=Decimal("4.00"))
    strict = move("--strict")

    assert {
        row: cells for row, cells in strict.table().items() if row in UNEXPLAINED
    } == UNEXPLAINED
    assert "Nothing was moved: --strict" in strict.out
    assert strict.code == 1
    with connect() as conn:
        assert held(conn) == {}
    assert move().code == 0
    with connect() as conn:
        assert held(conn)["user-1"] == "20.02"
        assert metadata(conn, f"from-orm:wallet:{ADA}")["unexplained"] == "0.02"


def test_books_that_are_in_order_are_said_to_be(move: Move) -> None:
    EscrowContract.objects.filter(status="RELEASED").update(amount=Decimal("7.90"))
    ended = move("--strict")

    assert "The old transactions explain every balance." in ended.out
    assert ended.code == 0


def test_an_old_row_that_changed_after_it_had_moved_is_found(move: Move, connect: Connect) -> None:
    move()
    # The sum of the wallets stays the same.
    UserWallet.objects.filter(pk=ADA).update(balance=Decimal("20.01"))
    UserWallet.objects.filter(pk=BOB).update(balance=Decimal("18.49"))
    WalletPocket.objects.create(wallet_id=BOB, name="[/] :new:", current_amount=0)
    pledge(1, 8, Decimal("0.50"))
    EscrowContract.objects.filter(user=2, project=7).update(project=8)
    with connect() as conn:
        before = postings(conn)
    ended = move()

    table = ended.table()
    assert table["wallet 2"] == ["user-1", "19.51", "20.00", "-0.49"]
    assert table["wallet 3"] == ["user-2", "18.49", "18.50", "-0.01"]
    assert table["pocket 4"] == ["user-2: [/] :new:", "0.00", "nothing", "0.00"]
    assert table["escrow 5"] == ["user-1 for project-8", "0.50", "nothing", "0.50"]
    assert table["escrow 2"] == ["user-2 for project-8", "5.00", "nothing", "5.00"]
    assert table["pockets"][:2] == ["4", "3"]
    assert "They differ." in ended.out
    assert ended.code == 1
    with connect() as conn:
        assert postings(conn) == before


def test_a_project_that_would_refuse_its_pledges_is_a_problem(move: Move, connect: Connect) -> None:
    with connect() as conn:
        film = pgwallet.create_project(conn, "project-7").project_id
        pgwallet.create_project(conn, "project-8", max_pledge=Decimal("6.49"))
        pgwallet.close_project(conn, film, "failed")
    ended = move()

    table = ended.table()
    assert table["project 7"][0].startswith("project-7 has failed in the ledger, and 2 locked")
    assert table["project 8"][0].startswith(
        "project-8 takes no pledge above 6.49 in the ledger, and 1"
    )
    assert ended.code == 1
    with connect() as conn:
        assert held(conn) == {}


def test_a_wallet_that_is_not_there_is_named(move: Move) -> None:
    ended = move("--wallet", str(ADA), "--wallet", "4711")

    assert "There is no old wallet 4711." in ended.err
    assert ended.code == 1


def test_a_currency_without_cents_asks_for_whole_amounts(move: Move) -> None:
    ended = move("--currency", "JPY", "--wallet", str(BOB))

    assert ended.table()["wallet 3"] == [
        "its balance is 18.50",
        "Round it in the old tables: JPY has 0 decimals.",
    ]
    assert ended.code == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--app-label", "shop"), "--app-label, --name"),
        (("--name", "userwallet.balance=amount"), "--app-label, --name"),
        (("--currency", "XXX"), "no currency XXX"),
        (("--from", "host=/nowhere"), "/nowhere"),
    ],
)
def test_what_is_not_there_is_named_without_a_trace(
    move: Move, options: tuple[str, ...], said: str
) -> None:
    ended = move(*options)

    assert said in ended.err
    assert ended.code == 1


def test_a_database_without_pgwallet_asks_for_it(
    empty_database: str, filled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*NAMES, "--from", filled, "--to", empty_database]) == 1
    assert "pgwallet migrate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--name", "userwalet=accounts"), "--name userwalet=accounts"),
        (("--name", "userwallet="), "--name userwallet="),
        (("--batch-size", "0"), "--batch-size must be at least 1"),
        (("--to", ""), "--to is missing"),
    ],
)
def test_a_bad_command_line_exits_2(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--to", "dbname=unused", *options])

    assert said in capsys.readouterr().err
    assert ended.value.code == 2
