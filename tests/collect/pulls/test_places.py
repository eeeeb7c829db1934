"""What a console user may not reach, and secrets that do not come out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collect.pulls.conftest import RULES, Pulling
from tilth.collect.connectors import MappingRule
from tilth.collect.pulls import FolderPlace, S3Place, SqlPlace, look
from tilth.collect.pulls.folders import Allowed
from tilth.errors import InvalidInput


def sql(url: str) -> SqlPlace:
    return SqlPlace(url=url, table="orders", mark="id", key="id")


@pytest.mark.parametrize(
    "path", ["/etc", "..", "../state.db", "inbox/../..", "~", "inbox/out", "/proc/self/environ", "in\0box", "inboxes"]
)
def test_a_folder_outside_the_allowed_ones_is_refused(pulling: Pulling, path: str) -> None:
    (pulling.workspace.folder / "inbox" / "out").symlink_to("/etc")
    with pytest.raises(InvalidInput, match=r"connection\.path"):
        look(pulling.pulls, FolderPlace(path=path), "", RULES)


def test_a_link_to_a_file_outside_is_not_read(pulling: Pulling, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("id,word\n1,secret\n", "utf-8")
    (pulling.workspace.folder / "inbox" / "a.csv").symlink_to(tmp_path / "secret.csv")
    assert look(pulling.pulls, FolderPlace(path="inbox"), "", RULES).files == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////etc/passwd", "outside"),
        ("sqlite:///state.db", "outside"),
        ("sqlite://", "names no file"),
        ("sqlite:///file:inbox/shop.db?uri=true", "not taken"),
        ("duckdb:///inbox/x.db", "no database that is read from"),
        ("postgresql:///shop", "names no host"),
        ("postgresql://u@db.example/shop?passfile=/etc/passwd", "not taken"),
        ("postgresql://u@db.example/shop?host=/var/run", "not taken"),
        ("mysql://u@db.example/shop?read_default_file=/etc/my.cnf", "not taken"),
        ("no url", "must look like"),
    ],
)
def test_a_url_that_reaches_too_far_is_refused(pulling: Pulling, url: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as told:
        pulling.pulls.create("shop", sql(url), RULES)
    assert told.value.field == "connection.url"


def test_a_missing_driver_is_named(pulling: Pulling) -> None:
    pulling.pulls.create("shop", sql("oracle://u@db.example/shop"), RULES)
    run = pulling.run()
    assert run.status == "failed"
    assert run.error is not None
    assert "the driver for Oracle is not installed" in run.error


def test_a_password_is_kept_apart_and_never_shown(pulling: Pulling) -> None:
    made = pulling.pulls.create("shop", sql("postgresql://reader:s3cr3t-word@127.0.0.1:1/shop"), RULES)
    assert made.has_secret
    assert "s3cr3t-word" not in repr(made)
    run = pulling.run()
    assert run.status == "failed"
    assert run.error is not None
    assert "cannot connect" in run.error
    assert "s3cr3t-word" not in repr(run) + repr(pulling.pulls.get("shop"))


def test_a_kept_password_goes_to_no_other_host(pulling: Pulling) -> None:
    pulling.pulls.create("shop", sql("postgresql://reader:word@db.example/shop"), RULES)
    with pytest.raises(InvalidInput, match="given again"):
        pulling.pulls.change("shop", connection=sql("postgresql://reader@evil.example/shop"))
    pulling.pulls.change("shop", connection=sql("postgresql://reader@db.example/shop"))
    assert pulling.pulls.secret_of("shop") == "word"


def test_no_folders_are_allowed_where_the_setting_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none"):
        Allowed(tmp_path, "").inside("inbox", "connection.path")


@pytest.mark.parametrize(
    ("endpoint", "bucket", "field"),
    [("file:///etc", "b", "endpoint"), ("http://u:p@h", "b", "endpoint"), ("", "b/c", "bucket")],
)
def test_a_bucket_is_a_name_and_an_endpoint_an_address(
    pulling: Pulling, endpoint: str, bucket: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        pulling.pulls.create("shop", S3Place(bucket=bucket, endpoint=endpoint), RULES)
    assert told.value.field == f"connection.{field}"


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (MappingRule(event="a", event_id=["$.id"]), "rules[0].at"),
        (MappingRule(event="a", event_id=["always"], at="$.at"), "rules[0].event_id"),
        (MappingRule(event="a", event_id=["$.id"], at="$.at", topic="t"), "rules[0].topic"),
    ],
)
def test_a_rule_that_would_count_rows_wrongly_is_refused(pulling: Pulling, rule: MappingRule, field: str) -> None:
    with pytest.raises(InvalidInput) as told:
        pulling.pulls.create("shop", FolderPlace(path="inbox"), [rule])
    assert told.value.field == field
