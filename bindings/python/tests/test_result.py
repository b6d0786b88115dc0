"""Results: rows, Arrow, frames, files, notebooks."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

import dumpql
from dumpql import _magic

TYPES = """SELECT * FROM (VALUES
    (1, 0xffff800000000000::ADDRESS, 1.5, 'a', true, TIMESTAMP '2026-01-02 03:04:05.000006', INTERVAL '90 s'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS t(i, a, f, s, b, t, d)"""
AT = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone.utc)
ROW = (1, 0xFFFF800000000000, 1.5, "a", True, AT, dt.timedelta(seconds=90))
NULLS = (None,) * 7


def test_rows_and_columns(d: dumpql.Session) -> None:
    result = d.sql(TYPES)
    assert result.rows() == list(result) == [ROW, NULLS]
    assert result.types == "INTEGER ADDRESS DOUBLE VARCHAR BOOLEAN TIMESTAMP INTERVAL".split()
    assert result[0] == ROW and result[-1] == NULLS and result[1:] == [NULLS]
    assert result[::-1] == [NULLS, ROW] and result["A"] == [ROW[1], None] == result.column(1)
    assert result.fetchone() == ROW and result.fetchmany(5) == [NULLS]
    assert result.fetchone() is None and result.fetchall() == []
    assert result.text(0, 1) == "0xffff800000000000" and result.text(1, 1) is None
    with pytest.raises(IndexError):
        result[2]
    with pytest.raises(KeyError):
        result["none"]
    many = d.sql("SELECT range FROM range(2500)")
    assert [n for (n,) in many] == list(range(2500))
    assert len(d.sql("CREATE VIEW v AS SELECT 1").columns) == 0


def test_arrow_readers_see_the_same_rows(d: dumpql.Session) -> None:
    result = d.sql(TYPES)
    table = pyarrow.table(result)
    assert [tuple(row.values()) for row in table.to_pylist()] == [ROW, NULLS]
    assert pyarrow.schema(result) == table.schema
    assert result.pl().rows() == [ROW, NULLS]
    frame = result.df()
    assert frame["a"][0] == ROW[1] and frame["t"][0] == pandas.Timestamp(AT)
    sums = duckdb.sql("SELECT sum(i), max(a), max(t) AT TIME ZONE 'UTC' FROM result").fetchall()
    assert sums == [(1, ROW[1], AT.replace(tzinfo=None))]
    assert duckdb.sql("FROM result").fetchall()[1] == NULLS
    empty = d.sql("SELECT 1 AS x, 'a' AS y WHERE false")
    assert pyarrow.table(empty).num_rows == 0 and empty.pl().columns == ["x", "y"]
    twice = d.sql("SELECT 1 AS x, 2 AS x")
    assert twice.columns == ["x", "x"] and twice.pl().columns == ["x", "x_1"]


def test_arrow_data_becomes_tables(d: dumpql.Session) -> None:
    d.register("back", d.sql(TYPES))
    assert d.sql("FROM back").rows() == [ROW, NULLS]
    days = [dt.date(2026, 1, 2), None]
    table = pyarrow.table(
        {
            "small": pyarrow.array([-1, None], pyarrow.int8()),
            "word": pyarrow.array(["x", None], pyarrow.string()),
            "coded": pyarrow.array(["x", None]).dictionary_encode(),
            "day": pyarrow.array(days, pyarrow.date32()),
            "ns": pyarrow.array([-1, None], pyarrow.timestamp("ns")),
            "s": pyarrow.array([1, None], pyarrow.timestamp("s", "Europe/Berlin")),
            "real": pyarrow.array([0.5, None], pyarrow.float32()),
            "none": pyarrow.nulls(2),
        }
    )
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    second, tick = dt.timedelta(seconds=1), dt.timedelta(microseconds=1)
    day = dt.date(2026, 1, 2)
    rows = [(-1, "x", "x", day, epoch - tick, epoch + second, 0.5, None), (None,) * 8]
    d.register("t", table)
    assert d.sql("FROM t").rows() == rows
    d.register("t", pyarrow.concat_tables([table, table]))
    assert d.sql("FROM t").rows() == rows + rows
    d.register("t", table.slice(1))
    assert d.sql("FROM t").rows() == rows[1:]
    d.register("p", polars.DataFrame({"k": ["a", "b"], "c": ["x", "y"]}).cast({"c": polars.Categorical}))
    assert d.sql("FROM p").rows() == [("a", "x"), ("b", "y")]
    d.register("q", pandas.DataFrame({"k": ["a", None], "n": [1, 2]}))
    assert d.sql("FROM q").rows() == [("a", 1), (None, 2)]
    d.register("e", pyarrow.table({"x": pyarrow.array(["1.50", None]).cast(pyarrow.decimal128(9, 2))}))
    assert d.sql("FROM e").rows() == [(Decimal("1.50"),), (None,)]
    assert d.sql("FROM e").arrow().column(0).to_pylist() == [Decimal("1.50"), None]
    for bad in (pyarrow.array([[1]]), pyarrow.array([{"y": 1}])):
        with pytest.raises(dumpql.QueryError, match="cast the column"):
            d.register("bad", pyarrow.table({"x": bad}))
    with pytest.raises(dumpql.ExecutionError):
        far = pyarrow.array([2**60], pyarrow.timestamp("s"))
        d.register("bad", pyarrow.table({"x": far}))


def test_a_stream_that_fails_says_why(d: dumpql.Session) -> None:
    def batches() -> object:
        yield pyarrow.record_batch({"x": [1]})
        raise RuntimeError("the disk is gone")

    schema = pyarrow.schema([("x", pyarrow.int64())])
    reader = pyarrow.RecordBatchReader.from_batches(schema, batches())
    with pytest.raises(ValueError, match="the disk is gone"):
        d.register("t", reader)


def test_files(d: dumpql.Session, tmp_path: Path) -> None:
    result = d.sql("SELECT 1 AS n, 0xff::ADDRESS AS a, '=1+1' AS s")
    assert result.to_csv().splitlines()[0] == "n,a,s"
    assert "'=1+1" in result.to_csv(excel=True)
    result.to_csv(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == result.to_csv()
    result.to_excel(tmp_path / "x.xlsx", title="Facts")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    values = [cell for sheet in book for row in sheet.values for cell in row]
    assert "=1+1" in [str(value).lstrip("'") for value in values]
    result.to_parquet(tmp_path / "x.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "x.parquet").to_pylist()[0]["a"] == 255
    assert json.loads(result.to_json() or "")[0]["n"] == 1
    result.write(tmp_path / "x.md")
    assert (tmp_path / "x.md").read_text() == result.to_markdown()
    with pytest.raises(ValueError):
        result.write(tmp_path / "x.unknown")
    with pytest.raises(OSError):
        result.to_csv(tmp_path / "none" / "x.csv")


def test_an_open_dump_is_not_written_to(dump: Path) -> None:
    before = dump.read_bytes()
    d = dumpql.open(dump)
    with pytest.raises(PermissionError):
        d.sql("SELECT 1").to_csv(dump)
    assert dump.read_bytes() == before


def test_notebooks_show_what_dumps_hold_as_text(sample: dumpql.Session) -> None:
    hostile = "<script>alert(1)</script>\x1b[2J\u202e"
    page = sample.sql("SELECT $x AS \"<b>\", 0x10::ADDRESS AS a, NULL AS n", x=hostile)._repr_html_()
    assert "<script>" not in page and "<b>" not in page and "\x1b" not in page and "\u202e" not in page
    assert "0x00000010" in page and ">NULL<" in page and "1 row<" in page
    shown = repr(sample.sql("SELECT range FROM range(100)"))
    assert "100 rows, 20 shown" in shown and len(shown.splitlines()) == 23
    assert "\x1b" not in repr(sample.sql("SELECT $x AS x", x=hostile))


def test_absent_values_have_footnotes(sample: dumpql.Session) -> None:
    tables = [t for t in sample.tables if "." not in t]
    notes = []
    for table in tables:
        try:
            result = sample.sql(f"SELECT * FROM {table} LIMIT 100")
        except dumpql.ExecutionError:
            continue
        notes += result.footnotes
        for note in result.footnotes:
            nulls = result.column(note.column).count(None)
            assert nulls >= 1, note
            assert str(note) in result._repr_html_()
            assert "NULL<sup>*</sup>" in result._repr_html_() or nulls == 0
    assert notes, "no table of the sample has an absent value"


def test_the_magic_runs_cells() -> None:
    d = dumpql.open()
    names = {"d": d, "least": 3, "other": 5}
    result = _magic.run("d", "SELECT $least + 1 AS n", names)
    assert result is not None and result.rows() == [(4,)]
    assert _magic.run("", "SELECT 1", names) is not None
    assert _magic.run("--into x", "SELECT 2 AS n", names) is None
    found = names["x"]
    assert isinstance(found, dumpql.Result) and found.rows() == [(2,)]
    for line in ("none", "other", "d d", "--into", "--into 1"):
        with pytest.raises(ValueError, match=re.escape("%%dumpql")):
            _magic.run(line, "SELECT 1", names)
    with pytest.raises(ValueError, match="several"):
        _magic.run("", "SELECT 1", {"a": d, "b": dumpql.open()})
