"""Rights and owners that nobody was given on purpose, `status` names, with what takes them back."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

import pgwallet
from pgwallet.deployment.drift import MIGRATE, Drift
from tests.access.roles import ODD_NAME, as_role, login_role
from tests.catalogue.access import ACCESSES
from tests.databases import OWNER, as_owner
from tests.deployment.damage import drift_after, drift_of, mend

pytestmark = pytest.mark.sql

SHOP = "shop_of_status"


@pytest.fixture
def conn(conn: psycopg.Connection) -> psycopg.Connection:
    """With a role that is an application's; all of it is undone after the test."""
    conn.execute(f"create role {SHOP}".encode())
    conn.execute("select pgwallet.grant_app(%s)", [SHOP])
    return conn


# What was granted: what is named, and what of it in which way.
TOO_MUCH = {
    "update, insert on pgwallet.posting": ("table", "posting", "insert, update"),
    "select (amount) on pgwallet.posting": ("column", "posting.amount", "select"),
    "select on pgwallet.wallet_summary": ("view", "wallet_summary", "select"),
    "usage on sequence pgwallet.id_seq": ("sequence", "id_seq", "usage"),
    "create on schema pgwallet": ("schema", "pgwallet", "create"),
    "execute on function pgwallet.payout": (
        "function",
        "pgwallet.payout(bigint,numeric,text,jsonb,timestamp with time zone)",
        "execute",
    ),
    "execute on procedure pgwallet.release_project": (
        "function",
        "pgwallet.release_project(bigint,integer)",
        "execute",
    ),
}


@pytest.mark.parametrize("right", TOO_MUCH)
def test_a_right_too_many_is_named_and_its_remedy_takes_it_back(
    conn: psycopg.Connection, right: str
) -> None:
    kind, name, privileges = TOO_MUCH[right]
    drift = drift_after(conn, f"grant {right} to {SHOP}")
    (found,) = drift
    assert (found.kind, found.name, found.what) == (kind, name, "rights")
    assert found.detail == f"{SHOP} has {privileges}"
    mend(conn, drift)
    assert drift_of(conn) == ()


def test_all_tables_granted_to_a_role_are_named_one_by_one(conn: psycopg.Connection) -> None:
    drift = drift_after(conn, f"grant all on all tables in schema pgwallet to {SHOP}")
    assert {"posting", "account", "role_grant", "_yoyo_migration"} <= {d.name for d in drift}
    assert {each.what for each in drift} == {"rights"}
    mend(conn, drift)
    assert drift_of(conn) == ()


@pytest.mark.parametrize(
    "right",
    [
        "execute on function pgwallet.deposit",
        "usage on schema pgwallet",
        "execute on function pgwallet.grant_app",
        "select on pgwallet.wallet_summary",
    ],
)
def test_what_public_may_is_named_and_migrate_takes_it_back(
    conn: psycopg.Connection, right: str
) -> None:
    (found,) = drift_after(conn, f"grant {right} to public")
    assert (found.what, found.remedy) == ("rights", MIGRATE)
    assert found.detail.startswith("PUBLIC has ")


def test_tables_granted_to_public_are_taken_back_by_hand(conn: psycopg.Connection) -> None:
    drift = drift_after(conn, "grant select on pgwallet.wallet to public")
    assert drift == (
        Drift(
            "table",
            "wallet",
            "rights",
            "PUBLIC has select",
            "revoke select on pgwallet.wallet from PUBLIC;",
        ),
    )


@pytest.mark.parametrize(
    "right", ["execute on function pgwallet.deposit", "usage on schema pgwallet"]
)
def test_a_right_that_was_taken_from_a_role_is_named(conn: psycopg.Connection, right: str) -> None:
    (found,) = drift_after(conn, f"revoke {right} from {SHOP}")
    assert (found.what, found.remedy) == ("rights", MIGRATE)
    assert found.detail == f"{SHOP} lacks {right.split()[0]}"


def test_a_right_to_pass_on_is_one_too_many(conn: psycopg.Connection) -> None:
    drift = drift_after(
        conn, f"grant execute on function pgwallet.deposit to {SHOP} with grant option"
    )
    assert [each.detail for each in drift] == [f"{SHOP} may pass on execute"]
    mend(conn, drift)
    assert drift_of(conn) == ()


def test_a_right_that_later_objects_would_have_is_named(conn: psycopg.Connection) -> None:
    drift = drift_after(
        conn,
        f"alter default privileges for role {OWNER} in schema pgwallet"
        f" grant execute on functions to {SHOP}",
    )
    assert [each.detail for each in drift] == [f"by default {SHOP} has execute"]
    mend(conn, drift)
    assert drift_of(conn) == ()


def test_an_owner_that_lacks_a_right_is_named(conn: psycopg.Connection) -> None:
    drift = drift_after(conn, f"revoke insert on pgwallet.posting from {OWNER}")
    assert [each.detail for each in drift] == [f"its owner {OWNER} lacks insert"]
    mend(conn, drift)
    assert drift_of(conn) == ()


def test_an_access_that_is_no_longer_remembered_leaves_rights_too_many(
    conn: psycopg.Connection,
) -> None:
    drift = drift_after(conn, "delete from pgwallet.role_grant")
    assert ("schema", "pgwallet") in {(each.kind, each.name) for each in drift}
    mend(conn, drift)
    assert drift_of(conn) == ()


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        ("function", "pgwallet.balance(bigint)", "function pgwallet.balance"),
        (
            "function",
            "pgwallet.release_project(bigint,integer)",
            "procedure pgwallet.release_project",
        ),
        ("table", "posting", "table pgwallet.posting"),
        ("view", "wallet_summary", "view pgwallet.wallet_summary"),
        ("sequence", "id_seq", "sequence pgwallet.id_seq"),
        ("type", "escrow_status", "type pgwallet.escrow_status"),
        ("type", "account_kind", "domain pgwallet.account_kind"),
    ],
)
def test_another_owner_is_named(conn: psycopg.Connection, kind: str, name: str, path: str) -> None:
    conn.execute("create role boss superuser")
    drift = drift_after(conn, f"alter {path} owner to boss")
    owners = [each for each in drift if each.what == "owner" and each.name == name]
    assert [(each.kind, each.detail) for each in owners] == [
        (kind, f"belongs to boss, a superuser, so it may do anything, not to {OWNER}")
    ]
    mend(conn, drift)
    assert drift_of(conn) == ()


def test_a_schema_that_went_to_somebody_else_with_all_that_is_in_it_is_named(
    conn: psycopg.Connection,
) -> None:
    """As after pg_restore --no-owner by a superuser."""
    conn.execute("create role boss superuser")
    drift = drift_after(conn, f"reassign owned by {OWNER} to boss")
    assert drift == (
        Drift(
            "schema",
            "pgwallet",
            "owner",
            f"belongs to boss, a superuser: all functions may do anything; deployed for {OWNER}",
        ),
    )


@pytest.mark.parametrize("access", ACCESSES)
def test_any_access_suffices_to_see_all_of_it(role: str, database: str, access: str) -> None:
    with psycopg.connect(as_owner(database)) as owner:
        owner.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])
    assert pgwallet.status(as_role(database, role)).up_to_date
    with psycopg.connect(database) as superuser:
        superuser.execute(
            sql.SQL(
                "grant update on pgwallet.account to {}; "
                "drop index pgwallet.transaction_idempotency_key; "
                "alter function pgwallet.balance(bigint) cost 7"
            ).format(sql.Identifier(role))
        )
    found = pgwallet.status(as_role(database, role))
    assert found == pgwallet.status(database)
    assert {each.name for each in found.drift} == {
        "account",
        "transaction_idempotency_key",
        "pgwallet.balance(bigint)",
    }


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server, ODD_NAME) as name:
        yield name
