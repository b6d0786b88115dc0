"""Saved queries over many dumps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Union

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

from .. import _dumpql
from .._fleet import Question
from .._session import Session, open as open_dumps
from ._source import DumpSource, saved
from ._types import ADDRESS, arrow_schema, batches, spark_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Dumps = Union[str, Iterable[str], "Mapping[str, DataFrame]"]

# A function that reaches into the dump that a row is of, with one column as its argument.
_CALL = re.compile(r"\b([A-Za-z_]\w*)\(\s*(?:[A-Za-z_]\w*\.)?([A-Za-z_]\w*)\s*,\s*(?:[A-Za-z_]\w*\.)?dump\s*\)")


def run(
    query: str,
    dumps: Dumps,
    /,
    params: Mapping[str, Any] | None = None,
    *,
    spark: SparkSession | None = None,
    **options: Any,
) -> DataFrame:
    """Runs a saved query over dumps: one of the library by its name, or a file that ends with ``.sql``.

    ``dumps`` are paths, patterns and folders; or tables of dumps by their names, such as those that
    ``dumpql extract`` wrote, each with a column ``dump``. ``options`` are those of the data source.

    A query that asks each dump by itself runs where the dump is read. One that compares dumps
    (``-- dumps: together`` in its header) gets the columns that it names of the tables that it names: they are
    read in parallel, and the query itself runs on the driver, in dumpql, so that it is the same query.
    """
    spark = spark or SparkSession.active()
    name, text = saved(query)
    known = _dumpql.saved(name, text)
    if known["of_each_dump"]:
        if isinstance(dumps, Mapping):
            raise ValueError(f"{name} asks each dump by itself: give it the dumps instead of tables")
        return _of_each(spark, query, dumps, dict(params or {}), options)
    reads = _Reads(spark, known["text"], dumps, options)
    with open_dumps() as session:
        for table in known["tables"]:
            session.register(table, reads.rows(session, table))
        question = Question(query=name, text=reads.text, params=dict(params or {}))
        result = question.run(session)
        fields = zip(result.columns, result.types)
        schema = t.StructType([t.StructField(name, spark_type(kind)) for name, kind in fields])
        arrow = arrow_schema(schema)
        rows = batches(result, arrow, {"": ""}, max(len(result), 1))
        return spark.createDataFrame(pa.Table.from_batches(rows, arrow), schema)


def problems(
    dumps: str | Iterable[str], /, *, spark: SparkSession | None = None, **options: Any
) -> DataFrame:
    """What could not be read of dumps, and why; with ``table=``, ``query=`` or ``sql=`` of what these read."""
    if not {"table", "query", "sql"} & options.keys():
        options["table"] = "problems"
    return _load(spark or SparkSession.active(), dumps, {**options, "problems": options.get("table") != "problems"})


def _of_each(
    spark: SparkSession, query: str, dumps: Any, params: dict[str, Any], options: dict[str, Any]
) -> DataFrame:
    given = {f"param.{name}": value for name, value in params.items()}
    return _load(spark, dumps, {**options, "query": query, **given})


def _load(spark: SparkSession, dumps: str | Iterable[str], options: Mapping[str, Any]) -> DataFrame:
    spark.dataSource.register(DumpSource)
    reader = spark.read.format("dumpql")
    for name, value in options.items():
        reader = reader.option(name, str(value).lower() if isinstance(value, bool) else str(value))
    return reader.load(dumps if isinstance(dumps, str) else [str(path) for path in dumps])


class _Reads:
    """What a query that compares dumps reads of each."""

    def __init__(self, spark: SparkSession, text: str, dumps: Dumps, options: Mapping[str, Any]) -> None:
        self.spark, self.dumps, self.options = spark, dumps, options
        # What reaches into a dump is computed where the dump is, as one more column of its table.
        self.calls = sorted({(call[1], call[2]) for call in _CALL.finditer(text)})
        self.text = _CALL.sub(lambda call: f'"{call[1]}({call[2]})"', text)
        code = re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", text)
        self.takes_all = re.search(r"(?:\bSELECT|,|\.)\s*\*|\bFROM\s+\w+\s*(?:;|$)", code, re.IGNORECASE) is not None
        self.words = {word.lower() for word in re.findall(r"[A-Za-z_]\w*", code)}

    def rows(self, session: Session, table: str) -> Any:
        """The rows of a table of all dumps, as Arrow data."""
        described = session.describe(table).rows()
        kinds = {name: kind for name, kind, *_ in described if name != "dump"}
        hidden = {name for name, _, _, is_hidden, _ in described if is_hidden}
        names = [n for n in kinds if n.lower() in self.words or (self.takes_all and n not in hidden)]
        calls = [(function, column) for function, column in self.calls if column in kinds]
        if isinstance(self.dumps, Mapping):
            frame = self._of_frames(self.dumps, table, names, calls).orderBy("dump")
        else:
            columns = [f'"{n}"' for n in names] + [f'{fn}("{c}") AS "{fn}({c})"' for fn, c in calls]
            sql = f"-- optional: {table}\nSELECT {', '.join(columns) or '1 AS row'} FROM {table}"
            frame = _load(self.spark, self.dumps, {**self.options, "sql": sql})
        return _native(frame)

    def _of_frames(
        self, frames: Mapping[str, DataFrame], table: str, names: list[str], calls: list[tuple[str, str]]
    ) -> DataFrame:
        if table not in frames:
            raise ValueError(f"the query reads the table {table!r}, which is not given")
        frame = frames[table]
        for function, column in calls:
            if function != "module_of" or "modules" not in frames:
                raise ValueError(
                    f"{function}({column}) reaches into the dumps: give them instead of tables"
                    + ("; or give modules, too" if function == "module_of" else "")
                )
            frame = _with_module(frame, frames["modules"], column)
        added = [f"{function}({column})" for function, column in calls]
        return frame.select("dump", *names, *(f.col(f"`{name}`") for name in added))


def _with_module(frame: DataFrame, modules: DataFrame, column: str) -> DataFrame:
    """The module that an address is in, as the function ``module_of`` tells it."""
    m = modules.select(
        f.col("dump").alias("_dump"),
        f.col("base").alias("_base"),
        f.col("end").alias("_end"),
        f.col("name").alias(f"module_of({column})"),
    )
    inside = (f.col(column) >= f.col("_base")) & (f.col(column) < f.col("_end"))
    joined = frame.join(m, (f.col("dump") == f.col("_dump")) & inside, "left")
    return joined.drop("_dump", "_base", "_end")


def _native(frame: DataFrame) -> Any:
    """Rows of Spark as dumpql takes them: addresses as unsigned numbers."""
    table = frame.toArrow()
    for place, field in enumerate(frame.schema.fields):
        column = table.column(place)
        if field.dataType == ADDRESS:
            column = column.cast(pa.uint64())
        elif isinstance(field.dataType, t.TimestampType):
            column = column.cast(pa.timestamp("us", tz="UTC"))
        table = table.set_column(place, field.name, column)
    return table
