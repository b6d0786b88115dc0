"""The data source in one process of Spark."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyspark.sql import functions as f

import dumpql
import dumpql.spark
from dumpql.spark import _filters, _source
from pyspark.errors import AnalysisException
from pyspark.sql import datasource

DAMAGED = ["0007.dmp", "0019.dmp"]


def good(crash: Path) -> list[Path]:
    return [path for path in sorted(crash.glob("*.dmp")) if path.name not in DAMAGED]


def plain(rows: Any) -> list[tuple[Any, ...]]:
    """Rows as dumpql gives them: addresses as integers, points in time aware."""

    def value(cell: Any) -> Any:
        if isinstance(cell, Decimal):
            return int(cell)
        return cell.replace(tzinfo=timezone.utc) if isinstance(cell, datetime) else cell

    return [tuple(value(cell) for cell in row) for row in rows]


@pytest.fixture(scope="module")
def alone(crash: Path) -> dumpql.Session:
    """The dumps in one process, without Spark."""
    return dumpql.open(*good(crash))


def load(spark: Any, path: Any, **options: Any) -> Any:
    reader = spark.read.format("dumpql")
    for name, value in options.items():
        reader = reader.option(name.replace("__", "."), value)
    return reader.load([str(p) for p in path] if isinstance(path, list) else str(path))


def test_a_table_has_the_rows_and_types_of_one_process(spark: Any, crash: Path, alone: dumpql.Session) -> None:
    frame = load(spark, f"{crash}/*.dmp", table="threads", partitions=5)
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema}
    assert (kinds["dump"], kinds["ethread"], kinds["tid"]) == ("string", "decimal(20,0)", "bigint")
    assert (kinds["create_time"], kinds["is_alertable"]) == ("timestamp", "boolean")
    columns = ["dump", *[c for c in alone.describe("threads")["column"] if c in kinds and c != "dump"]]
    assert columns == frame.columns
    expected = alone.sql(f"SELECT {', '.join(columns)} FROM threads").rows()
    assert len(expected) > 22 and any(row[1] and row[1] > 1 << 63 for row in expected)
    assert plain(frame.collect()) == expected, "in the same order, too"
    again = load(spark, crash, table="threads", partitions=2)
    assert plain(again.collect()) == expected, "whatever the partitions"


def test_a_dump_that_cannot_be_read_is_a_problem(spark: Any, crash: Path) -> None:
    missing = str(crash / "missing.dmp")
    rows = load(spark, [crash, missing], table="threads", problems="true").collect()
    unread = [(row.dump, row.code, row["count"]) for row in rows if row.code]
    assert unread == [("0007.dmp", "E0401", 1), ("0019.dmp", "E0401", 1), ("missing.dmp", "E0402", 1)]
    assert {row.reason for row in rows if row.code == "E0401"} == {rows_reason(rows)}
    assert str(crash) not in rows_reason(rows), "equal defects have equal reasons"
    assert {row.table for row in rows if not row.code} == {"threads"}
    assert dumpql.spark.problems(str(crash), spark=spark).where("code IS NOT NULL").count() == 2


def rows_reason(rows: Any) -> str:
    return next(str(row.reason) for row in rows if row.code == "E0401")


def test_a_table_that_no_dump_has_is_empty(spark: Any, crash: Path) -> None:
    assert load(spark, crash, table="irps").count() == 0
    reasons = load(spark, crash, table="irps", problems="true").where("code = 'E0301'")
    assert {row.table for row in reasons.collect()} == {"irps"} and reasons.count() == 22


def test_columns_may_be_chosen(spark: Any, crash: Path, alone: dumpql.Session) -> None:
    expected = alone.sql("SELECT dump, tid, process FROM threads").rows()
    chosen = load(spark, crash, table="threads", columns="tid, process")
    assert plain(chosen.collect()) == expected
    given = spark.read.format("dumpql").schema("process string, tid bigint").option("table", "threads")
    assert plain(given.load(str(crash)).collect()) == [(p, t) for _, t, p in expected]
    wrong = spark.read.format("dumpql").schema("tid int").option("table", "threads").load(str(crash))
    with pytest.raises(Exception, match="of the type bigint, not int"):
        wrong.collect()


def test_sql_and_saved_queries_are_asked_of_each_dump(spark: Any, crash: Path, alone: dumpql.Session) -> None:
    sql = "SELECT state, count(*) AS n, list(tid) AS tids FROM threads GROUP BY state ORDER BY state"
    rows = load(spark, crash, sql=sql).collect()
    each = [(path.name, *row) for path in good(crash) for row in dumpql.open(path).sql(sql).rows()]
    assert [(r.dump, r.state, r.n, r.tids) for r in rows] == each
    saved = load(spark, crash, query="@oldest-modules", param__top=2)
    assert saved.columns == ["dump", *dumpql.sample().query("oldest-modules").columns]
    assert saved.groupBy("dump").count().where("count = 2").count() == 22
    assert len(alone.query("oldest-modules", top=2)) == 44


def test_a_saved_query_may_be_a_file(spark: Any, crash: Path, tmp_path: Path) -> None:
    file = tmp_path / "biggest.sql"
    file.write_text("-- title: Biggest module\n-- needs: modules\n-- param: rows INTEGER = 1 -- how many\n"
                    "SELECT name, size_bytes FROM modules ORDER BY size_bytes DESC, name LIMIT $rows;\n")
    assert dumpql.spark.run(str(file), str(crash), spark=spark).count() == 22
    assert dumpql.spark.run(str(file), str(crash), {"rows": 3}, spark=spark).count() == 66
    together = tmp_path / "loaded.sql"
    together.write_text("-- title: Loaded\n-- dumps: together\n-- needs: modules\n"
                        "SELECT name, count(*) AS n FROM modules GROUP BY name ORDER BY name;\n")
    rows = dumpql.spark.run(str(together), str(crash), spark=spark).collect()
    assert rows and {row.n for row in rows} == {22}


def test_saved_queries_that_compare_dumps_answer_as_in_one_process(
    spark: Any, crash: Path, alone: dumpql.Session
) -> None:
    compared = [q.name for q in alone.queries if not dumpql._dumpql.saved(q.name)["of_each_dump"]]
    assert {"buckets", "driver-crashes", "version-spread", "overview"} <= set(compared)
    for name in compared:
        ours = dumpql.spark.run(name, str(crash), spark=spark)
        try:
            expected = alone.query(name)
        except dumpql.ExecutionError:
            # Pool tags: no triage dump has them.
            assert ours.count() == 0, name
            continue
        assert (ours.columns, plain(ours.collect())) == (expected.columns, expected.rows()), name
    assert len(alone.query("buckets")) == 3


def test_saved_queries_run_over_extracted_tables(spark: Any, crash: Path, tmp_path: Path, alone: dumpql.Session) -> None:
    line = ["dumpql", "extract", str(crash), "--tables", "bugcheck,exception,modules,dump", "-o", str(tmp_path)]
    assert dumpql._dumpql.run_program([*line, "--partition-by", "dump"]) == 0
    spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    tables = {name: spark.read.parquet(str(tmp_path / name)) for name in ("bugcheck", "exception", "modules", "dump")}
    for name in ("buckets", "driver-crashes"):
        ours = dumpql.spark.run(name, tables, spark=spark)
        assert plain(ours.collect()) == alone.query(name).rows(), name
    with pytest.raises(ValueError, match="'exception', which is not given"):
        dumpql.spark.run("buckets", {"bugcheck": tables["bugcheck"]}, spark=spark)
    with pytest.raises(ValueError, match="reaches into the dumps"):
        dumpql.spark.run("buckets", {n: tables[n] for n in ("bugcheck", "exception")}, spark=spark)
    with pytest.raises(ValueError, match="give it the dumps"):
        dumpql.spark.run("oldest-modules", tables, spark=spark)


def test_filters_narrow_what_is_read(spark: Any, crash: Path) -> None:
    frame = load(spark, crash, table="threads", partitions=4)
    where = (f.col("state") == "waiting") & (f.col("tid") > 4) & f.col("process").startswith("S")
    for condition in (where, f.col("dump") == "0003.dmp", f.col("ethread") > f.lit(Decimal(1 << 63)),
                      f.col("create_time") > f.lit("2001-01-01").cast("timestamp"), f.col("name").isNull()):
        spark.conf.set("spark.sql.python.filterPushdown.enabled", "false")
        expected = frame.where(condition).collect()
        dumpql.spark.register(spark)
        again = load(spark, crash, table="threads", partitions=4)
        assert again.where(condition).collect() == expected, condition


def test_filters_become_conditions() -> None:
    types = {"tid": "INTEGER", "ethread": "ADDRESS", "name": "VARCHAR", "share": "DOUBLE"}
    conditions = _filters.Conditions()
    for filter in (
        datasource.GreaterThan(("tid",), 4),
        datasource.Not(datasource.EqualTo(("name",), "it's")),
        datasource.In(("ethread",), (Decimal(1), Decimal(1 << 63))),
        datasource.StringStartsWith(("name",), "a%"),
        datasource.IsNull(("name",)),
        # Not expressed: Spark filters.
        datasource.EqualTo(("share",), 1.5),
        datasource.LessThan(("name",), "b"),
        datasource.EqualTo(("ethread",), Decimal("1.5")),
        datasource.EqualTo(("tid", "inner"), 1),
    ):
        conditions.add(filter, types)
    assert conditions.sql == [
        '"tid" > $pushed_0', 'NOT ("name" = $pushed_1)', '"ethread" IN ($pushed_2, $pushed_3)',
        'starts_with("name", $pushed_4)', '"name" IS NULL',
    ]
    assert list(conditions.params.values())[:5] == [4, "it's", 1, 1 << 63, "a%"]
    d = dumpql.open()
    d.register("t", {"tid": [4, 5], "ethread": [1, 1 << 63], "name": ["x", None]})
    d.sql(_source.select("t", ["tid"], conditions), conditions.params)


def test_a_filter_of_the_dump_leaves_files_alone(crash: Path) -> None:
    source = dumpql.spark.DumpSource({"table": "threads", "path": str(crash), "partitions": "4"})
    reader: Any = source.reader(source.schema())
    assert sum(len(part.dumps) for part in reader.partitions()) == 24
    filters = [datasource.In(("dump",), ("0001.dmp", "0009.dmp"))]
    assert reader.pushFilters(filters) == filters, "Spark filters again"
    assert [dump.name for part in reader.partitions() for dump in part.dumps] == ["0001.dmp", "0009.dmp"]


def test_mistakes_are_told_when_the_frame_is_made(spark: Any, crash: Path) -> None:
    for options, message in (
        ({}, 'one of the options "table", "sql" and "query"'),
        ({"table": "threads", "sql": "SELECT 1"}, "one of the options"),
        ({"table": "thread"}, "no table `thread`"),
        ({"table": "threads", "columns": "tid, x"}, "no column 'x'"),
        ({"sql": "SELECT nmae FROM modules"}, "similar names: name"),
        ({"sql": "SELECT 1 AS a, 2 AS a"}, "names of their own"),
        ({"query": "@no-such"}, "no query `no-such`"),
        ({"table": "threads", "partition": "3"}, "no option 'partition'"),
        ({"table": "threads", "partitions": "many"}, "is a number"),
    ):
        with pytest.raises(AnalysisException, match=re.escape(message)):
            load(spark, crash, **options)
    for path, message in (("s3://bucket/x.dmp", "mount s3"), (f"{crash}/*.nothing", "no file matches")):
        with pytest.raises(Exception, match=re.escape(message)):
            load(spark, path, table="threads").collect()


def test_files_of_one_name_are_told_apart(spark: Any, crash: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "MEMORY.DMP").write_bytes((crash / "0001.dmp").read_bytes())
    names = [str(tmp_path / folder / "MEMORY.DMP") for folder in ("a", "b")]
    for options in ({"table": "bugcheck"}, {"sql": "SELECT dump, code FROM bugcheck"}):
        assert [row.dump for row in load(spark, tmp_path, **options).collect()] == names


def test_rows_leave_as_batches(crash: Path) -> None:
    source = dumpql.spark.DumpSource({"table": "modules", "path": str(crash), "partitions": "2"})
    reader: Any = source.reader(source.schema())
    batches = [batch for part in reader.partitions() for batch in reader.read(part)]
    assert len(batches) == 22 and all(isinstance(batch, pyarrow.RecordBatch) for batch in batches)
    assert str(batches[0].schema.field("base").type) == "decimal128(20, 0)"


def test_text_of_addresses(spark: Any, crash: Path) -> None:
    frame = load(spark, crash, table="bugcheck", columns="ethread").where("ethread IS NOT NULL").limit(1)
    shown = frame.select("ethread", f.expr("concat('0x', lower(conv(ethread, 10, 16)))").alias("text")).collect()[0]
    assert shown.text == hex(int(shown.ethread)) and int(shown.ethread) > 1 << 63
