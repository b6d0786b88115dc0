"""SQL over Windows crash dumps.

>>> import dumpql
>>> d = dumpql.sample()
>>> d.sql("SELECT count(*) AS modules FROM modules").fetchone()[0] > 10
True
"""

from __future__ import annotations

from typing import Any

from ._dumpql import CancelToken, __version__, sample_bytes
from ._errors import (
    CancelledError,
    DeadlineError,
    Error,
    ExecutionError,
    InternalError,
    LimitError,
    QueryError,
    SourceError,
)
from ._result import Footnote, Result
from ._session import ArrowStream, Parameter, SavedQuery, Session, open, sample

__all__ = [
    "ArrowStream",
    "CancelToken",
    "CancelledError",
    "DeadlineError",
    "Error",
    "ExecutionError",
    "Footnote",
    "InternalError",
    "LimitError",
    "Parameter",
    "QueryError",
    "Result",
    "SavedQuery",
    "Session",
    "SourceError",
    "__version__",
    "open",
    "sample",
    "sample_bytes",
]


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext dumpql`` adds the cell magic ``%%dumpql``."""
    from . import _magic

    _magic.load(ipython)
