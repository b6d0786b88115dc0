"""Open dumps."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Union

from . import _dumpql
from ._result import Result

if TYPE_CHECKING:
    from typing_extensions import CapsuleType

Path = Union[str, "os.PathLike[str]"]
Progress = Callable[[int, int, int], object]


class ArrowStream(Protocol):
    """Objects with the Arrow PyCapsule interface: frames of polars and pandas, tables of pyarrow."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> CapsuleType: ...


class Parameter(NamedTuple):
    """A parameter of a saved query."""

    name: str
    type: str
    default: str | None
    """The value as text if none is given; None if one has to be given."""
    doc: str


class SavedQuery(NamedTuple):
    """A query of the shipped library."""

    name: str
    title: str
    description: str
    parameters: list[Parameter]


class Session:
    """Open dumps, over which queries run.

    Several threads may use one session; their queries run side by side. As a context manager it
    closes its dumps at the end.
    """

    def __init__(self, native: _dumpql.NativeSession) -> None:
        self._native = native

    def sql(
        self,
        sql: str,
        /,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        memory: int | None = None,
        strict: bool | None = None,
        cancel: _dumpql.CancelToken | None = None,
        progress: Progress | None = None,
        **named: Any,
    ) -> Result:
        """Runs SQL; of a script, the result of the last statement is returned.

        Values for parameters ``$name`` are keywords, or in ``params``: None, bool, int, float, str,
        datetime (UTC if it has no time zone), date, time, bytes and timedelta.

        ``timeout`` is in seconds, ``memory`` in bytes; ``strict`` makes values that cannot be read
        an error. ``progress(rows, searched_bytes, all_bytes)`` is called about twenty times a second;
        what it raises ends the query, and so does Ctrl+C.

        >>> import dumpql
        >>> d = dumpql.sample()
        >>> d.sql("SELECT name FROM modules WHERE name = $name", name="nt").rows()
        [('nt',)]
        """
        limits = _limits(timeout, memory, strict, cancel, progress)
        return Result(self._native.sql(sql, {**(params or {}), **named}, limits))

    def query(
        self,
        name: str,
        /,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        memory: int | None = None,
        strict: bool | None = None,
        cancel: _dumpql.CancelToken | None = None,
        progress: Progress | None = None,
        **named: Any,
    ) -> Result:
        """Runs a query of the shipped library by its name, or by the debugger command that it replaces.

        >>> import dumpql
        >>> d = dumpql.sample()
        >>> len(d.query("oldest-modules", top=3))
        3
        >>> d.query("!locks").columns[:2]
        ['resource', 'symbol']
        """
        limits = _limits(timeout, memory, strict, cancel, progress)
        return Result(self._native.query(name, {**(params or {}), **named}, limits))

    @property
    def tables(self) -> list[str]:
        """The names of the tables.

        >>> import dumpql
        >>> "threads" in dumpql.sample().tables
        True
        """
        return self._native.tables()

    @property
    def queries(self) -> list[SavedQuery]:
        """The queries of the shipped library.

        >>> import dumpql
        >>> next(q.title for q in dumpql.sample().queries if q.name == "module-at")
        'What is at an address'
        """
        return [
            SavedQuery(name, title, description, [Parameter(*each) for each in parameters])
            for name, title, description, parameters in _dumpql.library()
        ]

    @property
    def sources(self) -> list[str]:
        """The names of the open dumps, as the column ``dump`` shows them."""
        return self._native.sources()

    def describe(self, table: str, /) -> Result:
        """The columns of a table, with their types and what they mean.

        >>> import dumpql
        >>> dumpql.sample().describe("modules").columns[:2]
        ['column', 'type']
        """
        return self.sql(f"DESCRIBE {_name(table)}")

    def register(
        self,
        name: str,
        data: ArrowStream | Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]],
        /,
    ) -> None:
        """Adds a table, to be joined with those of the dumps; it replaces one of the same name.

        ``data`` is a frame of polars or pandas, a table of pyarrow or a result, all of which have the
        Arrow PyCapsule interface; or a dict of columns; or a list of dicts. Rows are copied.

        >>> import dumpql
        >>> d = dumpql.sample()
        >>> d.register("owners", {"name": ["nt", "tcpip"], "team": ["kernel", "network"]})
        >>> d.sql("SELECT team FROM owners JOIN modules USING (name) ORDER BY team").rows()
        [('kernel',), ('network',)]
        """
        if hasattr(data, "__arrow_c_stream__"):
            self._native.register_stream(name, data.__arrow_c_stream__())
        elif isinstance(data, Mapping):
            columns = [(str(column), list(values)) for column, values in data.items()]
            self._native.register_columns(name, columns)
        elif isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
            names = list(dict.fromkeys(str(key) for row in data for key in row))
            rows = [(key, [row.get(key) for row in data]) for key in names]
            self._native.register_columns(name, rows)
        else:
            kind = type(data).__name__
            raise TypeError(
                f"a table is a frame, a dict of columns or a list of dicts, not {kind}"
            )

    def unregister(self, name: str, /) -> None:
        """Removes a table that ``register`` added."""
        self.sql(f"DETACH {_name(name)}")

    def close(self) -> None:
        """Closes the dumps. Results stay valid."""
        self._native.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            return f"<dumpql.Session of {', '.join(self.sources) or 'no dump'}>"
        except ValueError:
            return "<dumpql.Session, closed>"


def _limits(
    timeout: float | None,
    memory: int | None,
    strict: bool | None,
    cancel: _dumpql.CancelToken | None,
    progress: Progress | None,
) -> _dumpql._Limits:
    return {
        "timeout": timeout,
        "memory": memory,
        "strict": strict,
        "cancel": cancel,
        "progress": progress,
    }


def _name(name: str) -> str:
    """A name in SQL syntax: its parts are quoted if necessary."""
    parts = name.split(".")
    is_word = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
    return ".".join(p if is_word(p) else '"' + p.replace('"', '""') + '"' for p in parts)


def open(
    *dumps: Path | bytes | bytearray | memoryview,
    symbols: Path | Iterable[Path] = (),
    offline: bool = False,
    pool_tags: Path | None = None,
    cache: Path | None = None,
    strict: bool = False,
    memory: int | None = None,
    timeout: float | None = None,
    files: bool = False,
    urls: bool = False,
) -> Session:
    """Opens dumps and debugger logs, by their paths or their bytes. Every table covers all of them.

    ``symbols`` are folders, files and symbol paths (``srv*CACHE*URL``), whose servers are asked unless
    ``offline``; ``pool_tags`` is a ``pooltag.txt``; ``cache`` is a folder for indexes. ``memory`` (bytes),
    ``timeout`` (seconds) and ``strict`` are limits for every query. Queries may open and write files only
    with ``files=True``. With ``urls=True`` a path may be the URL of a dump on an HTTP server, of which
    only what queries need is read, and queries may attach URLs.

    >>> import dumpql
    >>> dumpql.open(dumpql.sample_bytes())
    <dumpql.Session of memory>
    """
    paths: list[str] = []
    buffers: list[tuple[str, bytes]] = []
    for dump in dumps:
        if isinstance(dump, (bytes, bytearray, memoryview)):
            name = "memory" if not buffers else f"memory{len(buffers) + 1}"
            buffers.append((name, bytes(dump)))
        else:
            paths.append(os.fspath(dump))
    folders = [symbols] if isinstance(symbols, (str, os.PathLike)) else list(symbols)
    native = _dumpql.NativeSession.open(
        paths,
        buffers,
        symbols=[os.fspath(folder) for folder in folders],
        offline=offline,
        pool_tags=None if pool_tags is None else os.fspath(pool_tags),
        cache=None if cache is None else os.fspath(cache),
        strict=strict,
        memory=memory,
        timeout=timeout,
        files=files,
        urls=urls,
    )
    return Session(native)


def sample() -> Session:
    """Opens the sample, a dump of a hung server that is built in memory.

    >>> import dumpql
    >>> dumpql.sample()
    <dumpql.Session of sample>
    """
    native = _dumpql.NativeSession.open(
        [],
        [("sample", _dumpql.sample_bytes())],
        symbols=[],
        offline=True,
        pool_tags=None,
        cache=None,
        strict=False,
        memory=None,
        timeout=None,
        files=False,
        urls=False,
    )
    return Session(native)
