"""Two workers read a thousand dumps, one in a hundred of them damaged, and one worker is killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest
from conftest import damage, session, synthesize
from test_spark import plain

import dumpql
import dumpql.spark

DUMPS = 1000
PARTS = 50
COLUMNS = ["tid", "pid", "ethread", "process", "state", "create_time"]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("fleet") / "crash"
    synthesize(folder, DUMPS)
    for number in range(37, DUMPS, 100):
        damage(folder / f"{number:04}.dmp")
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    os.environ.setdefault("SPARK_HOME", os.path.dirname(pyspark.__file__))
    spark = session("local-cluster[2,1,1024]", tmp_path_factory.mktemp("cluster"))
    yield spark
    spark.stop()


def executors() -> list[int]:
    """The processes of this test's own workers."""
    parents: dict[int, int] = {}
    commands: dict[int, bytes] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                commands[int(entry.name)] = (entry / "cmdline").read_bytes()
            except OSError:
                continue

    def is_ours(process: int) -> bool:
        while process in parents and process != os.getpid():
            process = parents[process]
        return process == os.getpid()

    found = [p for p, line in commands.items() if b"CoarseGrainedExecutorBackend" in line and is_ours(p)]
    # A script that starts Java has the same arguments: its child is the worker.
    return sorted(p for p in found if not any(parents.get(other) == p for other in found))


class Killer(threading.Thread):
    """Kills a worker once some tasks are done and others are not."""

    def __init__(self, spark: Any) -> None:
        super().__init__(daemon=True)
        self.tracker = spark.sparkContext.statusTracker()
        self.ended = threading.Event()
        self.done_before: int | None = None
        self.killed: int | None = None

    def run(self) -> None:
        while not self.ended.is_set():
            for stage in self.tracker.getActiveStageIds():
                info = self.tracker.getStageInfo(stage)
                if info and 4 <= info.numCompletedTasks < PARTS - 10 and info.numTasks == PARTS:
                    self.done_before, self.killed = info.numCompletedTasks, executors()[0]
                    os.kill(self.killed, signal.SIGKILL)
                    return
            time.sleep(0.02)


def test_a_cluster_answers_as_one_process_does(cluster: Any, fleet: Path) -> None:
    good = [path for path in sorted(fleet.iterdir()) if int(path.stem) % 100 != 37]
    alone = dumpql.open(*good)
    frame = (
        cluster.read.format("dumpql")
        .option("table", "threads")
        .option("columns", ", ".join(COLUMNS))
        .option("partitions", PARTS)
        .load(str(fleet))
    )
    before = executors()
    assert len(before) == 2, before
    killer = Killer(cluster)
    killer.start()
    rows = plain(frame.collect())
    killer.ended.set()
    killer.join()
    assert killer.killed in before and killer.killed not in executors()
    assert killer.done_before is not None and killer.done_before < PARTS

    expected = alone.sql(f"SELECT dump, {', '.join(COLUMNS)} FROM threads").rows()
    assert len({row[0] for row in expected}) == DUMPS - DUMPS // 100
    assert rows == expected, "no row is lost or doubled, and the order is the same"

    problems = dumpql.spark.problems(str(fleet), spark=cluster, table="bugcheck", partitions=PARTS)
    unread = [row.dump for row in problems.where("code IS NOT NULL").collect()]
    assert unread == [f"{number:04}.dmp" for number in range(37, DUMPS, 100)]

    buckets = dumpql.spark.run("buckets", str(fleet), spark=cluster, partitions=PARTS)
    assert plain(buckets.collect()) == alone.query("buckets").rows()
