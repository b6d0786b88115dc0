"""Read by mypy --strict, never run: what a typed program writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dumpql
from typing_extensions import assert_type


def program(path: Path) -> None:
    with dumpql.open(path, symbols=[path], timeout=60) as d:
        result = d.sql("SELECT $x", x=1, cancel=dumpql.CancelToken())
        assert_type(result, dumpql.Result)
        assert_type(result.rows(), list[tuple[Any, ...]])
        assert_type(result.fetchone(), "tuple[Any, ...] | None")
        assert_type(result[0], tuple[Any, ...])
        assert_type(result["x"], list[Any])
        assert_type(result.to_csv(), str)
        assert_type(result.footnotes, list[dumpql.Footnote])
        d.register("back", result)
        d.register("own", {"a": [1]})
        d.sql(1)  # type: ignore[arg-type]
    try:
        d.query("irp-distribution")
    except dumpql.Error as error:
        assert_type(error.span, "tuple[int, int] | None")
