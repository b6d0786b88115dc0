"""Answers queries with DuckDB over given rows.

Reads {"tables": [{"name", "columns": [[name, type]], "rows": [[...]]}], "queries": [...]} as JSON
from the file named first and writes one entry a query, {"types": [...], "rows": [...]} or
{"error": text}, to the file named second. Times and durations are microseconds in both directions.
"""

import datetime
import decimal
import json
import sys

import duckdb

EPOCH = datetime.datetime(1970, 1, 1)
MICRO = datetime.timedelta(microseconds=1)
TYPES = {
    "INTEGER": "BIGINT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "VARCHAR",
    "BOOLEAN": "BOOLEAN",
    "ADDRESS": "UBIGINT",
    "TIMESTAMP": "TIMESTAMP",
    "INTERVAL": "INTERVAL",
}


def to_duckdb(value, kind):
    if value is None:
        return None
    if kind == "TIMESTAMP":
        return EPOCH + value * MICRO
    if kind == "INTERVAL":
        return value * MICRO
    return value


def to_json(value):
    if isinstance(value, datetime.datetime):
        return (value.replace(tzinfo=None) - EPOCH) // MICRO
    if isinstance(value, datetime.date):
        return (datetime.datetime(value.year, value.month, value.day) - EPOCH) // MICRO
    if isinstance(value, datetime.timedelta):
        return value // MICRO
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return str(value)
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    connection = duckdb.connect()
    # Division by zero gives NULL, as it did in every DuckDB before 2.0. One thread keeps the order
    # of rows where a query leaves it open, so that `first` and LIMIT can be compared.
    for setting in ["error_on_division_by_zero=false", "ieee_floating_point_ops=false", "threads=1"]:
        try:
            connection.execute("SET " + setting)
        except duckdb.Error:
            pass
    for table in job["tables"]:
        columns = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in table["columns"])
        connection.execute(f'CREATE TABLE "{table["name"]}" ({columns})')
        kinds = [kind for _, kind in table["columns"]]
        marks = ", ".join("?" for _ in kinds)
        for row in table["rows"]:
            values = [to_duckdb(value, kind) for value, kind in zip(row, kinds)]
            connection.execute(f'INSERT INTO "{table["name"]}" VALUES ({marks})', values)
    answers = []
    for query in job["queries"]:
        try:
            cursor = connection.execute(query)
            rows = [[to_json(value) for value in row] for row in cursor.fetchall()]
            answers.append({"rows": rows})
        except duckdb.Error as error:
            answers.append({"error": str(error).splitlines()[0]})
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
