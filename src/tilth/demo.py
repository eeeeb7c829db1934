"""Builds the workspace behind `tilth demo`: the simulated company, or a file of orders of your own.

The work is the product's own: files are written (or given), imported and layered through the same
capabilities a customer uses; nothing is put into the workspace by a side door.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tilth.collect.imports import Summary
from tilth.errors import NotFound, TilthError
from tilth.people import PortraitField
from tilth.settings import Settings
from tilth.workspace import Workspace

__all__ = ["LAYERINGS", "build_company", "build_from_orders"]

# What the demo computes at once; the others are a click away.
LAYERINGS = ("rfm", "stage", "value", "pareto")

Report = Callable[[str], None]


def build_company(
    folder: Path,
    *,
    people: int = 20_000,
    days: int = 730,
    seed: int = 7,
    until: datetime.date | None = None,
    report: Report = lambda _: None,
) -> Workspace:
    """A workspace with the simulated company's members, orders and behaviour, layered; opened for writing.

    A workspace that is there already is opened as it is.
    """
    found = _existing(folder)
    if found is not None:
        return found
    from tilth.simulate import write_company

    workspace = Workspace.create(folder, Settings(name="清禾茶 Qinghe Tea", timezone="Asia/Shanghai", currency="CNY"))
    try:
        files = workspace.folder / "company"
        started = time.perf_counter()
        manifest = write_company(files, people=people, days=days, until=until, seed=seed)
        report(f"simulated {people:,} people over {days} days ({time.perf_counter() - started:.1f} s)")
        _import(workspace, "profiles", [files / manifest.members.path], report)
        layouts = list(dict.fromkeys(file.layout for file in manifest.order_files))
        for layout in layouts:
            # The shop, the mini-program and each kind of till export in their own shape: an import each.
            _import(workspace, "orders", [files / f.path for f in manifest.order_files if f.layout == layout], report)
        _import(workspace, "events", [files / manifest.events.path], report)
        _tell_of_products(workspace)
        _define_survey(workspace)
        # The shop's export calls the level by its Chinese name, and asks nobody for an e-mail address.
        named = [("name", 1), ("phone", 2), ("city", 1), ("birthday", 1), ("gender", 1), ("会员等级", 1)]
        workspace.portraits.choose([PortraitField(name=name, weight=weight) for name, weight in named])
        _define_numbers(workspace)
        _layer(workspace, report)
    except BaseException:
        workspace.close()
        raise
    return workspace


def build_from_orders(
    folder: Path,
    orders: Sequence[str | Path],
    *,
    settings: Settings | None = None,
    report: Report = lambda _: None,
) -> Workspace:
    """A workspace from a file of orders; opened for writing. Importing the same file again adds nothing."""
    for path in orders:
        if not any(mark in str(path) for mark in "*?[") and not Path(path).exists():
            raise NotFound("file", str(path))
    fresh = not (folder / "tilth.toml").exists()
    workspace = Workspace.create(folder, settings) if fresh else Workspace.open(folder)
    try:
        _import(workspace, "orders", [str(p) for p in orders], report)
        _layer(workspace, report)
    except BaseException:
        workspace.close()
        if fresh:
            # Half a demo would answer the next start with wrong numbers.
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
        raise
    return workspace


def _existing(folder: Path) -> Workspace | None:
    return Workspace.open(folder) if (folder / "tilth.toml").exists() else None


def _import(workspace: Workspace, kind: str, paths: Sequence[str | Path], report: Report) -> Summary:
    summary = workspace.imports.run_files(kind, [str(p) for p in paths])
    report(
        f"{kind}: read {summary.rows_read:,} rows = {summary.rows_accepted:,} accepted + "
        f"{summary.rows_duplicate:,} duplicate + {summary.rows_quarantined:,} quarantined + "
        f"{summary.rows_skipped:,} skipped by rule ({summary.seconds:.1f} s)"
    )
    return summary


def _define_survey(workspace: Workspace) -> None:
    """The company's survey, whose answers came with the imported events; whoever tries the demo may answer it too."""
    from tilth.collect.surveys import Survey, SurveyQuestion
    from tilth.simulate.needs import QUESTIONS

    survey = Survey(
        key="needs",
        title="您为什么喝茶？",
        intro="下面十句话，您同意多少？",
        public=True,
        answers_event="survey",
        questions=[
            SurveyQuestion(key="nps", kind="nps", title="您有多大可能把清禾茶推荐给朋友？", required=True),
            *(
                SurveyQuestion(
                    key=f"q{number}",
                    kind="scale",
                    title=statement,
                    low_label="完全不同意",
                    high_label="完全同意",
                )
                for number, statement in enumerate(QUESTIONS, 1)
            ),
        ],
    )
    workspace.collect.surveys.create(survey)
    workspace.collect.surveys.open(survey.key)


def _define_numbers(workspace: Workspace) -> None:
    """Metrics, a KPI tree, an alert, a board and the stages of growth, as a team has them after its first week."""
    import datetime as dt

    from tilth.behavior.boards import Everywhere, Tile
    from tilth.measure.alerts import Alert, Condition
    from tilth.measure.kpi_tree import Node, Target, Tree
    from tilth.measure.metric import Metric, Part
    from tilth.measure.stage_boards import current_stages

    by = "demo"
    bought = Part(event="purchase", aggregate="people")
    for metric in (
        Metric(key="sales", name="销售额", kind="sum", event="purchase", value="amount", owner="李青"),
        Metric(key="visitors", name="访客数", kind="people", event="visit", owner="王禾"),
        Metric(key="conversion", name="购买转化率", kind="proportion", event="purchase", of="visit", owner="王禾"),
        Metric(
            key="spend",
            name="客均消费",
            kind="ratio",
            event="purchase",
            aggregate="sum",
            value="amount",
            denominator=bought,
        ),
        Metric(key="buyers", name="购买人数", kind="people", event="purchase", owner="李青"),
        Metric(key="week2", name="次周回访率", kind="retention", event="visit", return_="visit", interval="week"),
        Metric(key="checkout", name="加购到支付", kind="funnel", steps=["cart", "checkout", "pay"], window="1d"),
    ):
        workspace.metrics.save(metric, by)
    today = dt.date.today()
    first = today.replace(day=1)
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    before = {
        "from": (first - dt.timedelta(days=1)).replace(day=1).isoformat(),
        "to": (first - dt.timedelta(days=1)).isoformat(),
    }
    reached = workspace.metrics.values("sales", {"range": before}).series[0].total.value or 0
    note = "比上个月多一成：换季新品，老客复购。"
    target = Target(value=round(float(reached) * 1.1, -3), from_=first.isoformat(), to=last.isoformat(), note=note)
    drivers = [Node(id="buyers", name="购买人数", metric="buyers"), Node(id="spend", name="客均消费", metric="spend")]
    root = Node(
        id="sales", name="销售额", metric="sales", combine="product", children=drivers, target=target, owner="李青"
    )
    workspace.trees.make(Tree(key="sales", name="销售额拆解", root=root), by)
    watch = Condition(kind="seasonal", side="below")
    workspace.alerts.make(Alert(key="sales", name="销售额异常", metric="sales", condition=watch, owner="李青"), by)
    stages = current_stages(workspace.stages, workspace.behavior).settings
    friends = {"property": "channel", "op": "in", "value": ["邀请", "拼团"]}
    joined = {"event": "sign_up", "filters": friends}
    workspace.stages.save(msgspec.structs.replace(stages, joined=joined, invite_code="", joined_code=""), by)
    month = {"last": "30d"}
    tiles = [
        Tile(kind="metric", title="销售额", question={"metric": "sales", "range": month, "compare": True}, width=4),
        Tile(
            kind="metric",
            title="购买转化率",
            question={"metric": "conversion", "range": month, "compare": True},
            width=4,
        ),
        Tile(
            kind="metric", title="加购到支付", question={"metric": "checkout", "range": month, "compare": True}, width=4
        ),
        Tile(kind="funnel", title="从来访到支付", question={"steps": ["visit", "view", "cart", "pay"], "range": month}),
        Tile(kind="retention", title="每周回访", question={"start": "visit", "interval": "week", "periods": 6}),
    ]
    workspace.boards.make("经营日报", tiles, by, "每天早上先看这一页", Everywhere())


def _tell_of_products(workspace: Workspace) -> None:
    """The catalogue, as a shop tells of it: an item a product."""
    from tilth.collect.model import Item, Message, Operation
    from tilth.simulate.catalog import CURRENCY, PRODUCTS

    now = time.time_ns() // 1000
    told: list[Message] = [
        Item(
            item_kind="product",
            item_id=product.code,
            ts=now,
            event_id=f"catalogue:{product.code}",
            operations=(
                Operation(
                    "set",
                    {
                        "name": product.name,
                        "category": product.category,
                        "price": {"amount": f"{product.price / 100:.2f}", "currency": CURRENCY},
                    },
                ),
            ),
        )
        for product in PRODUCTS
    ]
    workspace.collect.receive(told, "catalogue")
    workspace.collect.flush()


def _layer(workspace: Workspace, report: Report) -> None:
    for kind in LAYERINGS:
        try:
            made = workspace.segments.layering(kind)
        except TilthError as error:
            # A file may be too small for one kind (a value model needs repeat buyers) and fine for the others.
            report(f"layering {kind}: {error.message}")
            continue
        report(f"layering {kind}: {len(made.layers)} layers of {made.people:,} people")
