"""Results: rows, columns, frames, files, and tables in notebooks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Union, overload

from . import _dumpql, _show

if TYPE_CHECKING:
    from typing_extensions import CapsuleType

    import pandas  # type: ignore[import-untyped, unused-ignore]
    import polars
    import pyarrow  # type: ignore[import-untyped, unused-ignore]

Path = Union[str, "os.PathLike[str]"]


class Footnote(NamedTuple):
    """Values of a column of a table that the dump could not give."""

    table: str
    column: str
    reason: str
    rows: int

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.rows} {self.reason}"


class Result:
    """The rows of a query.

    It is a sequence of tuples, and has the Arrow PyCapsule interface, through which pyarrow, polars,
    pandas and DuckDB read it. Addresses are integers, points in time aware datetimes in UTC, intervals
    timedeltas, absent values None.

    >>> import dumpql
    >>> d = dumpql.sample()
    >>> result = d.sql("SELECT name, base FROM modules ORDER BY base LIMIT 2")
    >>> result.columns, len(result)
    (['name', 'base'], 2)
    >>> [hex(base) for name, base in result]
    ['0x80800000', '0x80a71000']
    """

    def __init__(self, native: _dumpql.NativeResult) -> None:
        self._native = native
        self._next = 0

    # --- rows and columns

    @property
    def columns(self) -> list[str]:
        """The names of the columns as selected; they need not be unique."""
        return [name for name, _ in self._native.fields()]

    @property
    def types(self) -> list[str]:
        """The types of the columns, as SQL writes them.

        >>> import dumpql
        >>> dumpql.sample().sql("SELECT name, base FROM modules").types
        ['VARCHAR', 'ADDRESS']
        """
        return [kind for _, kind in self._native.fields()]

    @property
    def footnotes(self) -> list[Footnote]:
        """Values that the tables of the query could not give, and why."""
        return [Footnote(*note) for note in self._native.footnotes()]

    @property
    def unread(self) -> dict[str, list[str]]:
        """Tables that a saved query did without, and why each dump did not answer."""
        return dict(self._native.unread())

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as tuples."""
        return self._native.tuples(0, len(self))

    def dicts(self) -> list[dict[str, Any]]:
        """All rows as dicts; of columns with one name the last one counts."""
        names = self.columns
        return [dict(zip(names, row)) for row in self.rows()]

    def column(self, name: str | int, /) -> list[Any]:
        """The values of a column, by its name, ignoring case, or by its index."""
        if isinstance(name, int):
            place = range(len(self.columns))[name]
        else:
            folded = [column.casefold() for column in self.columns]
            if name.casefold() not in folded:
                raise KeyError(name)
            place = folded.index(name.casefold())
        return self._native.column(place)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row; None after the last.

        >>> import dumpql
        >>> result = dumpql.sample().sql("SELECT 1 AS n")
        >>> result.fetchone(), result.fetchone()
        ((1,), None)
        """
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int = 100) -> list[tuple[Any, ...]]:
        """The next rows, up to ``size``."""
        start = self._next
        self._next = min(start + max(size, 0), len(self))
        return self._native.tuples(start, self._next)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows that were not fetched yet."""
        return self.fetchmany(len(self))

    def __len__(self) -> int:
        return len(self._native)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(self), 1000):
            yield from self._native.tuples(start, start + 1000)

    @overload
    def __getitem__(self, place: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[Any, ...]]: ...
    @overload
    def __getitem__(self, place: str) -> list[Any]: ...
    def __getitem__(self, place: int | slice | str) -> Any:
        """A row by its index, rows by a slice, a column by its name."""
        if isinstance(place, str):
            return self.column(place)
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step == 1:
                return self._native.tuples(start, stop)
            return [self[row] for row in range(start, stop, step)]
        row = range(len(self))[place]
        return self._native.tuples(row, row + 1)[0]

    # --- Arrow and frames

    def __arrow_c_stream__(self, requested_schema: Any = None) -> CapsuleType:
        """The rows as an Arrow stream; a requested schema is ignored, as the protocol allows."""
        return self._native.stream()

    def __arrow_c_schema__(self) -> CapsuleType:
        """The schema of the stream."""
        return self._native.schema()

    def pl(self) -> polars.DataFrame:
        """The rows as a frame of polars, which shares their memory."""
        try:
            import polars
        except ImportError as error:
            raise ImportError("Result.pl() needs polars: pip install 'dumpql[polars]'") from error
        return polars.DataFrame(_Views(self._native))

    def df(self) -> pandas.DataFrame:
        """The rows as a frame of pandas."""
        try:
            return self.arrow().to_pandas()
        except ImportError as error:
            message = "Result.df() needs pandas and pyarrow: pip install 'dumpql[pandas]'"
            raise ImportError(message) from error

    def arrow(self) -> pyarrow.Table:
        """The rows as a table of pyarrow, which shares their memory."""
        try:
            import pyarrow
        except ImportError as error:
            raise ImportError("Result.arrow() needs pyarrow: pip install pyarrow") from error
        return pyarrow.table(self)

    # --- files and text

    def write(self, path: Path, /, format: str | None = None, *, title: str = "result") -> None:
        """Writes a file: csv, excel (CSV for Excel), tsv, json, jsonl, md, html, xlsx, parquet, svg or png.

        Without ``format`` the ending of the path decides. The file is complete or as it was; an open
        dump is never written to.
        """
        name = format or os.path.splitext(os.fspath(path))[1].lstrip(".")
        self._native.write(path, name, title)

    @overload
    def to_csv(self, path: None = None, *, excel: bool = False) -> str: ...
    @overload
    def to_csv(self, path: Path, *, excel: bool = False) -> None: ...
    def to_csv(self, path: Path | None = None, *, excel: bool = False) -> str | None:
        """CSV as a file, or as text. ``excel`` protects values that Excel would execute or round.

        >>> import dumpql
        >>> print(dumpql.sample().sql("SELECT 1 AS n, 'a' AS t").to_csv(), end="")
        n,t
        1,a
        """
        return self._to(path, "excel" if excel else "csv")

    def to_excel(self, path: Path, *, title: str = "result") -> None:
        """An Excel workbook."""
        self._native.write(path, "xlsx", title)

    def to_parquet(self, path: Path) -> None:
        """A Parquet file."""
        self._native.write(path, "parquet", "")

    def to_json(self, path: Path | None = None) -> str | None:
        """An array of objects, as a file or as text; addresses are text."""
        return self._to(path, "json")

    def to_markdown(self, path: Path | None = None) -> str | None:
        """A table of Markdown, as a file or as text."""
        return self._to(path, "md")

    def _to(self, path: Path | None, format: str) -> str | None:
        if path is None:
            return self._native.bytes(format, "result").decode()
        self._native.write(path, format, "result")
        return None

    def text(self, row: int, column: int) -> str | None:
        """One value in the form of every output, such as an address in hex; None for NULL."""
        place = range(len(self))[row]
        return self._native.texts(place, place + 1)[0][column]

    def __repr__(self) -> str:
        return _show.text(self, self._native)

    def _repr_html_(self) -> str:
        return _show.html(self, self._native)


class _Views:
    """A result whose text is in the layout that polars has, so that polars copies nothing."""

    def __init__(self, native: _dumpql.NativeResult) -> None:
        self._native = native

    def __arrow_c_stream__(self, requested_schema: Any = None) -> CapsuleType:
        return self._native.stream(views=True)
