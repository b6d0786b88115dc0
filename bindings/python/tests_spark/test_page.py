"""The blocks of docs/fleet.md for Spark run, in their order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import dumpql

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fleet.md"


def test_every_block_for_spark_runs(
    spark: Any, crash: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crash").symlink_to(crash)
    for line in re.findall(r"^(dumpql extract .*)$", text, re.MULTILINE):
        assert dumpql._dumpql.run_program(line.split()) == 0
    names: dict[str, Any] = {"spark": spark}
    found = list(re.finditer(r"^```python spark\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    assert len(found) >= 3
    # Spark resolves a path where the driver was started, and this process changed its folder later.
    for block in found:
        line = text[: block.start()].count("\n") + 1
        code = re.sub(r'"(crash|out)(?=[/"])', rf'"{tmp_path}/\1', block[1])
        exec(compile("\n" * line + code, str(PAGE), "exec"), names)
    shown = capsys.readouterr().out
    assert "0007.dmp" in shown and "E0401" in shown
    buckets = [row[0] for row in dumpql.open(*sorted(crash.glob("000[0-2].dmp"))).query("buckets")]
    assert len(buckets) == 3 and all(shown.count(bucket[:17]) >= 3 for bucket in buckets)
