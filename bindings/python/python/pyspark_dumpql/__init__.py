"""Spark looks for data sources in packages whose names begin with ``pyspark_``: this one makes
``spark.read.format("dumpql")`` work without registering anything."""

from dumpql.spark import DumpSource as DefaultSource

__all__ = ["DefaultSource"]
