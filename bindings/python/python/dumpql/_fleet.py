"""Many dumps, each asked by itself: which there are, what each is called, how they are divided.

It knows no engine for clusters; ``dumpql.spark`` is built on it.
"""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ._errors import Error
from ._result import Result
from ._session import Session, open as open_dumps

ENDINGS = (".dmp", ".mdmp", ".hdmp", ".kdmp")
"""Endings of dumps in folders."""
OPENING = 4 << 20
"""What opening a dump costs, in bytes that could be read instead."""


class Dump(NamedTuple):
    """A dump to be asked."""

    path: str
    name: str
    """What the column ``dump`` shows: the name of the file, or its whole path if another has that name."""
    size: int
    """Bytes; 0 for a file that is not there, which reading it will tell."""


def find(paths: Iterable[str]) -> list[Dump]:
    """The dumps of paths, patterns and folders, in their order, each once.

    A pattern or a folder gives its dumps by name. A pattern without a match is an error, as it is
    likely to be misspelt; a named file that is not there is a dump that cannot be read.
    """
    found: dict[str, str] = {}
    for given in paths:
        for path in _expanded(_local(given)):
            found.setdefault(os.path.realpath(path), path)
    uses = Counter(os.path.basename(path) for path in found.values())
    dumps = []
    for whole, path in found.items():
        short = os.path.basename(path)
        dumps.append(Dump(path, short if uses[short] == 1 else whole, _size(path)))
    return dumps


def _local(path: str) -> str:
    """The path of a file on this machine."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/", path)
    if scheme is None:
        return path
    if scheme[1].lower() != "file":
        raise ValueError(
            f"{path}: dumps are read as files; mount {scheme[1]} on every node (docs/fleet.md says how)"
        )
    return re.sub(r"^/*", "/", path[scheme.end(1) + 1 :])


def _expanded(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        for folder, folders, files in os.walk(path):
            folders.sort()
            yield from (os.path.join(folder, f) for f in sorted(files) if f.lower().endswith(ENDINGS))
    elif glob.has_magic(path) and not os.path.exists(path):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            raise FileNotFoundError(f"no file matches {path}")
        yield from (match for match in matches if not os.path.isdir(match))
    else:
        yield path


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def divide(dumps: Sequence[Dump], parts: int) -> list[list[Dump]]:
    """Up to so many parts of about the same size, in the order of the dumps.

    A part differs from the mean by no more than its largest dump, and parts follow each other, so that
    rows keep the order of the dumps however many parts there are.
    """
    whole = sum(dump.size + OPENING for dump in dumps)
    divided: dict[int, list[Dump]] = {}
    before = 0
    for dump in dumps:
        weight = dump.size + OPENING
        middle = before + weight // 2
        divided.setdefault(middle * max(parts, 1) // whole, []).append(dump)
        before += weight
    return list(divided.values())


def parts_of(dumps: Sequence[Dump], part_bytes: int) -> int:
    """How many parts of about so many bytes."""
    whole = sum(dump.size + OPENING for dump in dumps)
    return max(1, min(len(dumps), -(-whole // max(part_bytes, 1))))


@dataclass(frozen=True)
class Problem:
    """What could not be read of a dump, and why: a row of the table ``problems``."""

    dump: str
    table: str | None
    column: str | None
    code: str | None
    reason: str
    count: int


@dataclass(frozen=True)
class Question:
    """What is asked of every dump."""

    sql: str | None = None
    """SQL; None for a saved query."""
    query: str | None = None
    """The name of a saved query."""
    text: str | None = None
    """The text of a saved query that is not of the library."""
    table: str | None = None
    """The table that the SQL reads, if it reads one only; problems are told by it."""
    params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of ``dumpql.open``."""

    def run(self, session: Session) -> Result:
        if self.sql is not None:
            return session.sql(self.sql, self.params)
        return self._saved(session, describe=False)

    def fields(self, session: Session) -> list[tuple[str, str]]:
        """Names and types of the columns, for which no dump is read."""
        if self.sql is not None:
            described = session.sql(f"DESCRIBE {self.sql}", self.params)
        else:
            described = self._saved(session, describe=True)
        return [(name, kind) for name, kind, *_ in described]

    def _saved(self, session: Session, describe: bool) -> Result:
        limits: Any = dict.fromkeys(("timeout", "memory", "strict", "cancel", "progress"))
        native = session._native.query(self.query or "", dict(self.params), limits, self.text, describe)
        return Result(native)


def answers(
    dumps: Iterable[Dump], question: Question
) -> Iterator[tuple[Dump, str, Result | None, list[Problem]]]:
    """Of every dump its name as queries show it, its rows, and its problems.

    Nothing that is wrong with a dump is an error: it has no rows then, and a problem says why.
    """
    for dump in dumps:
        try:
            with open_dumps(dump.path, **question.options) as session:
                result = question.run(session)
                yield dump, session.sources[0], result, _of_result(dump, result)
        except (Error, OSError, MemoryError) as error:
            yield dump, "", None, [_of_error(dump, question.table, error)]


def _of_error(dump: Dump, table: str | None, error: Exception) -> Problem:
    """Equal defects have equal reasons: the path of the dump is left out."""
    code, reason = None, str(error)
    if isinstance(error, Error):
        code, reason = error.code, error.message
        table = None if code.startswith("E04") else table
    elif isinstance(error, OSError):
        table, reason = None, error.strerror or reason
    return Problem(dump.name, table, None, code, reason.removeprefix(f"{dump.path}: "), 1)


def _of_result(dump: Dump, result: Result) -> list[Problem]:
    absent = [Problem(dump.name, n.table, n.column, None, n.reason, n.rows) for n in result.footnotes]
    for table, because in result.unread.items():
        absent.append(Problem(dump.name, table, None, None, "; ".join(because), 1))
    return absent
