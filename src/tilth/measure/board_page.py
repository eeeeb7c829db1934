"""A board as a page for e-mail (HTML with its styles in place, no scripts, no pictures from elsewhere) and as a PDF."""

from __future__ import annotations

import datetime as dt
import html
import io
from collections.abc import Sequence
from typing import Any

from tilth.measure.board_tiles import Panel

__all__ = ["html_page", "pdf_page"]

_ROWS = 15
_SHARES = frozenset({"from_first", "from_previous", "share", "low", "high", "after_share"})
_COLORS = ("#1f6feb", "#d97706", "#0f766e", "#b91c1c", "#7c3aed", "#475569")
_WORDS = {
    "zh-CN": {
        "range": "范围",
        "made": "生成于",
        "more": "还有 {} 行，见看板",
        "open": "打开看板",
        "nothing": "没有数据",
        "page": "第 {} 页",
    },
    "en": {
        "range": "Range",
        "made": "Made",
        "more": "{} more rows on the board",
        "open": "Open the board",
        "nothing": "Nothing there",
        "page": "Page {}",
    },
}


def html_page(
    title: str, about: str, shown: Sequence[Panel], *, made: dt.datetime, language: str, link: str = ""
) -> str:
    """made: an aware instant, in the zone that is shown."""
    words = _WORDS[language]
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title></head>"
        '<body style="margin:0;padding:24px;background:#f5f6f8;color:#1f2328;'
        "font:14px/1.5 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif\">"
        f'<h1 style="font-size:22px;margin:0 0 4px">{html.escape(title)}</h1>'
        f'<p style="margin:0 0 16px;color:#57606a">{html.escape(about)}{" · " if about else ""}'
        f"{words['made']} {_moment(made)}</p>"
    ]
    parts += [_html_panel(panel, words) for panel in shown]
    if link:
        parts.append(f'<p><a href="{html.escape(link, quote=True)}">{words["open"]}</a></p>')
    return "".join(parts) + "</body></html>"


def _html_panel(panel: Panel, words: dict[str, str]) -> str:
    head = f'<h2 style="font-size:16px;margin:0 0 4px">{html.escape(panel.title)}</h2>' if panel.title else ""
    if panel.kind == "text":
        body = html.escape(panel.text).replace("\n", "<br>")
        return f'<div style="margin:16px 0 8px">{head}<div style="white-space:normal">{body}</div></div>'
    note = (
        f'<p style="margin:0 0 8px;color:#57606a;font-size:12px">{html.escape(panel.range)}</p>' if panel.range else ""
    )
    if panel.error:
        inner = f'<p style="color:#b91c1c">{html.escape(panel.error)}</p>'
    elif not panel.rows:
        inner = f'<p style="color:#57606a">{words["nothing"]}</p>'
    else:
        inner = _html_bars(panel) + _html_table(panel, words)
    return (
        '<div style="background:#fff;border:1px solid #d8dee4;border-radius:8px;padding:16px;margin:0 0 16px">'
        f"{head}{note}{inner}</div>"
    )


def _html_bars(panel: Panel) -> str:
    """The first series as bars that every mail program draws: table cells of a width."""
    if not panel.series:
        return ""
    points = [(label, value) for label, value in panel.series[0][1] if value is not None][-31:]
    most = max((abs(v) for _, v in points), default=0.0)
    if most == 0:
        return ""
    rows = "".join(
        f'<tr><td style="padding:1px 8px 1px 0;white-space:nowrap;font-size:12px">{html.escape(label)}</td>'
        f'<td style="width:100%"><div style="background:{_COLORS[0]};height:10px;'
        f'width:{max(0.5, abs(value) / most * 100):.1f}%"></div></td>'
        f'<td style="padding-left:8px;text-align:right;font-size:12px">{_text(value, panel.unit)}</td></tr>'
        for label, value in points
    )
    return f'<table style="border-collapse:collapse;width:100%;margin:0 0 12px">{rows}</table>'


def _html_table(panel: Panel, words: dict[str, str]) -> str:
    cell = "padding:4px 8px;border-bottom:1px solid #eaeef2;text-align:"
    head = "".join(
        f'<th style="{cell}{"right" if _numeric(panel, i) else "left"};font-weight:600">{html.escape(c)}</th>'
        for i, c in enumerate(panel.columns)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{cell}{"right" if _numeric(panel, i) else "left"}">'
            f"{html.escape(_cell(panel, panel.columns[i], v))}</td>"
            for i, v in enumerate(row)
        )
        + "</tr>"
        for row in panel.rows[:_ROWS]
    )
    more = len(panel.rows) - _ROWS
    note = f'<p style="color:#57606a;font-size:12px">{words["more"].format(more)}</p>' if more > 0 else ""
    return f'<table style="border-collapse:collapse;width:100%;font-size:13px"><tr>{head}</tr>{body}</table>{note}'


def pdf_page(
    title: str, about: str, shown: Sequence[Panel], *, made: dt.datetime, language: str, link: str = ""
) -> bytes:
    """The same on A4. Chinese is set in the reader's own Song type, which is not put into the file."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    font = "STSong-Light"
    if font not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(font))
    words = _WORDS[language]

    def style(size: float, **more: Any) -> Any:
        return ParagraphStyle(f"s{size}", fontName=font, fontSize=size, leading=size * 1.45, wordWrap="CJK", **more)

    normal, small, heading = style(9.5), style(7.5, textColor=colors.HexColor("#57606a")), style(12.5, spaceBefore=4)
    story: list[Any] = [Paragraph(html.escape(title), style(18)), Spacer(1, 2 * mm)]
    said = f"{about} · " if about else ""
    story += [Paragraph(html.escape(f"{said}{words['made']} {_moment(made)}"), small), Spacer(1, 5 * mm)]
    width = A4[0] - 36 * mm
    for panel in shown:
        block: list[Any] = []
        if panel.title:
            block.append(Paragraph(html.escape(panel.title), heading))
        if panel.kind == "text":
            if panel.text:
                block.append(Paragraph(html.escape(panel.text).replace("\n", "<br/>"), normal))
        elif panel.error or not panel.rows:
            block.append(Paragraph(html.escape(panel.error or words["nothing"]), normal))
        else:
            if panel.range:
                block.append(Paragraph(html.escape(panel.range), small))
            if panel.series:
                block.append(_drawing(panel, width, font))
            cells = [[Paragraph(html.escape(c), small) for c in panel.columns]]
            for row in panel.rows[:_ROWS]:
                shown_row = zip(panel.columns, row, strict=True)
                cells.append([Paragraph(html.escape(_cell(panel, c, v)), small) for c, v in shown_row])
            made_table = Table(cells, colWidths=[width / len(panel.columns)] * len(panel.columns), repeatRows=1)
            line = colors.HexColor("#d8dee4")
            made_table.setStyle(
                TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.3, line), ("VALIGN", (0, 0), (-1, -1), "TOP")])
            )
            block.append(made_table)
            if len(panel.rows) > _ROWS:
                block.append(Paragraph(words["more"].format(len(panel.rows) - _ROWS), small))
        block.append(Spacer(1, 5 * mm))
        flowables: list[Flowable] = block
        story.append(KeepTogether(flowables))
    if link:
        story.append(Paragraph(f'<a href="{html.escape(link, quote=True)}">{words["open"]}</a>', normal))
    out = io.BytesIO()

    def numbered(canvas: Any, document: Any) -> None:
        canvas.setFont(font, 7.5)
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, words["page"].format(document.page))

    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=18 * mm, title=title,
        author="Tilth",
    )  # fmt: skip
    document.build(story, onFirstPage=numbered, onLaterPages=numbered)
    return out.getvalue()


def _drawing(panel: Panel, width: float, font: str) -> Any:
    """Lines over time, or bars of a funnel, from zero."""
    from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String
    from reportlab.lib import colors

    height, bottom, left = 110.0, 16.0, 46.0
    drawing = Drawing(width, height + 8)
    labels = [label for label, _ in panel.series[0][1]]
    values = [v for _, points in panel.series for _, v in points if v is not None]
    if not values or not labels:
        return drawing
    top, low = max(*values, 0.0), min(*values, 0.0)
    span = (top - low) or 1.0

    def y(value: float) -> float:
        return bottom + (value - low) / span * (height - bottom - 6)

    grey = colors.HexColor("#9aa4af")
    drawing.add(Line(left, y(0), width, y(0), strokeColor=grey, strokeWidth=0.5))
    for mark in {low, 0.0, top}:
        drawing.add(
            String(left - 4, y(mark) - 2.5, _text(mark, panel.unit), fontName=font, fontSize=6.5, textAnchor="end")
        )
    step = (width - left) / max(1, len(labels))
    if panel.kind == "funnel":
        for i, (_, value) in enumerate(panel.series[0][1]):
            x = left + i * step + step * 0.15
            bar = y(value or 0.0) - y(0)
            drawing.add(Rect(x, y(0), step * 0.7, bar, fillColor=colors.HexColor(_COLORS[0]), strokeColor=None))
    else:
        for (name, points), color in zip(panel.series, _COLORS, strict=False):
            flat: list[float] = []
            for i, (_, value) in enumerate(points):
                if value is not None:
                    flat += [left + i * step + step / 2, y(value)]
            if len(flat) >= 4:
                drawing.add(PolyLine(flat, strokeColor=colors.HexColor(color), strokeWidth=1.2))
            if flat and len(panel.series) > 1:
                drawing.add(
                    String(flat[-2], flat[-1] + 2, name, fontName=font, fontSize=6.5, textAnchor="end",
                           fillColor=colors.HexColor(color))
                )  # fmt: skip
    every = max(1, len(labels) // 8)
    for i in range(0, len(labels), every):
        drawing.add(
            String(left + i * step + step / 2, 4, labels[i][:14], fontName=font, fontSize=6.5, textAnchor="middle")
        )
    return drawing


def _numeric(panel: Panel, column: int) -> bool:
    return any(
        isinstance(row[column], (int, float)) and not isinstance(row[column], bool) for row in panel.rows[:_ROWS]
    )


def _cell(panel: Panel, column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and (column in _SHARES or (panel.unit == "share" and column in ("total", "previous"))):
        return f"{value * 100:.1f}%"
    return _text(value, "" if panel.unit == "share" else panel.unit)


def _text(value: Any, unit: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if unit == "share":
        return f"{value * 100:.1f}%"
    return f"{value:,.0f}" if abs(value) >= 1_000 or float(value).is_integer() else f"{value:,.2f}"


def _moment(made: dt.datetime) -> str:
    return f"{made:%Y-%m-%d %H:%M} {made.tzname()}"
