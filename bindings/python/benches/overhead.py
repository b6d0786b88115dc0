"""The overhead of Python: converting a large result to a frame of polars, compared with the query alone, and importing.

    python bindings/python/benches/overhead.py [ROWS]

The query alone runs in the same library, and no row becomes a Python object. Figures are medians of several
runs, in processor time, so that other load on the machine matters little; the ratios hold for any build
profile.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

RUNS = 9


def median(run: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def importing() -> float:
    code = "import time; s = time.process_time(); import dumpql; print(time.process_time() - s)"
    command = [sys.executable, "-c", code]
    times = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
    return statistics.median(times)


def main() -> None:
    import polars

    import dumpql

    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    d = dumpql.open()
    numbers = range(rows)
    d.register(
        "many",
        polars.DataFrame(
            {
                "thread": polars.Series(numbers, dtype=polars.UInt64),
                "tid": polars.Series(numbers, dtype=polars.Int64),
                "process": [f"process{n % 50}.exe" for n in numbers],
                "state": ["waiting" if n % 3 else "ready" for n in numbers],
                "wait_ms": polars.Series(numbers, dtype=polars.Int64),
            }
        ),
    )
    for sql in (
        "SELECT * FROM many ORDER BY wait_ms DESC",
        "SELECT *, tid * 4 AS id, upper(process) AS name FROM many WHERE wait_ms >= 0",
    ):
        query, frame = median(lambda: d.sql(sql)), median(lambda: d.sql(sql).pl())
        print(f"{rows} rows, {sql}")
        print(f"  query {query * 1e3:.1f} ms, with polars frame {frame * 1e3:.1f} ms: {frame / query:.3f}")
    sample = dumpql.sample()
    query = median(lambda: sample.sql("SELECT * FROM threads"))
    frame = median(lambda: sample.sql("SELECT * FROM threads").pl())
    print(f"threads of the sample: query {query * 1e3:.1f} ms, with frame {frame * 1e3:.1f} ms: {frame / query:.3f}")
    small = median(lambda: d.sql("SELECT 1"))
    print(f"the smallest query: {small * 1e6:.0f} µs")
    print(f"importing: {importing() * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
