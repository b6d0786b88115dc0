"""``%%dumpql`` in notebooks."""

from __future__ import annotations

import re
import shlex
from typing import Any

from ._result import Result
from ._session import Session

USAGE = "usage: %%dumpql [SESSION] [--into NAME]"


def run(line: str, cell: str, names: dict[str, Any]) -> Result | None:
    """Runs the SQL of a cell on a session among the notebook's names.

    Parameters ``$name`` have the values of the notebook's variables. ``--into NAME`` puts the result into
    a variable rather than showing it.
    """
    words = shlex.split(line)
    into = None
    if "--into" in words:
        at = words.index("--into")
        if at + 1 >= len(words) or not words[at + 1].isidentifier():
            raise ValueError(USAGE)
        into = words[at + 1]
        del words[at : at + 2]
    if len(words) > 1:
        raise ValueError(USAGE)
    session = _session(words[0] if words else None, names)
    wanted = set(re.findall(r"\$([A-Za-z_]\w*)", cell))
    result = session.sql(cell, {name: names[name] for name in wanted if name in names})
    if into is None:
        return result
    names[into] = result
    return None


def _session(name: str | None, names: dict[str, Any]) -> Session:
    if name is not None:
        if not isinstance(names.get(name), Session):
            raise ValueError(f"{name} is no session; {USAGE}")
        session: Session = names[name]
        return session
    found = {id(v): v for k, v in names.items() if isinstance(v, Session) and k[0] != "_"}
    if len(found) != 1:
        what = "no session" if not found else "several sessions"
        raise ValueError(f"there is {what} among the variables; {USAGE}")
    return next(iter(found.values()))


def load(ipython: Any) -> None:
    def dumpql(line: str, cell: str) -> Result | None:
        return run(line, cell, ipython.user_ns)

    ipython.register_magic_function(dumpql, "cell", "dumpql")
