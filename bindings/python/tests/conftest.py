"""What tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import dumpql


@pytest.fixture(scope="session")
def sample() -> dumpql.Session:
    """The sample, to which no test adds anything."""
    return dumpql.sample()


@pytest.fixture
def d() -> dumpql.Session:
    """A session of the test's own, without a dump."""
    return dumpql.open()


@pytest.fixture(scope="session")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of a dump."""
    path = tmp_path_factory.mktemp("dumps") / "MEMORY.DMP"
    path.write_bytes(dumpql.sample_bytes())
    yield path
