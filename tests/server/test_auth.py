"""Who may do what: every role against every route, write keys, other sites' pages, signing in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litestar import Litestar

from tests.server.conftest import SAME_ORIGIN, Client, Headers
from tilth.server.accounts import ROLES
from tilth.server.context import Context

# The least role each route needs, written down a second time so that changing one by accident is noticed.
NEEDED = {
    "anyone": {
        "GET /", "GET /{path}", "HEAD /", "HEAD /{path}", "GET /healthz", "GET /readyz", "GET /metrics",
        "GET /api/v1/openapi.json", "GET /api/v1/session", "POST /api/v1/session", "DELETE /api/v1/session",
        "POST /api/v1/session/link", "POST /api/v1/hooks/{source}",
        "GET /s/{survey}", "POST /s/{survey}",
    },
    "viewer": {
        "GET /api/v1/alerts", "GET /api/v1/alerts/{key}", "GET /api/v1/incidents",
        "GET /api/v1/boards/{board_id}/schedule", "GET /api/v1/boards/{board_id}/file", "GET /api/v1/destinations",
        "GET /api/v1/deliveries", "GET /api/v1/metrics", "GET /api/v1/metrics/{key}",
        "GET /api/v1/metrics/{key}/versions", "POST /api/v1/metrics/{key}/values", "GET /api/v1/stages",
        "POST /api/v1/aarrr", "POST /api/v1/channels", "POST /api/v1/cspdd", "GET /api/v1/channels/costs",
        "GET /api/v1/trees", "GET /api/v1/trees/{key}", "POST /api/v1/trees/{key}/values", "GET /api/v1/sql/queries",
        "GET /api/v1/sql/queries/{query_id}",
        "POST /api/v1/account", "GET /api/v1/overview", "GET /api/v1/search", "GET /api/v1/settings",
        "GET /api/v1/boards", "GET /api/v1/boards/{board_id}", "POST /api/v1/boards/{board_id}/tiles/{tile}/answer",
        "GET /api/v1/query/names", "GET /api/v1/questions", "GET /api/v1/questions/{question_id}",
        "GET /api/v1/portraits", "GET /api/v1/things", "GET /api/v1/things/kinds",
        "GET /api/v1/people", "GET /api/v1/people/{any_id}", "GET /api/v1/people/{any_id}/orders",
        "GET /api/v1/people/{any_id}/identity", "GET /api/v1/identity", "GET /api/v1/identity/conflicts",
        "POST /api/v1/query/timeline", "GET /api/v1/plan", "GET /api/v1/plan/export", "GET /api/v1/plan/inferred",
        "GET /api/v1/plan/observed", "GET /api/v1/plan/drift", "GET /api/v1/plan/issues",
        "GET /api/v1/people/{any_id}/timeline", "GET /api/v1/data/health", "GET /api/v1/sql/schema",
        "GET /api/v1/layerings", "GET /api/v1/layerings/{layering_id}",
        "GET /api/v1/layerings/{layering_id}/layers/{key}/people",
        "GET /api/v1/layerings/{layering_id}/compare/{other}",
        "GET /api/v1/segments", "GET /api/v1/segments/{key}", "GET /api/v1/segments/{key}/people",
        "GET /api/v1/feedback", "GET /api/v1/feedback/stats", "GET /api/v1/feedback/{number}",
        "GET /api/v1/surveys", "GET /api/v1/surveys/{key}", "GET /api/v1/surveys/{key}/results",
        "GET /api/v1/surveys/{key}/texts", "POST /api/v1/surveys/preview",
        "GET /api/v1/imports", "GET /api/v1/imports/{import_id}", "GET /api/v1/quarantine",
    },
    "analyst": {
        "POST /api/v1/alerts", "PUT /api/v1/alerts/{key}", "DELETE /api/v1/alerts/{key}",
        "POST /api/v1/alerts/{key}/silence", "POST /api/v1/alerts/preview",
        "POST /api/v1/incidents/{incident_id}/acknowledge", "PUT /api/v1/boards/{board_id}/schedule",
        "DELETE /api/v1/boards/{board_id}/schedule", "POST /api/v1/boards/{board_id}/send", "POST /api/v1/metrics",
        "PUT /api/v1/metrics/{key}", "DELETE /api/v1/metrics/{key}", "POST /api/v1/metrics/preview",
        "PUT /api/v1/stages", "PUT /api/v1/channels/costs", "POST /api/v1/trees", "PUT /api/v1/trees/{key}",
        "DELETE /api/v1/trees/{key}", "POST /api/v1/trees/preview", "POST /api/v1/sql/queries",
        "PUT /api/v1/sql/queries/{query_id}", "DELETE /api/v1/sql/queries/{query_id}",
        "POST /api/v1/sql", "POST /api/v1/sql/export", "POST /api/v1/query/clv", "POST /api/v1/query/clv/export",
        "POST /api/v1/layerings", "DELETE /api/v1/layerings/{layering_id}",
        "GET /api/v1/layerings/{layering_id}/export", "GET /api/v1/layerings/{layering_id}/layers/{key}/export",
        "POST /api/v1/layerings/{layering_id}/layers/{key}/segment",
        "GET /api/v1/segments/{key}/export", "DELETE /api/v1/segments/{key}",
        "POST /api/v1/query/funnel", "POST /api/v1/query/retention", "POST /api/v1/query/lifecycle",
        "POST /api/v1/query/stickiness", "POST /api/v1/query/trends", "POST /api/v1/query/distribution",
        "POST /api/v1/query/sessions", "POST /api/v1/query/paths", "POST /api/v1/query/attribution",
        "POST /api/v1/query/ltv", "POST /api/v1/query/funnel/people", "POST /api/v1/query/retention/people",
        "POST /api/v1/query/funnel/segment", "POST /api/v1/query/retention/segment",
        "POST /api/v1/query/lifecycle/segment", "POST /api/v1/query/stickiness/segment",
        "POST /api/v1/query/trends/people", "POST /api/v1/query/trends/segment",
        "POST /api/v1/query/distribution/people", "POST /api/v1/query/distribution/segment",
        "POST /api/v1/query/sessions/people", "POST /api/v1/query/sessions/segment",
        "POST /api/v1/query/paths/people", "POST /api/v1/query/paths/segment",
        "POST /api/v1/query/attribution/people", "POST /api/v1/query/attribution/segment",
        "POST /api/v1/query/ltv/people", "POST /api/v1/query/ltv/segment",
        "POST /api/v1/boards", "PUT /api/v1/boards/{board_id}", "DELETE /api/v1/boards/{board_id}",
        "POST /api/v1/questions", "PUT /api/v1/questions/{question_id}", "DELETE /api/v1/questions/{question_id}",
        "POST /api/v1/query/lifecycle/people", "POST /api/v1/query/stickiness/people",
    },
    "operator": {
        "POST /api/v1/deliveries/{delivery_id}/retry",
        "POST /api/v1/imports", "POST /api/v1/imports/{import_id}/preview", "POST /api/v1/imports/{import_id}/start",
        "POST /api/v1/imports/{import_id}/cancel", "POST /api/v1/imports/{import_id}/resume",
        "POST /api/v1/identity/links/{key}/undo", "POST /api/v1/identity/merge",
        "POST /api/v1/plan/drift/{notice_id}/acknowledge", "PUT /api/v1/plan",
        "DELETE /api/v1/plan/issues", "GET /api/v1/debugger", "GET /api/v1/debugger/stream",
        "POST /api/v1/feedback/{number}/answer", "POST /api/v1/feedback/{number}/note",
        "PUT /api/v1/feedback/{number}/assignee", "POST /api/v1/feedback/status",
        "POST /api/v1/surveys", "PUT /api/v1/surveys/{key}", "DELETE /api/v1/surveys/{key}",
        "POST /api/v1/surveys/{key}/open", "POST /api/v1/surveys/{key}/close", "POST /api/v1/surveys/{key}/links",
        "POST /api/v1/surveys/{key}/links/export",
        "POST /api/v1/quarantine/replay", "POST /api/v1/quarantine/dismiss",
        "POST /api/v1/people/traits", "PUT /api/v1/portraits/fields",
    },
    "admin": {
        "POST /api/v1/destinations", "PUT /api/v1/destinations/{destination_id}",
        "DELETE /api/v1/destinations/{destination_id}", "POST /api/v1/destinations/{destination_id}/test",
        "PUT /api/v1/settings", "GET /api/v1/diagnostics", "GET /api/v1/audit",
        "GET /api/v1/users", "POST /api/v1/users", "PATCH /api/v1/users/{user_id}", "DELETE /api/v1/users/{user_id}",
        "POST /api/v1/users/{user_id}/link", "GET /api/v1/tokens", "POST /api/v1/tokens",
        "DELETE /api/v1/tokens/{token_id}", "GET /api/v1/sources", "POST /api/v1/sources",
        "POST /api/v1/sources/{source_id}/rotate", "DELETE /api/v1/sources/{source_id}",
        "PUT /api/v1/sources/{source_id}/settings", "GET /api/v1/connectors", "POST /api/v1/connectors",
        "PATCH /api/v1/connectors/{source}", "DELETE /api/v1/connectors/{source}",
        "POST /api/v1/connectors/preview", "GET /api/v1/pulls", "POST /api/v1/pulls", "GET /api/v1/pulls/{key}",
        "PATCH /api/v1/pulls/{key}", "DELETE /api/v1/pulls/{key}", "POST /api/v1/pulls/preview",
        "POST /api/v1/pulls/{key}/run", "POST /api/v1/pulls/{key}/reset", "GET /api/v1/pulls/{key}/runs",
        "POST /api/v1/data/flush", "POST /api/v1/data/compact", "POST /api/v1/people/{any_id}/erase",
    },
    "write key": {"POST /api/v1/events"},
}  # fmt: skip


def routes(app: Litestar) -> Iterator[tuple[str, str, Any]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in sorted(handler.http_methods):
                # The framework's own schema pages are for admins, as is every route that states nothing.
                if method != "OPTIONS" and f"{route.path}/".startswith("/api/v1/openapi/"):
                    assert "role" not in handler.opt
                elif method != "OPTIONS":
                    yield method, route.path_format, handler


def needed_by(method: str, path: str) -> str:
    return next((role for role, listed in NEEDED.items() if f"{method} {path}" in listed), "nobody wrote it down")


def test_every_route_needs_the_role_written_down(app: Litestar) -> None:
    found = {
        f"{method} {path}": "write key" if handler.opt.get("takes_write_key") else handler.opt.get("role", "not stated")
        for method, path, handler in routes(app)
    }
    assert found == {key: role for role, listed in NEEDED.items() for key in listed}


def concrete(path: str) -> str:
    for name, value in (
        ("layering_id", "1"),
        ("other", "2"),
        ("user_id", "9"),
        ("token_id", "9"),
        ("source_id", "9"),
        ("notice_id", "9"),
        ("question_id", "9"),
        ("board_id", "9"),
        ("incident_id", "9"),
        ("destination_id", "9"),
        ("delivery_id", "9"),
        ("query_id", "9"),
    ):
        path = path.replace(f"{{{name}}}", value)
    return (
        path.replace("{any_id}", "nobody")
        .replace("{key}", "none")
        .replace("{import_id}", "none")
        .replace("{path}", "x")
        .replace("{source}", "none")
        .replace("{number}", "9")
        .replace("{tile}", "0")
    )


@pytest.mark.parametrize("caller", ["nobody", "write key", *ROLES])
def test_each_caller_gets_into_exactly_the_routes_of_their_role(
    caller: str, app: Litestar, client: Client, tokens: dict[str, Headers], write_key: Headers
) -> None:
    headers = {"nobody": {}, "write key": write_key, **tokens}[caller]
    # Streams end at once, as when the server stops.
    app.state["context"].ending.set()
    wrong = []
    for method, path, _ in routes(app):
        needed = needed_by(method, path)
        answer = client.request(method, concrete(path), headers=headers)
        turned_away = answer.status_code in (401, 403)
        if needed == "write key":
            may = caller == "write key"
        elif caller == "write key":
            may = needed == "anyone" and not path.startswith("/api/v1")
            # The open routes outside the API do not look at who asks; inside it a write key is for events alone.
            if needed == "anyone" and path.startswith("/api/v1"):
                may = False
            if needed == "anyone" and not path.startswith("/api/v1"):
                continue
        else:
            may = needed == "anyone" or (caller in ROLES and ROLES.index(caller) >= ROLES.index(needed))  # type: ignore[arg-type]
        # Its pages are for people, in words and not in problem documents.
        if path.startswith("/s/"):
            continue
        # A sign-in that fails is a 401 of its own making.
        if path.startswith(("/api/v1/session", "/api/v1/hooks")) and method == "POST":
            continue
        if may == turned_away:
            wrong.append(f"{caller} {method} {path}: {answer.status_code} {answer.text[:100]}")
        if turned_away and answer.status_code == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status_code != 500, f"{method} {path}: {answer.text}"
    assert wrong == []


def test_a_write_key_cannot_read_and_is_told_what_it_is_for(client: Client, write_key: Headers) -> None:
    answer = client.get("/api/v1/people", headers=write_key)
    assert answer.status_code == 403
    assert "POST /api/v1/events" in answer.json()["detail"]


def test_an_api_token_cannot_send_events_and_an_unknown_write_key_neither(client: Client, admin: Headers) -> None:
    event = [{"event": "seen", "distinct_id": "a"}]
    assert client.post("/api/v1/events", json=event, headers=admin).status_code == 401
    unknown = {"Authorization": "Bearer tilth_wk_unknown"}
    assert client.post("/api/v1/events", json=event, headers=unknown).status_code == 401


@pytest.mark.parametrize("secret", ["tilth_pat_wrong", "x", "Bearer", "tilth_pat_"])
def test_a_wrong_token_is_refused_even_where_anyone_may_ask(client: Client, secret: str) -> None:
    assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_a_revoked_token_stops_at_once(client: Client, context: Context, tokens: dict[str, Headers]) -> None:
    assert client.get("/api/v1/overview", headers=tokens["viewer"]).status_code == 200
    context.tokens.revoke("viewer")
    assert client.get("/api/v1/overview", headers=tokens["viewer"]).status_code == 401


def test_signing_in_by_link_gives_a_session_and_signing_out_ends_it(
    client: Client, sign_in: Callable[..., Any]
) -> None:
    assert client.get("/api/v1/session").json()["user"] is None
    sign_in("analyst")
    session = client.get("/api/v1/session").json()
    assert session["user"]["role"] == "analyst"
    assert session["user"]["has_password"] is False
    assert session["workspace"]["currency"] == "GBP"
    cookie = client.cookies["tilth_session"]
    assert client.delete("/api/v1/session", headers=SAME_ORIGIN).status_code == 204
    assert client.get("/api/v1/session", headers={"Cookie": f"tilth_session={cookie}"}).json()["user"] is None


def test_the_session_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites(client: Client, context: Context) -> None:
    link = context.accounts.link(context.accounts.create("Lin", "admin").id)
    plain = client.post("/api/v1/session/link", json={"token": link}).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "samesite=lax" in plain.lower()
    assert "Secure" not in plain, "over plain HTTP a secure cookie would never come back"
    link = context.accounts.link(context.accounts.create("Wu", "admin").id)
    behind_tls = client.post(
        "/api/v1/session/link", json={"token": link}, headers={"X-Forwarded-Proto": "https", **SAME_ORIGIN}
    )
    assert "Secure" in behind_tls.headers["set-cookie"]


def test_a_link_cannot_be_used_twice(client: Client, context: Context) -> None:
    link = context.accounts.link(context.accounts.create("Lin", "admin").id)
    assert client.post("/api/v1/session/link", json={"token": link}).status_code == 200
    again = client.post("/api/v1/session/link", json={"token": link}, headers=SAME_ORIGIN)
    assert again.status_code == 401
    assert again.json()["type"] == "urn:tilth:error:unauthorized"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://tilth.test"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:5173"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://tilth.test.evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://tilth.test"}, 403),
        ({}, 403),
    ],
)
def test_a_write_with_a_cookie_must_come_from_our_own_page(
    client: Client, sign_in: Callable[..., Any], headers: Headers, status: int
) -> None:
    sign_in("admin")
    body = {"name": "Shop", "timezone": "Europe/London", "currency": "GBP", "language": "en"}
    answer = client.put("/api/v1/settings", json=body, headers=headers)
    assert answer.status_code == status, answer.text


def test_another_site_cannot_sign_its_visitor_in(client: Client, context: Context) -> None:
    link = context.accounts.link(context.accounts.create("Lin", "admin").id)
    answer = client.post("/api/v1/session/link", json={"token": link}, headers={"Origin": "http://evil.test"})
    assert answer.status_code == 403
    assert client.post("/api/v1/session/link", json={"token": link}).status_code == 200, "the link was not used up"


def test_reading_with_a_cookie_needs_no_origin(client: Client, sign_in: Callable[..., Any]) -> None:
    sign_in("viewer")
    assert client.get("/api/v1/overview").status_code == 200


def test_a_token_needs_no_origin(client: Client, admin: Headers) -> None:
    assert client.post("/api/v1/sources", json={"name": "app"}, headers=admin).status_code == 201


def test_passwords_are_set_used_and_slowed_down(client: Client, sign_in: Callable[..., Any]) -> None:
    sign_in("admin", "lin@example.com")
    answer = client.post("/api/v1/account", json={"password": "seven herons"}, headers=SAME_ORIGIN)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["has_password"] is True
    client.delete("/api/v1/session", headers=SAME_ORIGIN)
    good = {"email": "lin@example.com", "password": "seven herons"}
    assert client.post("/api/v1/session", json=good).status_code == 200
    bad = {"email": "lin@example.com", "password": "wrong"}
    statuses = [client.post("/api/v1/session", json=bad, headers=SAME_ORIGIN).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    held = client.post("/api/v1/session", json=good, headers=SAME_ORIGIN)
    assert held.status_code == 429
    assert int(held.headers["retry-after"]) >= 1


def test_an_admin_changes_roles_and_removes_people_and_it_is_in_the_audit_log(
    client: Client, context: Context, admin: Headers
) -> None:
    made = client.post(
        "/api/v1/users", json={"name": "Wu", "email": "wu@example.com", "role": "viewer"}, headers=admin
    ).json()
    assert made["link"].startswith("http://tilth.test/signin?token=")
    user = made["user"]["id"]
    context.accounts.use_link(made["link"].rsplit("=", 1)[1])
    changed = client.patch(f"/api/v1/users/{user}", json={"role": "operator"}, headers=admin).json()
    assert (changed["role"], changed["name"]) == ("operator", "Wu")
    assert client.delete(f"/api/v1/users/{user}", headers=admin).status_code == 204
    assert client.get("/api/v1/users", headers=admin).json()["users"] == []
    entries = client.get("/api/v1/audit", headers=admin).json()["entries"]
    assert [e["action"] for e in entries] == ["user.remove", "user.change", "user.create"]
    assert {e["who"] for e in entries} == {"token admin"}
    assert made["link"] not in str(entries)


def test_the_audit_log_is_paged(client: Client, admin: Headers) -> None:
    for i in range(5):
        client.post("/api/v1/sources", json={"name": f"s{i}"}, headers=admin)
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/audit?limit=2{cursor}", headers=admin).json()
        seen += [e["what"] for e in page["entries"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert seen == ["s4", "s3", "s2", "s1", "s0"]


def test_a_rotated_write_key_replaces_the_old_one(client: Client, admin: Headers) -> None:
    source = client.post("/api/v1/sources", json={"name": "app"}, headers=admin).json()
    rotated = client.post(f"/api/v1/sources/{source['id']}/rotate", headers=admin).json()
    event = [{"event": "seen", "distinct_id": "a"}]

    def status(key: str) -> int:
        return client.post("/api/v1/events", json=event, headers={"Authorization": f"Bearer {key}"}).status_code

    assert status(source["write_key"]) == 401
    assert status(rotated["write_key"]) == 200
    assert client.delete(f"/api/v1/sources/{source['id']}", headers=admin).status_code == 204
    assert status(rotated["write_key"]) == 401
