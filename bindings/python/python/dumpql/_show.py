"""How results are displayed: as text tables, and as HTML tables in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._dumpql import NativeResult
    from ._result import Result

TEXT_ROWS = 20
HTML_ROWS = 50
WIDEST = 60

NUMBERS = {"INTEGER", "DOUBLE", "ADDRESS", "INTERVAL"}


def _clean(text: str, widest: int = WIDEST) -> str:
    """Text as one line, without characters that move the cursor or change the direction of writing."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[: widest + 1])
    return shown if len(shown) <= widest else shown[: widest - 1] + "…"


def text(result: Result, native: NativeResult) -> str:
    names, kinds = result.columns, result.types
    shown = native.texts(0, TEXT_ROWS)
    rows = [[_clean("NULL" if cell is None else cell) for cell in row] for row in shown]
    head = [_clean(name) for name in names]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    right = [kind in NUMBERS for kind in kinds]

    def line(cells: list[str]) -> str:
        parts = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right)]
        return "  ".join(parts).rstrip()

    lines = [line(head), line(["-" * width for width in widths]), *map(line, rows)]
    return "\n".join([*lines, *_notes(result, len(shown))])


def _notes(result: Result, shown: int) -> list[str]:
    rows = len(result)
    notes = [f"{rows} row{'' if rows == 1 else 's'}" + (f", {shown} shown" if shown < rows else "")]
    notes += [str(note) for note in result.footnotes]
    for table, because in result.unread.items():
        notes.append(f"{table} was not read: {'; '.join(because)}")
    return [_clean(note, 500) for note in notes]


STYLE = """<style>
.dumpql td, .dumpql th { text-align: left; }
.dumpql .n { text-align: right; font-variant-numeric: tabular-nums; }
.dumpql .a { text-align: right; font-family: monospace; }
.dumpql .null { opacity: 0.5; font-style: italic; }
</style>"""


def html(result: Result, native: NativeResult) -> str:
    """A table without external styles; every text of the dump is escaped."""
    # Importing html takes some milliseconds, which importing dumpql need not take.
    from html import escape

    kinds = result.types
    classes = ["a" if k == "ADDRESS" else "n" if k in NUMBERS else "" for k in kinds]
    absent = {note.column for note in result.footnotes}

    def cell(value: str | None, name: str, kind: str) -> str:
        if value is None:
            mark = "<sup>*</sup>" if name in absent else ""
            return f'<td class="{kind} null">NULL{mark}</td>'
        return f'<td class="{kind}">{escape(_clean(value, 300))}</td>'

    names = result.columns
    head = "".join(
        f'<th class="{kind}" title="{escape(ty)}">{escape(_clean(name))}</th>'
        for name, ty, kind in zip(names, kinds, classes)
    )
    shown = native.texts(0, HTML_ROWS)
    body = "".join(
        "<tr>" + "".join(cell(v, n, k) for v, n, k in zip(row, names, classes)) + "</tr>"
        for row in shown
    )
    first, *rest = _notes(result, len(shown))
    notes = [first, *(f"* {note}" for note in rest)]
    foot = "".join(f"<p>{escape(note)}</p>" for note in notes)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="dumpql">{STYLE}{table}{foot}</div>'
