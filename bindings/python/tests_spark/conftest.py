"""Sessions of Spark, and dumps for them. DUMPQL_SYNTHESIZE is the program of the example ``synthesize``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
# Spark gives points in time as local ones.
os.environ["TZ"] = "UTC"
time.tzset()


def session(master: str, folder: Path) -> Any:
    """A session that listens on the loopback interface alone and leaves nothing behind."""
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.executor.memory": "1g",
        "spark.local.dir": str(folder),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(master).appName("dumpql")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


@pytest.fixture(scope="session")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 dumps, two of which are damaged."""
    folder: Path = tmp_path_factory.mktemp("small") / "crash"
    synthesize(folder, 24)
    for name in ("0007.dmp", "0019.dmp"):
        damage(folder / name)
    return folder


def synthesize(folder: Path, count: int) -> None:
    program = os.environ.get("DUMPQL_SYNTHESIZE")
    if program is None:
        pytest.fail("DUMPQL_SYNTHESIZE names no program that writes dumps")
    subprocess.run([program, "triage", str(count), str(folder)], check=True)


def damage(path: Path) -> None:
    """Cuts the file off within its header."""
    with path.open("r+b") as file:
        file.truncate(1000)


# One process has one session of Spark: the cluster of test_cluster.py, which comes first, has ended by then.
@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    session_ = session("local[2]", tmp_path_factory.mktemp("spark"))
    yield session_
    session_.stop()
