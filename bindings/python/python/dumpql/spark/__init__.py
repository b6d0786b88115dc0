"""dumps as tables of Spark 4: ``pip install 'dumpql[spark]'`` on the driver and on every node.

    import dumpql.spark

    dumpql.spark.register(spark)
    threads = spark.read.format("dumpql").option("table", "threads").load("/crash/*.dmp")
    buckets = dumpql.spark.run("buckets", "/crash/*.dmp")
    problems = dumpql.spark.problems("/crash/*.dmp")

``docs/fleet.md`` describes it.
"""

from __future__ import annotations

from ._run import problems, run
from ._source import DumpSource, register

__all__ = ["DumpSource", "problems", "register", "run"]
