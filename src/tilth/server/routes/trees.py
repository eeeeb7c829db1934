"""KPI trees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.measure.kpi_tree import KeptTree, Tree, TreeAnswer
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant

__all__ = ["ROUTES"]


class ShownTree(msgspec.Struct, frozen=True, kw_only=True):
    tree: Tree
    version: int
    by: str
    changed_at: datetime


class TreeList(msgspec.Struct, frozen=True, kw_only=True):
    trees: list[ShownTree]


class TreeToChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """version: the one that was changed."""

    tree: Tree
    version: int | None = None


class TreeToTry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tree that need not be kept; asked: range, filters, segment."""

    tree: Tree
    asked: dict[str, Any] = msgspec.field(default_factory=dict)


def _shown(held: KeptTree) -> ShownTree:
    return ShownTree(tree=held.tree, version=held.version, by=held.by, changed_at=instant(held.changed_at))


@get("/trees", opt={"role": "viewer"}, sync_to_thread=True)
def list_trees(context: Ctx) -> TreeList:
    """All KPI trees by key."""
    return TreeList(trees=[_shown(held) for held in context.workspace.trees.all()])


@get("/trees/{key:str}", opt={"role": "viewer"}, sync_to_thread=True)
def read_tree(key: FromPath[str], context: Ctx) -> ShownTree:
    """One KPI tree."""
    return _shown(context.workspace.trees.get(key))


@post("/trees", opt={"role": "analyst"}, status_code=201, sync_to_thread=True)
def make_tree(data: JSONBody[Tree], principal: Who, context: Ctx) -> ShownTree:
    """Make a KPI tree."""
    made = context.workspace.trees.make(data, principal.name)
    context.record(principal, "tree.create", made.tree.key)
    return _shown(made)


@put("/trees/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def change_tree(key: FromPath[str], data: JSONBody[TreeToChange], principal: Who, context: Ctx) -> ShownTree:
    """Change a KPI tree."""
    made = context.workspace.trees.change(key, data.tree, data.version)
    context.record(principal, "tree.change", key, version=made.version)
    return _shown(made)


@delete("/trees/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_tree(key: FromPath[str], principal: Who, context: Ctx) -> None:
    """Remove a KPI tree; its metrics stay."""
    context.workspace.trees.delete(key)
    context.record(principal, "tree.remove", key)


@post("/trees/preview", opt={"role": "analyst"}, status_code=200)
async def try_tree(data: JSONBody[TreeToTry], context: Ctx) -> TreeAnswer:
    """The numbers of a tree, before it is kept."""
    return await context.compute(context.workspace.trees.values_of, data.tree, data.asked or None)


@post("/trees/{key:str}/values", opt={"role": "viewer"}, status_code=200)
async def ask_tree(key: FromPath[str], data: JSONBody[dict[str, Any]], context: Ctx) -> TreeAnswer:
    """The tree's numbers of a range beside the range before, with targets and pace."""
    return await context.compute(context.workspace.trees.values, key, data or None)


ROUTES = [list_trees, read_tree, make_tree, change_tree, delete_tree, try_tree, ask_tree]
