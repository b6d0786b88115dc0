"""The data source: what is asked, its schema, its partitions, its rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
from pyspark.sql import types as t
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from .. import _errors
from .._fleet import Dump, Problem, Question, answers, divide, find, parts_of
from .._session import _name, open as open_dumps, sample
from ._filters import Conditions
from ._types import arrow_schema, batches, spark_type

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = 10_000
"""Rows of a batch, as many as Spark itself takes."""
PART_BYTES = 128 << 20
"""Bytes of a partition unless an option says otherwise, as for Spark's own files."""
PROBLEMS = [(name, "INTEGER" if name == "count" else "VARCHAR") for name in Problem.__dataclass_fields__]

# Option, and what its text becomes. Spark keeps the names of options in any case.
_OPTIONS: dict[str, type] = {
    "table": str,
    "sql": str,
    "query": str,
    "columns": str,
    "problems": bool,
    "path": str,
    "paths": str,
    "from": str,
    "partitions": int,
    "partitionbytes": int,
    "symbols": str,
    "offline": bool,
    "pool_tags": str,
    "cache": str,
    "memory": int,
    "timeout": float,
}
_OF_OPENING = ("symbols", "offline", "pool_tags", "cache", "memory", "timeout")


def register(spark: SparkSession) -> None:
    """Makes ``format("dumpql")`` known to a session of Spark, and lets filters be pushed down."""
    spark.dataSource.register(DumpSource)
    spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")


class DumpSource(DataSource):
    """Rows of dumps: a table, a saved query or SQL, asked of every dump by itself.

    Options: one of ``table``, ``query`` and ``sql``; ``columns`` (of a table), ``param.NAME`` (of a query);
    ``problems`` (what could not be read, instead of the rows); ``from`` (a file with a path a line);
    ``partitions`` or ``partitionBytes``; and those of ``dumpql.open``: ``symbols``, ``offline``, ``pool_tags``,
    ``cache``, ``memory``, ``timeout``.
    """

    @classmethod
    def name(cls) -> str:
        return "dumpql"

    def schema(self) -> t.StructType:
        asked = Asked(self.options)
        if asked.wants_problems:
            fields = PROBLEMS
        else:
            fields = asked.fields if "dump" in dict(asked.fields) else [("dump", "VARCHAR"), *asked.fields]
        return t.StructType([t.StructField(name, spark_type(kind)) for name, kind in fields])

    def reader(self, schema: t.StructType) -> DataSourceReader:
        return DumpReader(Asked(self.options), schema)


class Asked:
    """What the options say."""

    def __init__(self, options: Mapping[str, str]) -> None:
        given = {name.lower(): value for name, value in options.items()}
        params = {
            name.split(".", 1)[1]: value
            for name, value in options.items()
            if name.lower().startswith("param.")
        }
        unknown = [n for n in given if n not in _OPTIONS and not n.startswith("param.")]
        if unknown:
            known = ", ".join(sorted(_OPTIONS))
            raise ValueError(f"dumpql has no option {unknown[0]!r}; there are: {known}, param.NAME")
        values = {name: _value(name, text) for name, text in given.items() if name in _OPTIONS}
        what = [name for name in ("table", "sql", "query") if values.get(name)]
        if len(what) != 1:
            raise ValueError('one of the options "table", "sql" and "query" says what is asked')
        self.values = values
        self.table: str | None = values.get("table")
        self.wants_problems = values.get("problems", False) or (self.table or "").lower() == "problems"
        opening = {name: values[name] for name in _OF_OPENING if name in values}
        with open_dumps() as session:
            if self.table is not None:
                self.fields = _columns(session, self.table, values.get("columns"))
                sql = select(self.table, [name for name, _ in self.fields])
                self.question = Question(sql=sql, table=self.table, options=opening)
                return
            if values.get("columns"):
                raise ValueError('the option "columns" is for "table": a query names its columns')
            if "sql" in values:
                self.question = Question(sql=values["sql"], params=params, options=opening)
            else:
                name, text = saved(values["query"])
                self.question = Question(query=name, text=text, params=params, options=opening)
            try:
                self.fields = self.question.fields(session)
            except _errors.ExecutionError:
                # What reads structures of a dump has other columns for each; one stands for all.
                self.fields = self.question.fields(sample())
        names = [name for name, _ in self.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"columns of Spark need names of their own: {', '.join(names)}")

    def dumps(self) -> list[Dump]:
        paths: list[str] = []
        if "path" in self.values:
            paths.append(self.values["path"])
        if "paths" in self.values:
            paths.extend(json.loads(self.values["paths"]))
        if "from" in self.values:
            with open(self.values["from"], encoding="utf-8") as lines:
                paths.extend(line.rstrip("\r\n") for line in lines if line.strip())
        if not paths:
            raise ValueError('no dump is named: give load() a path, a pattern or a folder, or the option "from"')
        return find(paths)

    def parts(self, dumps: Sequence[Dump]) -> int:
        part_bytes = self.values.get("partitionbytes", PART_BYTES)
        return int(self.values.get("partitions") or parts_of(dumps, part_bytes))


def _value(name: str, text: str) -> Any:
    kind = _OPTIONS[name]
    if kind is not bool:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"the option {name!r} is a number, not {text!r}") from None
    if text.lower() not in ("true", "false"):
        raise ValueError(f"the option {name!r} is true or false, not {text!r}")
    return text.lower() == "true"


def saved(query: str) -> tuple[str, str | None]:
    """The name of a saved query, and its text if it is a file."""
    name = query.removeprefix("@")
    if name.lower().endswith(".sql"):
        with open(name, encoding="utf-8") as file:
            return os.path.basename(name)[: -len(".sql")], file.read()
    return name, None


def _columns(session: Any, table: str, wanted: str | None) -> list[tuple[str, str]]:
    """Columns of a table with their types: those that are wanted, or those that ``SELECT *`` gives."""
    described = session.describe(table).rows()
    if wanted is None:
        return [(name, kind) for name, kind, _, hidden, _ in described if not hidden]
    kinds = {name.lower(): (name, kind) for name, kind, *_ in described}
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name.lower() not in kinds:
            raise ValueError(f"{table} has no column {name!r}; it has: {', '.join(n for n, _ in kinds.values())}")
    return [kinds[name.lower()] for name in names if name.lower() != "dump"]


def select(table: str, columns: Sequence[str], conditions: Conditions | None = None) -> str:
    """SQL for columns of a table; a dump that does not have the table has no rows of it."""
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns) or "1 AS row"
    where = f" WHERE {' AND '.join(conditions.sql)}" if conditions and conditions.sql else ""
    return f"-- optional: {table}\nSELECT {names} FROM {_name(table)}{where}"


class Part(InputPartition):
    """Dumps that one task reads."""

    def __init__(self, dumps: list[Dump]) -> None:
        super().__init__(dumps)
        self.dumps = dumps


class DumpReader(DataSourceReader):
    """Reads the rows of dumps, or their problems."""

    def __init__(self, asked: Asked, schema: t.StructType) -> None:
        self.asked = asked
        self.conditions = Conditions()
        self.schema = _checked(asked, schema)
        # Spark tells a source no columns that it does not need, but a schema may be given to it.
        self.types = {"dump": "VARCHAR", **dict(asked.fields)}
        self.wanted = [f.name for f in schema.fields]

    @property
    def pushFilters(self) -> Any:  # noqa: N802, the name that Spark calls
        return _Pushed(self)

    def partitions(self) -> Sequence[InputPartition]:
        dumps = self.asked.dumps()
        parts = self.asked.parts(dumps)
        if self.asked.wants_problems or "dump" not in dict(self.asked.fields):
            dumps = [dump for dump in dumps if all(test(dump.name) for test in self.conditions.dumps)]
        return [Part(part) for part in divide(dumps, parts)] or [Part([])]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        assert isinstance(partition, Part)
        if self.asked.wants_problems:
            yield from self._problems(partition.dumps)
            return
        for dump, name, result, _ in answers(partition.dumps, self._question()):
            if result is not None:
                yield from batches(result, arrow_schema(self.schema), {name: dump.name}, ROWS)

    def _question(self) -> Question:
        """The question, narrowed to the columns and rows that Spark needs if it is for a table."""
        question = self.asked.question
        if question.table is None:
            return question
        columns = [name for name in self.wanted if name != "dump"]
        sql = select(question.table, columns, self.conditions)
        return Question(sql=sql, table=question.table, params=self.conditions.params, options=question.options)

    def _problems(self, dumps: Sequence[Dump]) -> Iterator[Any]:
        is_own = (self.asked.table or "").lower() == "problems"
        found: list[Problem] = []
        for dump, _, result, problems in answers(dumps, self.asked.question):
            if is_own and result is not None:
                for table, column, reason, count in result:
                    found.append(Problem(dump.name, table, column, None, reason, count))
            else:
                found.extend(problems)
        if found:
            schema = arrow_schema(self.schema)
            columns = [pa.array([getattr(p, f.name) for p in found], f.type) for f in schema]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _checked(asked: Asked, schema: t.StructType) -> t.StructType:
    """The schema, if the dumps have such columns: a program may have given one of its own."""
    fields = PROBLEMS if asked.wants_problems else [("dump", "VARCHAR"), *asked.fields]
    kinds = {name: spark_type(kind) for name, kind in fields}
    for field in schema.fields:
        if field.name not in kinds:
            raise ValueError(f"there is no column {field.name!r}; there are: {', '.join(kinds)}")
        if field.dataType != kinds[field.name]:
            ours, theirs = kinds[field.name].simpleString(), field.dataType.simpleString()
            raise ValueError(f"the column {field.name!r} is of the type {ours}, not {theirs}")
    return schema


class _Pushed:
    """What Spark calls with its filters.

    Spark refuses a reader that has a method for them unless the session allows pushing down, and it tells
    by ``__func__`` whether there is one. This reader works in both sessions: in one that does not allow it,
    it looks as if it had none, and is not called.
    """

    def __init__(self, reader: DumpReader) -> None:
        self.reader = reader

    @property
    def __func__(self) -> Any:
        return getattr(DataSourceReader, "pushFilters", None)

    def __call__(self, filters: Sequence[Any]) -> Sequence[Any]:
        types = self.reader.types if self.reader.asked.table else {}
        if not self.reader.asked.wants_problems:
            types = {name: kind for name, kind in types.items() if name in self.reader.wanted}
        for filter in filters:
            self.reader.conditions.add(filter, types)
        # Spark filters again.
        return filters


