"""Types of dumpql as types of Spark, and columns of results as columns of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
from pyspark.sql import types as t

if TYPE_CHECKING:
    from .._result import Result

# Spark has no unsigned integers. An address of the kernel is beyond the largest signed number of 64 bits,
# and as a negative number it would sort and compare wrongly; so it is a decimal number of 20 digits, which
# is also what Spark reads from unsigned columns of Parquet files.
ADDRESS = t.DecimalType(20, 0)

_TYPES: dict[str, t.DataType] = {
    "ADDRESS": ADDRESS,
    "BOOLEAN": t.BooleanType(),
    "DOUBLE": t.DoubleType(),
    "INTEGER": t.LongType(),
    "INTERVAL": t.DayTimeIntervalType(),
    "TIMESTAMP": t.TimestampType(),
    "VARCHAR": t.StringType(),
}

_ARROW: dict[t.DataType, Any] = {
    ADDRESS: pa.decimal128(20, 0),
    t.BooleanType(): pa.bool_(),
    t.DoubleType(): pa.float64(),
    t.LongType(): pa.int64(),
    t.DayTimeIntervalType(): pa.duration("us"),
    t.TimestampType(): pa.timestamp("us", tz="UTC"),
    t.StringType(): pa.string(),
}


def spark_type(kind: str) -> t.DataType:
    """The type for a type of dumpql. Lists, structures and what is NULL alone are text."""
    return _TYPES.get(kind, _TYPES["VARCHAR"])


def arrow_schema(schema: t.StructType) -> Any:
    """The schema of the batches that Spark expects."""
    return pa.schema([pa.field(f.name, _ARROW[f.dataType], f.nullable) for f in schema.fields])


def batches(result: Result, schema: Any, names: dict[str, str], size: int) -> list[Any]:
    """The rows of a result as batches. ``names`` is what the names of the dump are replaced by."""
    rows = len(result)
    table = result.arrow()
    (name,) = names.values()
    columns = []
    for field in schema:
        place = table.schema.get_field_index(field.name)
        if place < 0:
            column = pa.repeat(pa.scalar(name, pa.string()), rows)
        else:
            column = _column(result, table.column(place), place, field.type)
            if field.name == "dump" and field.type == pa.string():
                column = _renamed(column, names)
        columns.append(column)
    whole = pa.table(columns, schema=schema)
    batches: list[Any] = whole.combine_chunks().to_batches(max_chunksize=size)
    return batches


def _column(result: Result, column: Any, place: int, kind: Any) -> Any:
    if pa.types.is_nested(column.type):
        return pa.array([result.text(row, place) for row in range(len(result))], kind)
    return column.cast(kind)


def _renamed(column: Any, names: dict[str, str]) -> Any:
    """A column ``dump`` of the query itself: two files of one name are told apart."""
    if all(old == new for old, new in names.items()):
        return column
    return pa.chunked_array([pa.array([names.get(v, v) for v in column.to_pylist()], pa.string())])
