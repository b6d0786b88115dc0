"""Filters of Spark as conditions of SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

# Numbers are compared in the same way by both. Texts are pushed down for equality and their parts alone,
# whatever order a session of Spark sorts them in; floating-point numbers are not, as NaN differs.
_ORDERED = {"ADDRESS", "INTEGER", "TIMESTAMP"}
_EQUAL = {*_ORDERED, "VARCHAR", "BOOLEAN"}
_COMPARED = {
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
}
_PARTS = {"StringStartsWith": "starts_with", "StringEndsWith": "ends_with", "StringContains": "contains"}


class Conditions:
    """Conditions that narrow what is read. Spark filters again, so that one that is left out costs
    time and never changes the rows."""

    def __init__(self) -> None:
        self.sql: list[str] = []
        self.params: dict[str, Any] = {}
        self.dumps: list[Callable[[str], bool]] = []
        """What the name of a dump has to fulfil."""

    def add(self, filter: Any, types: dict[str, str]) -> None:
        """Adds a filter if it can be expressed."""
        path = _attribute(filter)
        if path is None or len(path) != 1:
            return
        name = path[0]
        if name == "dump":
            test = _of_name(filter)
            if test is not None:
                self.dumps.append(test)
        elif name in types:
            sql = self._sql(filter, '"' + name.replace('"', '""') + '"', types[name])
            if sql is not None:
                self.sql.append(sql)

    def _sql(self, filter: Any, column: str, kind: str) -> str | None:
        what = type(filter).__name__
        if what == "Not":
            inner = self._sql(filter.child, column, kind)
            return None if inner is None else f"NOT ({inner})"
        if what in ("IsNull", "IsNotNull"):
            return f"{column} IS {'NOT ' if what == 'IsNotNull' else ''}NULL"
        if what in ("EqualTo", "EqualNullSafe") and kind in _EQUAL:
            value = self._value(filter.value, kind)
            operator = "=" if what == "EqualTo" else "IS NOT DISTINCT FROM"
            return None if value is None else f"{column} {operator} {value}"
        if what in _COMPARED and kind in _ORDERED:
            value = self._value(filter.value, kind)
            return None if value is None else f"{column} {_COMPARED[what]} {value}"
        if what == "In" and kind in _EQUAL and filter.value:
            values = [self._value(each, kind) for each in filter.value]
            return None if None in values else f"{column} IN ({', '.join(map(str, values))})"
        if what in _PARTS and kind == "VARCHAR":
            return f"{_PARTS[what]}({column}, {self._value(filter.value, kind)})"
        return None

    def _value(self, value: Any, kind: str) -> str | None:
        """The parameter for a value; None if the type of the column does not hold it exactly."""
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        fits = {
            "ADDRESS": isinstance(value, int) and 0 <= value < 1 << 64,
            "INTEGER": isinstance(value, int) and -(1 << 63) <= value < 1 << 63,
            "TIMESTAMP": isinstance(value, datetime) and value.tzinfo is not None,
            "VARCHAR": isinstance(value, str),
            "BOOLEAN": isinstance(value, bool),
        }
        if not fits.get(kind) or (isinstance(value, bool) and kind != "BOOLEAN"):
            return None
        name = f"pushed_{len(self.params)}"
        self.params[name] = value
        return f"${name}"


def _attribute(filter: Any) -> Any:
    return _attribute(filter.child) if type(filter).__name__ == "Not" else filter.attribute


def _of_name(filter: Any) -> Callable[[str], bool] | None:
    """What a filter of the column ``dump`` says of a name."""
    what = type(filter).__name__
    if what == "Not":
        inner = _of_name(filter.child)
        return None if inner is None else lambda name: not inner(name)
    tests: dict[str, Callable[[str], bool]] = {
        "EqualTo": lambda name: name == filter.value,
        "EqualNullSafe": lambda name: name == filter.value,
        "In": lambda name: name in filter.value,
        "IsNull": lambda name: False,
        "IsNotNull": lambda name: True,
        "StringStartsWith": lambda name: name.startswith(filter.value),
        "StringEndsWith": lambda name: name.endswith(filter.value),
        "StringContains": lambda name: filter.value in name,
    }
    return tests.get(what)
