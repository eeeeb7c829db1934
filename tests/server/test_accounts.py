"""Accounts, one-time links, sessions and tokens, on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tilth.errors import Conflict, InvalidInput, NotFound, TilthError, Unauthorized
from tilth.server import accounts as accounts_module
from tilth.server.accounts import Accounts
from tilth.server.tables import account, api_token, session, sign_in_link
from tilth.server.tokens import Tokens
from tilth.state import Database


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


def test_a_sign_in_link_works_once(accounts: Accounts) -> None:
    admin = accounts.create("Lin", "admin", "lin@example.com")
    token = accounts.link(admin.id)
    found, cookie = accounts.use_link(token)
    assert found.id == admin.id
    assert accounts.by_session(cookie) == found
    with pytest.raises(Unauthorized):
        accounts.use_link(token)


def test_of_many_who_use_one_link_at_once_exactly_one_gets_in(accounts: Accounts) -> None:
    token = accounts.link(accounts.create("Lin", "admin").id)

    def attempt(_: int) -> bool:
        try:
            accounts.use_link(token)
        except Unauthorized:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_a_new_link_stops_the_unused_one_before_it(accounts: Accounts) -> None:
    admin = accounts.create("Lin", "admin")
    first = accounts.link(admin.id)
    second = accounts.link(admin.id)
    with pytest.raises(Unauthorized):
        accounts.use_link(first)
    accounts.use_link(second)


def test_an_expired_link_is_refused(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    token = accounts.link(accounts.create("Lin", "admin").id)
    later = accounts_module.now() + accounts_module.LINK_LIFE + 1
    monkeypatch.setattr(accounts_module, "now", lambda: later)
    with pytest.raises(Unauthorized):
        accounts.use_link(token)


def test_secrets_are_not_in_the_database(accounts: Accounts, database: Database) -> None:
    admin = accounts.create("Lin", "admin", "lin@example.com")
    link = accounts.link(admin.id)
    _, cookie = accounts.use_link(accounts.link(admin.id))
    accounts.change_own(
        admin.id, name=None, email=None, password="correct horse", current_password=None, keep_session=cookie
    )
    _, token = Tokens(database).create("etl", "viewer", "test")
    with database.read() as connection:
        held = "".join(
            str(row)
            for table in (account, sign_in_link, session, api_token)
            for row in connection.execute(sa.select(table))
        )
    for secret in (link, cookie, token, "correct horse"):
        assert secret not in held


def test_a_password_signs_in_and_a_wrong_one_does_not(accounts: Accounts) -> None:
    admin = accounts.create("Lin", "admin", "Lin@Example.com")
    accounts.change_own(
        admin.id, name=None, email=None, password="seven herons", current_password=None, keep_session=None
    )
    found, _ = accounts.sign_in("LIN@example.com ", "seven herons")
    assert found.id == admin.id
    for email, password in (("lin@example.com", "seven heron"), ("nobody@example.com", "seven herons")):
        with pytest.raises(Unauthorized, match="e-mail or the password"):
            accounts.sign_in(email, password)


def test_an_account_without_password_cannot_sign_in_with_an_empty_one(accounts: Accounts) -> None:
    accounts.create("Lin", "admin", "lin@example.com")
    with pytest.raises(Unauthorized):
        accounts.sign_in("lin@example.com", "")


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(accounts: Accounts) -> None:
    admin = accounts.create("Lin", "admin", "lin@example.com")
    accounts.change_own(
        admin.id, name=None, email=None, password="seven herons", current_password=None, keep_session=None
    )
    _, here = accounts.sign_in("lin@example.com", "seven herons")
    _, elsewhere = accounts.sign_in("lin@example.com", "seven herons")
    for wrong in (None, "guess guess"):
        with pytest.raises(InvalidInput, match="current_password"):
            accounts.change_own(
                admin.id, name=None, email=None, password="nine herons", current_password=wrong, keep_session=here
            )
    accounts.change_own(
        admin.id, name=None, email=None, password="nine herons", current_password="seven herons", keep_session=here
    )
    assert accounts.by_session(here) is not None
    assert accounts.by_session(elsewhere) is None


def test_a_password_without_an_email_is_refused(accounts: Accounts) -> None:
    admin = accounts.create("Admin", "admin")
    with pytest.raises(InvalidInput, match="email"):
        accounts.change_own(
            admin.id, name=None, email=None, password="seven herons", current_password=None, keep_session=None
        )


def test_a_short_password_is_refused(accounts: Accounts) -> None:
    admin = accounts.create("Lin", "admin", "lin@example.com")
    with pytest.raises(InvalidInput, match="password"):
        accounts.change_own(admin.id, name=None, email=None, password="short", current_password=None, keep_session=None)


def test_the_last_admin_stays(accounts: Accounts) -> None:
    only = accounts.create("Lin", "admin", "lin@example.com")
    for attempt in (lambda: accounts.change(only.id, role="viewer"), lambda: accounts.remove(only.id)):
        with pytest.raises(Conflict, match="last admin"):
            attempt()
    other = accounts.create("Wu", "admin", "wu@example.com")
    accounts.remove(only.id)
    assert [a.id for a in accounts.all()] == [other.id]


def test_two_admins_who_remove_each_other_at_once_leave_one(accounts: Accounts) -> None:
    pair = [accounts.create(name, "admin").id for name in ("Lin", "Wu")]

    def leave(account_id: int) -> bool:
        try:
            accounts.remove(account_id)
        except TilthError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, pair)) == [False, True]
    assert len(accounts.all()) == 1


def test_a_removed_account_is_signed_out_and_its_email_is_free_again(accounts: Accounts) -> None:
    accounts.create("Wu", "admin")
    lin = accounts.create("Lin", "viewer", "lin@example.com")
    _, cookie = accounts.use_link(accounts.link(lin.id))
    accounts.remove(lin.id)
    assert accounts.by_session(cookie) is None
    with pytest.raises(NotFound):
        accounts.get(lin.id)
    accounts.create("Lin again", "viewer", "lin@example.com")


def test_two_accounts_cannot_share_an_email(accounts: Accounts) -> None:
    accounts.create("Lin", "admin", "lin@example.com")
    with pytest.raises(Conflict, match=r"lin@example\.com"):
        accounts.create("Other", "viewer", "LIN@example.com")


def test_a_session_ends_when_its_time_is_over(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    _, cookie = accounts.use_link(accounts.link(accounts.create("Lin", "admin").id))
    start = accounts_module.now()
    monkeypatch.setattr(accounts_module, "now", lambda: start + accounts_module.SESSION_LIFE - 1_000_000)
    assert accounts.by_session(cookie) is not None, "used within its time"
    monkeypatch.setattr(accounts_module, "now", lambda: start + accounts_module.SESSION_LIFE + 1_000_000)
    assert accounts.by_session(cookie) is not None, "using it put off its end"
    monkeypatch.setattr(accounts_module, "now", lambda: start + 3 * accounts_module.SESSION_LIFE)
    assert accounts.by_session(cookie) is None
    assert accounts.forget_expired() == 2, "the session and the used link"


def test_the_first_admin_is_made_once_and_not_offered_when_somebody_has_a_password(accounts: Accounts) -> None:
    first = accounts.first_admin()
    assert first is not None
    assert accounts.first_admin() == first
    accounts.change_own(
        first.id, name=None, email="lin@example.com", password="seven herons", current_password=None, keep_session=None
    )
    assert accounts.first_admin() is None


def test_a_token_is_found_by_its_secret_until_it_is_revoked(database: Database) -> None:
    tokens = Tokens(database)
    made, secret = tokens.create("etl", "analyst", "test")
    assert secret.startswith("tilth_pat_")
    assert secret.endswith(made.hint)
    found = tokens.by_secret(secret)
    assert found is not None
    assert (found.id, found.role) == (made.id, "analyst")
    assert tokens.by_secret(secret + "x") is None
    tokens.revoke("etl")
    assert tokens.by_secret(secret) is None
    assert tokens.all() == []
    with pytest.raises(NotFound):
        tokens.revoke("etl")


def test_an_unknown_role_is_refused_with_the_choices(database: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        Tokens(database).create("etl", "root", "test")
    assert caught.value.choices == ["viewer", "analyst", "operator", "admin"]
