"""The exceptions that queries and dumps raise."""

from __future__ import annotations


class Error(Exception):
    """What is wrong, with a stable code.

    ``str(error)`` is the text with carets below the position in the query.

    >>> import dumpql
    >>> try:
    ...     dumpql.sample().sql("SELECT nmae FROM modules")
    ... except dumpql.Error as error:
    ...     print(error.code, error.span, error.help[0])
    E0202 (7, 11) similar names: name
    """

    code: str
    """The code, such as ``E0202``. Codes never change their meaning."""
    message: str
    """What is wrong, in one line."""
    span: tuple[int, int] | None
    """The position in the query: the first character, and the one after the last."""
    help: list[str]
    """Lines of help, such as a correction, similar names or the existing names."""

    def __init__(
        self,
        text: str,
        code: str = "",
        message: str = "",
        span: tuple[int, int] | None = None,
        help: list[str] | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.message = message or text
        self.span = span
        self.help = help or []

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (str(self), self.code, self.message, self.span, self.help))


class QueryError(Error):
    """The query is wrong: its syntax, its names or its types (``E01…``, ``E02…``)."""


class ExecutionError(Error):
    """The query failed while it ran (``E03…``)."""


class CancelledError(ExecutionError):
    """The query was cancelled (``E0306``)."""


class LimitError(ExecutionError):
    """The query exceeds a limit on rows or memory (``E0307``)."""


class DeadlineError(ExecutionError, TimeoutError):
    """The query exceeded its time limit (``E0308``)."""


class SourceError(Error):
    """A dump or its symbols cannot be read (``E04…``)."""


class InternalError(Error):
    """A defect of dumpql (``E09…``)."""


_BY_CODE: dict[str, type[Error]] = {
    "E0306": CancelledError,
    "E0307": LimitError,
    "E0308": DeadlineError,
    "E01": QueryError,
    "E02": QueryError,
    "E03": ExecutionError,
    "E04": SourceError,
    "E09": InternalError,
}


def _of(
    code: str, message: str, text: str, span: tuple[int, int] | None, help: list[str]
) -> Error:
    kind = _BY_CODE.get(code) or _BY_CODE.get(code[:3]) or Error
    return kind(text, code, message, span, help)
