"""``dumpql mcp`` for programs that start a server of the Model Context Protocol themselves.

The wheel contains the server; the extra ``[mcp]`` is the protocol's SDK for the client.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from mcp import StdioServerParameters

Path = Union[str, "os.PathLike[str]"]


def command(*roots: Path, allow_write: Iterable[Path] = (), arguments: Iterable[str] = ()) -> list[str]:
    """The command line of a server that may open what is below ``roots``.

    >>> import dumpql.mcp
    >>> dumpql.mcp.command("/crash")[1:]
    ['-m', 'dumpql', 'mcp', '--root', '/crash']
    """
    line = [sys.executable, "-m", "dumpql", "mcp"]
    for root in roots:
        line += ["--root", os.fspath(root)]
    for folder in allow_write:
        line += ["--allow-write", os.fspath(folder)]
    return [*line, *arguments]


def parameters(*roots: Path, allow_write: Iterable[Path] = (), arguments: Iterable[str] = ()) -> StdioServerParameters:
    """The same for ``mcp.client.stdio.stdio_client``."""
    from mcp import StdioServerParameters

    program, *rest = command(*roots, allow_write=allow_write, arguments=arguments)
    return StdioServerParameters(command=program, args=rest)
