"""Engagement × purchase: who comes, against who buys.

Rows are engagement in the activity window: *engaged* (seen on many days), *casual* (seen), *dormant*
(not seen). Columns are purchases ever: none, one order, several. The nine fields are nine layers;
those of the first column are the people without a purchase, told apart by how near they are to one.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tilth.errors import InvalidInput
from tilth.segments.layering import Assignment, Kind, LayerName, Matrix, MatrixCell
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text

__all__ = ["KIND", "MatrixModel", "MatrixParameters", "assign"]


class MatrixParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """window_days: the days before the as-of day in which engagement is measured.

    engaged_from: days seen in the window from which a person is engaged; 0 takes the upper third of
    the people seen (at least 2 days).
    """

    window_days: int = 90
    engaged_from: int = 0


class MatrixModel(msgspec.Struct, frozen=True, kw_only=True):
    """engaged_from: days seen in the window."""

    engaged_from: int


_ROWS = (("engaged", "高活跃", "Engaged"), ("casual", "低活跃", "Casual"), ("dormant", "沉睡", "Dormant"))
_COLUMNS = (
    ("none", "未购买", "No purchase", "从未购买", "never bought"),
    ("once", "购买一次", "Bought once", "只有一笔订单", "one order"),
    ("repeat", "多次购买", "Bought repeatedly", "两笔及以上订单", "two or more orders"),
)
_NAMES = (
    (("高意向未购买", "Window shoppers"), ("首单热客", "Warm first-timers"), ("核心用户", "Core fans")),
    (("观望者", "Onlookers"), ("待复购", "One and browsing"), ("稳定买家", "Quiet regulars")),
    (("沉睡注册用户", "Sleeping sign-ups"), ("一次性买家", "One and gone"), ("沉默老客", "Silent regulars")),
)


def assign(standing: Standing, parameters: MatrixParameters, model: MatrixModel | None = None) -> Assignment:
    """Everyone's field of the matrix; needs the activity columns of the standing."""
    if not 1 <= parameters.window_days <= 3660:
        raise InvalidInput("parameters.window_days", "must be between 1 and 3660")
    if parameters.engaged_from < 0:
        raise InvalidInput("parameters.engaged_from", "must not be negative")
    days = standing.active_days
    seen = days > 0
    if model is None:
        chosen = parameters.engaged_from or _upper_third(days[seen])
        model = MatrixModel(engaged_from=chosen)
    row = np.where(days >= model.engaged_from, 0, np.where(seen, 1, 2))
    column = np.minimum(standing.orders, 2)
    codes = (row * 3 + column).astype(np.int16)
    layers = _layers(parameters, model)
    return Assignment(
        codes=codes,
        layers=layers,
        model=model,
        dimensions=2,
        matrix=_matrix(standing, codes, layers, parameters, model),
        notices=_notices(standing, parameters),
    )


def _upper_third(days: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    if len(days) == 0:
        return 2
    return max(2, int(np.partition(days, (2 * len(days)) // 3)[(2 * len(days)) // 3]))


def _row_rules(parameters: MatrixParameters, model: MatrixModel) -> list[Text]:
    window, cut = parameters.window_days, model.engaged_from
    return [
        Text(f"近 {window} 天来过 {cut} 天及以上", f"seen on {cut} or more of the last {window} days"),
        Text(f"近 {window} 天来过，不足 {cut} 天", f"seen on fewer than {cut} of the last {window} days"),
        Text(f"近 {window} 天没有来过", f"not seen in the last {window} days"),
    ]


def _layers(parameters: MatrixParameters, model: MatrixModel) -> list[LayerName]:
    rules = _row_rules(parameters, model)
    return [
        LayerName(
            key=f"{row[0]}_{column[0]}",
            name=Text(*_NAMES[i][j]),
            rule=Text(f"{rules[i].zh}；{column[3]}", f"{rules[i].en}; {column[4]}"),
        )
        for i, row in enumerate(_ROWS)
        for j, column in enumerate(_COLUMNS)
    ]


def _matrix(
    standing: Standing,
    codes: np.ndarray[tuple[int], np.dtype[np.int16]],
    layers: list[LayerName],
    parameters: MatrixParameters,
    model: MatrixModel,
) -> Matrix:
    people, revenue = np.bincount(codes, minlength=9), np.bincount(codes, standing.revenue, 9)
    rules = _row_rules(parameters, model)
    return Matrix(
        rows=[LayerName(key=r[0], name=Text(r[1], r[2]), rule=rules[i]) for i, r in enumerate(_ROWS)],
        columns=[LayerName(key=c[0], name=Text(c[1], c[2]), rule=Text(c[3], c[4])) for c in _COLUMNS],
        cells=[
            MatrixCell(
                row=_ROWS[i // 3][0],
                column=_COLUMNS[i % 3][0],
                layer=layers[i].key,
                people=int(people[i]),
                revenue=round(revenue[i]),
            )
            for i in range(9)
        ],
    )


def _notices(standing: Standing, parameters: MatrixParameters) -> list[Notice]:
    if len(standing) == 0 or standing.events.any():
        return []
    text = Text(
        f"近 {parameters.window_days} 天里除购买外没有其他行为数据，活跃度只能用购买日衡量；"
        "导入浏览或访问事件后会更有意义。",
        f"Nothing but purchases is known of the last {parameters.window_days} days, so engagement is buying days; "
        "import visits to make it mean more.",
    )
    return [Notice(key="only_purchases", severity="warning", text=text)]


KIND = Kind(
    key="matrix",
    name=Text("活跃 × 购买矩阵", "Engagement × purchase"),
    about=Text("来得勤不勤 × 买没买、买几次，九宫格。", "How much people come against how much they buy: nine fields."),
    parameters=MatrixParameters,
    about_parameters={
        "window_days": Text("用最近多少天衡量活跃", "days in which engagement is measured"),
        "engaged_from": Text("来过多少天算高活跃；0 为自动", "days seen from which one is engaged; 0 chooses"),
    },
    assign=assign,
    needs=frozenset({"activity"}),
    model=MatrixModel,
)
