"""Sessions: opening, parameters, saved queries, tables, limits, interrupts, errors."""

from __future__ import annotations

import datetime as dt
import http.server
import pickle
import signal
import threading
import time
from pathlib import Path

import pytest

import dumpql

ENDLESS = "SELECT count(*) FROM range(100000) a JOIN range(100000) b ON a.range * b.range = -1"
UTC = dt.timezone.utc


def test_dumps_are_opened_by_path_and_by_bytes(dump: Path, tmp_path: Path) -> None:
    count = "SELECT count(*) FROM modules"
    of_path, of_bytes = dumpql.open(dump), dumpql.open(bytearray(dump.read_bytes()))
    assert of_path.sql(count).rows() == of_bytes.sql(count).rows()
    assert (of_path.sources, of_bytes.sources) == (["MEMORY.DMP"], ["memory"])
    both = dumpql.open(str(dump), dump.read_bytes())
    assert both.sql("SELECT DISTINCT dump FROM modules ORDER BY 1").column("dump") == both.sources
    with pytest.raises(dumpql.SourceError) as error:
        dumpql.open(tmp_path / "none.dmp")
    assert error.value.code == "E0402"
    with pytest.raises(dumpql.SourceError) as error:
        dumpql.open(b"no dump")
    assert error.value.code == "E0401"
    with pytest.raises(dumpql.SourceError) as error:
        dumpql.open(dump, symbols=tmp_path / "none")
    assert error.value.code == "E0403"


class Ranges(http.server.BaseHTTPRequestHandler):
    """Serves ranges of one file, and counts their bytes."""

    content = b""
    served = 0

    def do_GET(self) -> None:
        first, last = (int(n) for n in self.headers["Range"].removeprefix("bytes=").split("-"))
        part = self.content[first : last + 1]
        type(self).served += len(part)
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(self.content)}")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_urls_are_read_by_ranges_where_the_program_allows_it(dump: Path) -> None:
    Ranges.content = dump.read_bytes()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/MEMORY.DMP"
        with pytest.raises(dumpql.SourceError):
            dumpql.open(url)
        assert Ranges.served == 0
        count = "SELECT count(*) FROM modules"
        d = dumpql.open(url, urls=True)
        assert d.sources == ["MEMORY.DMP"]
        assert d.sql(count).rows() == dumpql.open(dump).sql(count).rows()
        assert 0 < Ranges.served < len(Ranges.content)
        server.shutdown()


def test_parameters_have_types(d: dumpql.Session) -> None:
    noon = dt.datetime(2026, 1, 2, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    for given, got in [
        (None, None),
        (True, True),
        (-5, -5),
        (2**64 - 1, 2**64 - 1),
        (1.5, 1.5),
        ("ä'\"", "ä'\""),
        (noon, noon.astimezone(UTC)),
        (noon.replace(tzinfo=None), noon.replace(tzinfo=UTC)),
        (noon.date(), dt.date(2026, 1, 2)),
        (dt.time(12, 30, 1, 5), dt.time(12, 30, 1, 5)),
        (b"\xde\xad\x00", b"\xde\xad\x00"),
        (dt.timedelta(days=-1, microseconds=3), dt.timedelta(days=-1, microseconds=3)),
    ]:
        found = d.sql("SELECT $x AS x", x=given).rows()
        assert found == [(got,)] and type(found[0][0]) is type(got)
    assert d.sql("SELECT $timeout", {"timeout": 3}).rows() == [(3,)]
    with pytest.raises(OverflowError):
        d.sql("SELECT $x", x=2**64)
    with pytest.raises(TypeError, match="complex"):
        d.sql("SELECT $x", x=1j)
    with pytest.raises(dumpql.QueryError) as error:
        d.sql("SELECT $x")
    assert error.value.code == "E0208"


def test_times_that_no_datetime_holds_are_text(d: dumpql.Session) -> None:
    (value,) = d.sql("SELECT TIMESTAMP '9999-12-31 23:59:59' + INTERVAL '1 hour' AS t").rows()[0]
    assert isinstance(value, (str, dt.datetime))
    (value,) = d.sql("SELECT TIMESTAMP '1601-01-01 00:00:00.000001' AS t").rows()[0]
    assert value == dt.datetime(1601, 1, 1, 0, 0, 0, 1, tzinfo=UTC)


def test_saved_queries_take_values(sample: dumpql.Session) -> None:
    assert len(sample.query("oldest-modules", top=2)) == 2
    base = sample.sql("SELECT base FROM modules WHERE name = 'nt'").rows()[0][0]
    found = sample.query("module-at", address=base + 16)
    assert "nt" in str(found.rows())
    assert found.rows() == sample.query("module-at", address=hex(base + 16)).rows()
    assert sample.query("!locks").rows() == sample.query("high-contention").rows()
    with pytest.raises(dumpql.QueryError) as error:
        sample.query("module-at")
    assert error.value.code == "E0208"
    with pytest.raises(dumpql.QueryError, match="module-at") as error:
        sample.query("modul-at")
    names = {query.name for query in sample.queries}
    assert {"irp-distribution", "buckets"} <= names


def test_tables_are_listed_and_described(sample: dumpql.Session) -> None:
    assert sample.tables[0] == "dump" and "meta.tables" in sample.tables
    for table in sample.tables:
        assert len(sample.describe(table)) > 0
    with pytest.raises(dumpql.QueryError):
        sample.describe('x"; DROP')


def test_python_data_becomes_tables(d: dumpql.Session) -> None:
    noon = dt.datetime(2026, 1, 2, 12, tzinfo=UTC)
    d.register(
        "t",
        {
            "i": [1, None, -3],
            "u": [1, 2**63, None],
            "f": [1, 2.5, None],
            "s": ["a", "", None],
            "b": [True, None, False],
            "t": [noon, None, noon],
            "n": [None, None, None],
        },
    )
    result = d.sql("FROM t")
    assert result.types == [
        "INTEGER",
        "ADDRESS",
        "DOUBLE",
        "VARCHAR",
        "BOOLEAN",
        "TIMESTAMP",
        result.types[6],
    ]
    assert result.rows() == [
        (1, 1, 1.0, "a", True, noon, None),
        (None, 2**63, 2.5, "", None, None, None),
        (-3, None, None, None, False, noon, None),
    ]
    d.register("T", [{"a": 1}, {"a": 2, "b": "x"}])
    assert d.sql("FROM t").dicts() == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    d.unregister("t")
    noon = dt.datetime(2026, 1, 2, 12, tzinfo=UTC)
    d.register("times", [{"x": noon.date()}, {"x": noon}, {"x": None}])
    assert d.sql("FROM times").rows() == [(noon.replace(hour=0),), (noon,), (None,)]
    with pytest.raises(dumpql.QueryError) as error:
        d.sql("FROM t")
    assert error.value.code == "E0201"
    for bad in ({"a": [1, "x"]}, {"a": [2**63, -1]}, 5, [1]):
        with pytest.raises(TypeError):
            d.register("bad", bad)  # type: ignore[arg-type]
    with pytest.raises(dumpql.QueryError):
        d.register("bad", {"a": [1], "b": [1, 2]})


def test_an_error_has_its_parts(d: dumpql.Session) -> None:
    sql = "SELECT 'äöü', nmae FROM meta.tables"
    with pytest.raises(dumpql.QueryError) as raised:
        d.sql(sql)
    error = raised.value
    assert error.code == "E0202" and error.span is not None
    assert sql[slice(*error.span)] == "nmae"
    assert "^^^^" in str(error) and "name" in error.help[0]
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, copy.span, str(copy)) == (error.code, error.span, str(error))
    assert issubclass(dumpql.DeadlineError, TimeoutError)


def test_limits_end_queries(d: dumpql.Session) -> None:
    with pytest.raises(dumpql.DeadlineError):
        d.sql(ENDLESS, timeout=0.02)
    with pytest.raises(dumpql.DeadlineError):
        dumpql.open(timeout=0.02).sql(ENDLESS)
    with pytest.raises(dumpql.LimitError):
        d.sql("SELECT count(*) FROM (SELECT DISTINCT a.range, b.range FROM range(3000) a, range(3000) b)",
              memory=1 << 20)
    with pytest.raises(ValueError):
        d.sql("SELECT 1", timeout=-1)
    with pytest.raises(dumpql.QueryError):
        d.sql("ATTACH 'x.csv' AS x")


def test_a_token_cancels(d: dumpql.Session) -> None:
    token = dumpql.CancelToken()
    calls: list[tuple[int, int, int]] = []

    def progress(*numbers: int) -> None:
        calls.append(numbers)
        token.cancel()

    with pytest.raises(dumpql.CancelledError):
        d.sql(ENDLESS, cancel=token, progress=progress)
    assert token.is_cancelled and len(calls) >= 1
    with pytest.raises(dumpql.CancelledError):
        d.sql("SELECT count(*) FROM range(1000000)", cancel=token)


def test_what_progress_raises_ends_the_query(d: dumpql.Session) -> None:
    def progress(*_: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        d.sql(ENDLESS, progress=progress)


def test_an_interrupt_ends_the_query(d: dumpql.Session) -> None:
    main = threading.get_ident()
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        d.sql(ENDLESS)
    timer.join()
    assert d.sql("SELECT 1").rows() == [(1,)]


def test_other_threads_run_meanwhile(d: dumpql.Session) -> None:
    token, ended = dumpql.CancelToken(), []

    def query() -> None:
        try:
            d.sql(ENDLESS, cancel=token)
        except dumpql.CancelledError:
            ended.append(True)

    threads = [threading.Thread(target=query) for _ in range(3)]
    for thread in threads:
        thread.start()
    # This thread goes on, and so do queries on the same session.
    assert d.sql("SELECT 1").rows() == [(1,)]
    time.sleep(0.01)
    token.cancel()
    for thread in threads:
        thread.join()
    assert ended == [True] * 3


def test_a_closed_session_says_so(dump: Path) -> None:
    with dumpql.open(dump) as d:
        result = d.sql("SELECT name FROM modules LIMIT 1")
    assert len(result.rows()) == 1
    with pytest.raises(ValueError, match="closed"):
        d.sql("SELECT 1")
    assert repr(d) == "<dumpql.Session, closed>"
