"""token, source, account: who and what may come in. All work beside a running server."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json, print_table
from tilth.errors import NotFound

__all__ = ["register"]

token = typer.Typer(help="API tokens (Bearer) for /api/v1.", no_args_is_help=True)
source = typer.Typer(help="Sources of events and their write keys.", no_args_is_help=True)
account = typer.Typer(help="People who may sign in.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    token.command("create")(create_token)
    token.command("list")(list_tokens)
    token.command("revoke")(revoke_token)
    source.command("create")(create_source)
    source.command("list")(list_sources)
    source.command("revoke")(revoke_source)
    app.add_typer(token, name="token")
    account.command("list")(list_accounts)
    account.command("invite")(invite)
    account.command("link")(new_link)
    app.add_typer(source, name="source")
    app.add_typer(account, name="account")


def create_token(
    name: Annotated[str, typer.Option(help="What it is for.")],
    role: Annotated[str, typer.Option(help="admin, analyst, operator or viewer.")] = "viewer",
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Make a token; it is printed once."""
    from tilth.server import audit
    from tilth.server.tokens import Tokens

    # Only the state database is touched, so this works beside a running server.
    with open_workspace(workspace, read_only=True) as opened:
        made, secret = Tokens(opened.database).create(name, role, operator())
        audit.record(opened.database, operator(), "token.create", name, {"role": role})
    if json:
        print_json({"id": made.id, "name": made.name, "role": made.role, "token": secret})
    else:
        typer.echo(secret)


def list_tokens(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Tokens in force, without their secrets."""
    from tilth.server.tokens import Tokens

    with open_workspace(workspace, read_only=True) as opened:
        found = Tokens(opened.database).all()
    if json:
        print_json(found)
    else:
        print_table("", ["id", "name", "role", "ends in"], [(t.id, t.name, t.role, t.hint) for t in found])


def revoke_token(
    name_or_id: Annotated[str, typer.Argument(help="Name or id.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Stop a token at once."""
    from tilth.server import audit
    from tilth.server.tokens import Tokens

    with open_workspace(workspace, read_only=True) as opened:
        gone = Tokens(opened.database).revoke(name_or_id)
        audit.record(opened.database, operator(), "token.revoke", gone.name)
    if json:
        print_json({"id": gone.id, "name": gone.name, "revoked": True})
    else:
        typer.echo(f"revoked {gone.name}")


def create_source(
    name: Annotated[str, typer.Argument(help="Where the events come from.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Make a source and print its write key."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        made = opened.collect.sources.create(name)
        audit.record(opened.database, operator(), "source.create", made.name)
    if json:
        print_json(made)
    else:
        typer.echo(made.write_key)


def list_sources(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Sources with their write keys."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.collect.sources.all()
    if json:
        print_json(found)
    else:
        print_table(
            "",
            ["id", "name", "write key", ""],
            [(s.id, s.name, s.write_key, s.revoked_at and "revoked") for s in found],
        )


def revoke_source(
    name: Annotated[str, typer.Argument(help="Name or id.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Stop accepting a source's key; what it sent stays."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        found = [s for s in opened.collect.sources.all() if s.revoked_at is None]
        chosen = next((s for s in found if name in (s.name, str(s.id))), None)
        if chosen is None:
            raise NotFound("source", name, [s.name for s in found][:5])
        opened.collect.sources.revoke(chosen.id)
        audit.record(opened.database, operator(), "source.revoke", chosen.name)
    if json:
        print_json({"id": chosen.id, "name": chosen.name, "revoked": True})
    else:
        typer.echo(f"revoked {chosen.name}")


def list_accounts(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """The people who may sign in."""
    from tilth.server.accounts import Accounts

    with open_workspace(workspace, read_only=True) as opened:
        found = Accounts(opened.database).all()
    if json:
        print_json(found)
    else:
        print_table(
            "",
            ["id", "name", "e-mail", "role", "password"],
            [(a.id, a.name, a.email, a.role, "set" if a.has_password else "") for a in found],
        )


def invite(
    email: Annotated[str, typer.Argument(help="Their e-mail address.")],
    name: Annotated[str | None, typer.Option(help="Their name [default: the e-mail].")] = None,
    role: Annotated[str, typer.Option(help="admin, analyst, operator or viewer.")] = "viewer",
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Add a person and print the one-time link they come in by."""
    from tilth.server import audit
    from tilth.server.accounts import Accounts
    from tilth.server.run import sign_in_address

    with open_workspace(workspace, read_only=True) as opened:
        accounts = Accounts(opened.database)
        made = accounts.create(name or email, role, email)
        audit.record(opened.database, operator(), "user.create", email, {"role": role})
        link = sign_in_address(opened.settings.host, opened.settings.port, accounts.link(made.id))
    if json:
        print_json({"id": made.id, "email": made.email, "role": made.role, "sign_in": link})
    else:
        typer.echo(link)


def new_link(
    email: Annotated[str | None, typer.Argument(help="Whose [default: the oldest admin's].")] = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Print a new one-time sign-in link, for whoever lost the link or the password."""
    from tilth.server import audit
    from tilth.server.accounts import Accounts
    from tilth.server.run import admin_link, sign_in_address

    with open_workspace(workspace, read_only=True) as opened:
        host, port = opened.settings.host, opened.settings.port
        if email is None:
            link = admin_link(opened, host, port)
        else:
            accounts = Accounts(opened.database)
            link = sign_in_address(host, port, accounts.link(accounts.by_email(email).id))
        audit.record(opened.database, operator(), "user.link", email or "admin")
    if json:
        print_json({"sign_in": link})
    else:
        typer.echo(link)
