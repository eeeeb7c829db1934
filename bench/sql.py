"""The measured questions in SQL, for ClickHouse's engine and for DuckDB, and their rows in the plain form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.questions import ATTEMPT, FIRST_DAY, LAST_DAY, QUESTIONS

__all__ = ["CLICKHOUSE", "DUCKDB", "shaped"]

_DAYS = 30
_DAY = 86_400_000_000


def _epoch_day(text: str) -> int:
    import datetime

    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


_FROM = _epoch_day(FIRST_DAY)
_TO = _epoch_day(LAST_DAY)


def _steps(name: str) -> list[str]:
    """Each step as an SQL condition."""
    found = []
    for step in QUESTIONS[name][1]["steps"]:
        if isinstance(step, str):
            found.append(f"event = '{step}'")
        else:
            test = step["filters"]
            found.append(f"(event = '{step['event']}' AND {test['property']} = '{test['value']}')")
    return found


def _names(name: str) -> str:
    steps = QUESTIONS[name][1]["steps"]
    return ", ".join(sorted({f"'{s if isinstance(s, str) else s['event']}'" for s in steps}))


# -- ClickHouse ----------------------------------------------------------------------------------


def _window_funnel(name: str, by: str = "") -> str:
    steps = _steps(name)
    mode = ", 'strict_increase'" if len(set(steps)) < len(steps) else ""
    group = f"uid{', ' + by if by else ''}"
    where = f"event IN ({_names(name)})" + (f" AND {by} IS NOT NULL" if by else "")
    counts = ", ".join(f"countIf(level >= {k + 1})" for k in range(len(steps)))
    return (
        f"SELECT {by + ', ' if by else ''}{counts} FROM (SELECT {group}, "
        f"windowFunnel({ATTEMPT}{mode})(ts, {', '.join(steps)}) AS level FROM events WHERE {where} GROUP BY {group})"
        + (f" GROUP BY {by}" if by else "")
    )


def _arrays_machine(name: str) -> str:
    """A person's events as a sorted array, folded by a state machine: the latest start of an attempt per step."""
    steps = QUESTIONS[name][1]["steps"]
    n = len(steps)
    code = ", ".join(f"event = '{s}', {k}" for k, s in enumerate(steps, 1))
    state = ", ".join(["toInt64(-1)"] * n)
    parts = ["if(e.2 = 1, toInt64(e.1), s.1)"]
    parts += [
        f"if(e.2 = {k} AND s.{k - 1} >= 0 AND toInt64(e.1) - s.{k - 1} <= {ATTEMPT}, s.{k - 1}, s.{k})"
        for k in range(2, n + 1)
    ]
    counts = ", ".join(f"countIf(done.{k} >= 0)" for k in range(1, n + 1))
    return (
        f"SELECT {counts} FROM (SELECT arrayFold((s, e) -> ({', '.join(parts)}), "
        f"arraySort(groupArray((ts, multiIf({code}, 0)))), ({state})) AS done "
        f"FROM events WHERE event IN ({_names(name)}) GROUP BY uid)"
    )


def _arrays_strict(name: str) -> str:
    steps = QUESTIONS[name][1]["steps"]
    code = ", ".join(f"event = '{s}', {k}" for k, s in enumerate(steps, 1))
    counts = ", ".join(f"countIf(hasSubstr(codes, {list(range(1, k + 1))}))" for k in range(1, len(steps) + 1))
    seen = f"arraySort(groupArray((ts, pos, multiIf({code}, 0))))"
    return f"SELECT {counts} FROM (SELECT arrayMap(e -> e.3, {seen}) AS codes FROM events GROUP BY uid)"


CLICKHOUSE: dict[str, str] = {
    **{name: _window_funnel(name) for name in ("funnel_3", "funnel_6", "funnel_12", "funnel_32", "funnel_filter")},
    "funnel_3_arrays": _arrays_machine("funnel_3"),
    "funnel_strict": _arrays_strict("funnel_strict"),
    "funnel_breakdown": _window_funnel("funnel_breakdown", "channel"),
    "retention": f"""
        SELECT cohort, k, count() FROM (
            SELECT arrayJoin(arrayFilter(d -> d <= {_TO}, days)) AS cohort,
                arrayJoin(arrayFilter(x -> x >= 0 AND x <= {_DAYS}, arrayMap(d -> toInt32(d) - toInt32(cohort), days)))
                AS k
            FROM (
                SELECT groupUniqArray(intDiv(ts, {_DAY})) AS days FROM events
                WHERE event = 'visit' AND ts >= {_FROM * _DAY} AND ts < {(_TO + _DAYS + 1) * _DAY} GROUP BY uid
            )
        ) GROUP BY cohort, k""",
    "lifecycle": f"""
        SELECT d, state, count() FROM (
            SELECT arrayJoin(days) AS day, arrayJoin([0, 1]) AS after, day + after AS d,
                multiIf(after = 1, if(has(days, d), 'stays', 'dormant'), day = first, 'new',
                    has(days, day - 1), 'returning', 'resurrecting') AS state
            FROM (
                SELECT groupUniqArrayIf(intDiv(ts, {_DAY}), ts >= {(_FROM - 1) * _DAY}) AS days,
                    min(intDiv(ts, {_DAY})) AS first
                FROM events WHERE ts < {(_TO + 1) * _DAY} GROUP BY uid
            )
        ) WHERE d >= {_FROM} AND d <= {_TO} AND state != 'stays' GROUP BY d, state""",
    "stickiness": f"""
        SELECT days, count() FROM (
            SELECT uniqExact(intDiv(ts, {_DAY})) AS days FROM events
            WHERE ts >= {_FROM * _DAY} AND ts < {(_TO + 1) * _DAY} GROUP BY uid
        ) GROUP BY days""",
    "paths": f"""
        SELECT step, edge.1, edge.2, count() FROM (
            SELECT arrayJoin(sessions) AS session,
                arrayMap(e -> e.4, arraySlice(arrayFilter((e, i) -> i = 1 OR session[i - 1].4 != e.4, session,
                    arrayEnumerate(session)), 1, 5)) AS nodes,
                arrayJoin(arrayMap(i -> (i, nodes[i], nodes[i + 1]), range(1, length(nodes)))) AS pair,
                pair.1 AS step, (pair.2, pair.3) AS edge
            FROM (
                SELECT arraySort(groupArray((ts, pos, source, event))) AS seq,
                    arraySplit((e, i) -> i > 1 AND (e.1 - seq[i - 1].1 > 1800000000 OR e.3 != seq[i - 1].3), seq,
                    arrayEnumerate(seq)) AS sessions
                FROM events WHERE ts >= {_FROM * _DAY} AND ts < {(_TO + 1) * _DAY} GROUP BY uid
            )
        ) GROUP BY step, edge""",
    "trend_people": f"""
        SELECT intDiv(ts, {_DAY}) AS day, uniqExact(uid) FROM events WHERE event = 'view' GROUP BY day ORDER BY day""",
}


# -- DuckDB --------------------------------------------------------------------------------------


def _windows(name: str) -> str:
    """The latest start of an attempt per step, one window function a step."""
    steps = _steps(name)
    body = (
        f"SELECT uid, ts, event, category, pos, CASE WHEN {steps[0]} THEN ts END AS s1 "
        f"FROM events WHERE event IN ({_names(name)})"
    )
    for k, test in enumerate(steps[1:], 2):
        body = (
            f"SELECT *, CASE WHEN {test} AND ts - before <= {ATTEMPT} THEN before END AS s{k} FROM ("
            f"SELECT *, max(s{k - 1}) OVER (PARTITION BY uid ORDER BY ts, pos ROWS BETWEEN UNBOUNDED PRECEDING "
            f"AND 1 PRECEDING) AS before FROM ({body}))"
        )
        body = body.replace("SELECT *, CASE", "SELECT * EXCLUDE (before), CASE", 1)
    counts = ", ".join(f"count(DISTINCT uid) FILTER (s{k} IS NOT NULL)" for k in range(1, len(steps) + 1))
    return f"SELECT {counts} FROM ({body})"


DUCKDB: dict[str, str] = {
    **{name: _windows(name) for name in ("funnel_3", "funnel_6", "funnel_12", "funnel_filter")},
    "funnel_strict": """
        SELECT count(DISTINCT uid) FILTER (event = 'view'),
            count(DISTINCT uid) FILTER (event = 'view' AND second = 'cart'),
            count(DISTINCT uid) FILTER (event = 'view' AND second = 'cart' AND third = 'checkout')
        FROM (SELECT uid, event, lead(event) OVER w AS second, lead(event, 2) OVER w AS third FROM events
            WINDOW w AS (PARTITION BY uid ORDER BY ts, pos))""",
    "retention": f"""
        WITH days AS (SELECT DISTINCT uid, ts // {_DAY} AS day FROM events
            WHERE event = 'visit' AND ts >= {_FROM * _DAY} AND ts < {(_TO + _DAYS + 1) * _DAY})
        SELECT a.day, b.day - a.day AS k, count(*) FROM days a JOIN days b USING (uid)
        WHERE a.day <= {_TO} AND b.day BETWEEN a.day AND a.day + {_DAYS} GROUP BY ALL""",
    "lifecycle": f"""
        WITH days AS (SELECT DISTINCT uid, ts // {_DAY} AS day FROM events WHERE ts < {(_TO + 1) * _DAY}),
        around AS (SELECT uid, day, lag(day) OVER w AS earlier, lead(day) OVER w AS later
            FROM days WINDOW w AS (PARTITION BY uid ORDER BY day))
        SELECT day, CASE WHEN earlier IS NULL THEN 'new' WHEN earlier = day - 1 THEN 'returning'
            ELSE 'resurrecting' END AS state, count(*) FROM around WHERE day BETWEEN {_FROM} AND {_TO} GROUP BY ALL
        UNION ALL SELECT day + 1, 'dormant', count(*) FROM around
        WHERE day + 1 BETWEEN {_FROM} AND {_TO} AND later IS DISTINCT FROM day + 1 GROUP BY ALL""",
    "stickiness": f"""
        SELECT days, count(*) FROM (SELECT count(DISTINCT ts // {_DAY}) AS days FROM events
            WHERE ts >= {_FROM * _DAY} AND ts < {(_TO + 1) * _DAY} GROUP BY uid) GROUP BY days""",
    "paths": f"""
        WITH marked AS (
            SELECT uid, ts, event, pos, CASE WHEN lag(ts) OVER w IS NULL OR ts - lag(ts) OVER w > 1800000000
                OR source IS DISTINCT FROM lag(source) OVER w THEN 1 ELSE 0 END AS fresh
            FROM events WHERE ts >= {_FROM * _DAY} AND ts < {(_TO + 1) * _DAY}
            WINDOW w AS (PARTITION BY uid ORDER BY ts, pos)),
        numbered AS (SELECT *, sum(fresh) OVER (PARTITION BY uid ORDER BY ts, pos) AS session FROM marked),
        collapsed AS (SELECT uid, session, event, ts, pos FROM numbered
            QUALIFY event IS DISTINCT FROM lag(event) OVER (PARTITION BY uid, session ORDER BY ts, pos)),
        placed AS (SELECT event, lead(event) OVER w AS target, row_number() OVER w AS step FROM collapsed
            WINDOW w AS (PARTITION BY uid, session ORDER BY ts, pos))
        SELECT step, event, target, count(*) FROM placed WHERE step < 5 AND target IS NOT NULL GROUP BY ALL""",
    "trend_people": f"""
        SELECT ts // {_DAY} AS day, count(DISTINCT uid) FROM events WHERE event = 'view' GROUP BY day ORDER BY day""",
}


# -- rows in the plain form ----------------------------------------------------------------------


def shaped(name: str, rows: list[list[Any]]) -> Any:
    """A peer's rows in the form of `questions.plain`. Numbers may come as text, as ClickHouse sends large ones."""
    return _SHAPES.get(name, _first_row)(rows)


def _first_row(rows: list[list[Any]]) -> list[int]:
    return [int(n) for n in rows[0]]


def _by_value(rows: list[list[Any]]) -> list[Any]:
    return sorted([row[0], [int(n) for n in row[1:]]] for row in rows)


def _triangle(rows: list[list[Any]]) -> list[list[int]]:
    found = [[0] * (_DAYS + 1) for _ in range(_TO - _FROM + 1)]
    for day, k, people in rows:
        found[int(day) - _FROM][int(k)] = int(people)
    return found


def _states(rows: list[list[Any]]) -> list[list[int]]:
    names = ["new", "returning", "resurrecting", "dormant"]
    found = [[0] * (_TO - _FROM + 1) for _ in names]
    for day, state, people in rows:
        found[names.index(state)][int(day) - _FROM] = int(people)
    return found


def _active(rows: list[list[Any]]) -> list[int]:
    found = [0] * (_TO - _FROM + 1)
    for days, people in rows:
        found[int(days) - 1] = int(people)
    return found


def _edges(rows: list[list[Any]]) -> list[list[Any]]:
    return sorted([f"{step}_{source}", f"{int(step) + 1}_{target}", int(n)] for step, source, target, n in rows)


def _series(rows: list[list[Any]]) -> list[int]:
    return [int(row[1]) for row in rows]


_SHAPES: dict[str, Callable[[list[list[Any]]], Any]] = {
    "funnel_breakdown": _by_value,
    "retention": _triangle,
    "lifecycle": _states,
    "stickiness": _active,
    "paths": _edges,
    "trend_people": _series,
}
