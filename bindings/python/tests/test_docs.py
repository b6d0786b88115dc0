"""The blocks of the documentation run, in their order; the notebook runs; types are right."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import dumpql

HOME = Path(__file__).resolve().parent.parent
DOCS = HOME.parent.parent / "docs"
PAGES = [DOCS / "python.md", DOCS / "embedding.md", HOME / "README.md"]


def blocks(page: Path, kind: str = "python") -> list[tuple[int, str]]:
    text = page.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [(text[: block.start()].count("\n") + 1, block[1]) for block in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "MEMORY.DMP").write_bytes(dumpql.sample_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    assert blocks(page)
    for line, block in blocks(page):
        # Errors name the line of the page.
        exec(compile("\n" * line + block, str(page), "exec"), names)


def test_polars_reads_what_was_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "crash").mkdir()
    for name in ("a.dmp", "2007.dmp"):
        (tmp_path / "crash" / name).write_bytes(dumpql.sample_bytes())
    monkeypatch.chdir(tmp_path)
    for line in re.findall(r"^(dumpql extract .*)$", (DOCS / "fleet.md").read_text(encoding="utf-8"), re.MULTILINE):
        # The command that the wheel installs.
        subprocess.run([sys.executable, "-m", *line.split()], check=True)
    found = blocks(DOCS / "fleet.md", "python polars")
    assert found
    for line, block in found:
        exec(compile("\n" * line + block, "fleet.md", "exec"), {})
    rows = dumpql.sample().sql("SELECT bucket_id FROM bugcheck").rows()
    assert rows[0][0] in capfd.readouterr().out


def test_the_command_line_is_the_program() -> None:
    command = [sys.executable, "-m", "dumpql", "--sample", "-c", "SELECT 6 * 7 AS n", "--format", "csv"]
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert (outcome.returncode, outcome.stdout) == (0, "n\n42\n")
    outcome = subprocess.run([*command[:3], "--no-such"], capture_output=True, text=True)
    assert outcome.returncode == 2 and "--no-such" in outcome.stderr


def test_docstrings_run() -> None:
    attempted = 0
    for module in pkgutil.iter_modules(dumpql.__path__, "dumpql."):
        if module.name in ("dumpql.spark", "dumpql.__main__"):
            # Needs Spark, whose tests are apart.
            continue
        outcome = doctest.testmod(importlib.import_module(module.name))
        assert outcome.failed == 0, module.name
        attempted += outcome.attempted
    attempted += doctest.testmod(dumpql).attempted
    assert attempted > 20


def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(HOME / "examples" / "sample.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3",
                            resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [str(output.get("data", output)) for cell in notebook.cells
             for output in cell.get("outputs", [])]
    assert any("dumpql" in text and "<table>" in text for text in shown)


def mypy(module: str, *arguments: str) -> None:
    environment = {**os.environ, "MYPY_CACHE_DIR": os.devnull}
    command = [sys.executable, "-m", module, *arguments]
    outcome = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_types_are_right() -> None:
    mypy("mypy", "--config-file", str(HOME / "pyproject.toml"), "-p", "dumpql")
    mypy("mypy", "--config-file", str(HOME / "pyproject.toml"), "tests/typed.py")


def test_the_stub_is_what_the_native_part_has() -> None:
    mypy("mypy.stubtest", "dumpql._dumpql", "--ignore-missing-stub")


def test_importing_imports_no_library() -> None:
    code = (
        "import sys, dumpql; loaded = {'numpy', 'pandas', 'polars', 'pyarrow', 'IPython', 'asyncio'}"
        " & set(sys.modules); assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
