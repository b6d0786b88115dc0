"""Many dumps: which there are, what they are called, how they are divided, what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

import dumpql
from dumpql import _fleet
from dumpql._fleet import OPENING, Dump, Question


def test_paths_patterns_and_folders(tmp_path: Path) -> None:
    for name in ("b.dmp", "a.DMP", "notes.txt", "sub/c.mdmp", "sub/a.DMP"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 10)
    inside = lambda name: str(tmp_path / name)  # noqa: E731
    found = _fleet.find([str(tmp_path)])
    assert [dump.path for dump in found] == [inside(n) for n in ("a.DMP", "b.dmp", "sub/a.DMP", "sub/c.mdmp")]
    assert [dump.name for dump in found] == [inside("a.DMP"), "b.dmp", inside("sub/a.DMP"), "c.mdmp"]
    assert {dump.size for dump in found} == {10}
    twice = _fleet.find([inside("b.dmp"), inside("*.dmp"), f"file://{inside('b.dmp')}"])
    assert [dump.name for dump in twice] == ["b.dmp"], "each dump once"
    assert _fleet.find([inside("missing.dmp")])[0].size == 0
    with pytest.raises(FileNotFoundError, match="no file matches"):
        _fleet.find([inside("*.hdmp")])
    with pytest.raises(ValueError, match="mount s3a"):
        _fleet.find(["s3a://bucket/x.dmp"])


@pytest.mark.parametrize("parts", [1, 2, 7, 100, 5000])
def test_parts_are_balanced_and_in_order(parts: int) -> None:
    sizes = [(n * 7919) % 97 << 20 for n in range(1000)] + [3 << 30]
    dumps = [Dump(str(n), str(n), size) for n, size in enumerate(sizes)]
    divided = _fleet.divide(dumps, parts)
    assert [dump for part in divided for dump in part] == dumps and len(divided) <= parts
    mean = sum(dump.size + OPENING for dump in dumps) / parts
    for part in divided:
        weights = [dump.size + OPENING for dump in part]
        assert sum(weights) <= mean + max(weights)


def test_numbers_of_parts() -> None:
    dumps = [Dump(str(n), str(n), 1 << 20) for n in range(1000)]
    assert _fleet.parts_of(dumps, 128 << 20) == 40
    assert _fleet.parts_of(dumps[:1], 1) == 1 and _fleet.parts_of([], 1) == 1
    assert _fleet.divide([], 4) == []


def test_nothing_that_is_wrong_with_a_dump_is_an_error(dump: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.dmp"
    damaged.write_bytes(dump.read_bytes()[:900])
    dumps = _fleet.find(map(str, (damaged, tmp_path / "missing.dmp", tmp_path, dump)))
    dumps.append(Dump(str(tmp_path), "folder", 0))
    asked = Question(sql="SELECT name, create_time FROM processes", table="processes")
    answers = list(_fleet.answers(dumps, asked))
    unread = {dump.name: problems[0] for dump, _, result, problems in answers if result is None}
    assert set(unread) == {"damaged.dmp", "missing.dmp", "folder"}
    for problem in unread.values():
        assert problem.code and problem.code.startswith("E04") and problem.table is None
        assert str(tmp_path) not in problem.reason
    rows = [len(result) for _, _, result, _ in answers if result is not None]
    assert len(rows) == 1 and rows[0] > 10
    late = list(_fleet.answers(dumps[2:3], Question(sql="SELECT 1", options={"timeout": 0.0})))
    assert late[0][3] == [] or late[0][3][0].code == "E0308"


def test_what_a_question_gives_is_known_without_a_dump() -> None:
    with dumpql.open() as session:
        named = Question(query="oldest-modules", params={"top": "3"}).fields(session)
        assert named == list(zip(*[getattr(dumpql.sample().query("oldest-modules"), n) for n in ("columns", "types")]))
        asked = Question(sql="SELECT ethread, tid * 2 AS t FROM threads").fields(session)
        assert asked == [("ethread", "ADDRESS"), ("t", "INTEGER")]
        own = Question(query="own", text="-- title: Own\nSELECT pid FROM processes").fields(session)
        assert own == [("pid", "INTEGER")]
        with pytest.raises(dumpql.QueryError, match="similar names"):
            Question(sql="SELECT ethraed FROM threads").fields(session)
