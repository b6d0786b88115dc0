"""The program ``dumpql``, which the wheel contains: ``python -m dumpql`` and the command ``dumpql``."""

from __future__ import annotations

import signal
import sys

from . import _dumpql


def main() -> int:
    """Runs the program with the arguments of the process; returns its exit code."""
    # The program ends queries by Ctrl+C itself; what Python does with it would wait for the program's end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _dumpql.run_program(["dumpql", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
