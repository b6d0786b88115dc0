"""Makes the tables of TPC-H with values of its own, and asks DuckDB the queries over them.

    python tpch.py FOLDER QUERIES.sql [SCALE]

Writes a CSV file for each table into FOLDER, and answers.json: for each query of the file, which are
separated by semicolons at the end of lines, {"rows": [...]} or {"error": text}. The same values come
out each time.
"""

import csv
import datetime
import json
import pathlib
import random
import sys

import duckdb

from duckdb_diff import to_json

REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = [
    ("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4),
    ("ETHIOPIA", 0), ("FRANCE", 3), ("GERMANY", 3), ("INDIA", 2), ("INDONESIA", 2),
    ("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0),
    ("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3),
    ("SAUDI ARABIA", 4), ("VIETNAM", 2), ("RUSSIA", 3), ("UNITED KINGDOM", 3),
    ("UNITED STATES", 1),
]
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"]
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
KINDS = (
    ["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
    ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"],
    ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"],
)
CONTAINERS = (
    ["SM", "LG", "MED", "JUMBO", "WRAP"],
    ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"],
)
COLOURS = "almond azure blue brown coral cream forest green ivory lemon navy olive red white".split()
WORDS = "the of slowly final quick special ideas requests deposits accounts sleep after even Customer bold Complaints packages".split()
FIRST = datetime.date(1992, 1, 1)
LAST_ORDER = (datetime.date(1998, 8, 2) - FIRST).days
NOW = datetime.date(1995, 6, 17)


class Tables:
    def __init__(self, folder, scale):
        self.folder, self.random = folder, random.Random(7)
        self.suppliers = max(int(10_000 * scale), 20)
        self.customers = max(int(150_000 * scale), 60)
        self.parts = max(int(200_000 * scale), 80)
        self.orders = max(int(1_500_000 * scale), 600)

    def write(self, name, columns, rows):
        with open(self.folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns.split())
            writer.writerows(rows)

    def money(self, low, high):
        return f"{self.random.randint(low, high) / 100:.2f}"

    def text(self, count):
        return " ".join(self.random.choice(WORDS) for _ in range(count))

    def phone(self, nation):
        part = self.random.randint
        return f"{nation + 10}-{part(100, 999)}-{part(100, 999)}-{part(1000, 9999)}"

    def supplier_of(self, part, at):
        return (part + at * (self.suppliers // 4 + (part - 1) // self.suppliers)) % self.suppliers + 1

    def all(self):
        pick, number = self.random.choice, self.random.randint
        self.write("region", "r_regionkey r_name r_comment",
                   [(at, name, self.text(4)) for at, name in enumerate(REGIONS)])
        self.write("nation", "n_nationkey n_name n_regionkey n_comment",
                   [(at, name, of, self.text(4)) for at, (name, of) in enumerate(NATIONS)])
        suppliers = []
        for key in range(1, self.suppliers + 1):
            nation = number(0, 24)
            suppliers.append((key, f"Supplier#{key:09}", self.text(2), nation, self.phone(nation),
                              self.money(-99999, 999999), self.text(6)))
        self.write("supplier", "s_suppkey s_name s_address s_nationkey s_phone s_acctbal s_comment",
                   suppliers)
        customers = []
        for key in range(1, self.customers + 1):
            nation = number(0, 24)
            customers.append((key, f"Customer#{key:09}", self.text(2), nation, self.phone(nation),
                              self.money(-99999, 999999), pick(SEGMENTS), self.text(6)))
        self.write("customer",
                   "c_custkey c_name c_address c_nationkey c_phone c_acctbal c_mktsegment c_comment",
                   customers)
        prices, parts, offers = {}, [], []
        for key in range(1, self.parts + 1):
            prices[key] = 90000 + key % 200 * 100 + key // 10 % 20001
            maker = number(1, 5)
            parts.append((key, " ".join(self.random.sample(COLOURS, 5)), f"Manufacturer#{maker}",
                          f"Brand#{maker}{number(1, 5)}", " ".join(pick(kinds) for kinds in KINDS),
                          number(1, 50), " ".join(pick(kinds) for kinds in CONTAINERS),
                          f"{prices[key] / 100:.2f}", self.text(2)))
            for at in range(4):
                offers.append((key, self.supplier_of(key, at), number(1, 9999),
                               self.money(100, 100000), self.text(8)))
        self.write("part",
                   "p_partkey p_name p_mfgr p_brand p_type p_size p_container p_retailprice p_comment",
                   parts)
        self.write("partsupp", "ps_partkey ps_suppkey ps_availqty ps_supplycost ps_comment", offers)
        self.sales(prices)

    def sales(self, prices):
        pick, number = self.random.choice, self.random.randint
        orders, lines = [], []
        day = datetime.timedelta(days=1)
        for at in range(self.orders):
            # Only a part of the keys and of the customers is in use.
            key = at // 8 * 32 + at % 8 + 1
            customer = number(1, self.customers // 3) * 3 - number(1, 2)
            date = FIRST + number(0, LAST_ORDER) * day
            total, marks = 0, set()
            for line in range(1, number(1, 7) + 1):
                part = number(1, self.parts)
                count, discount, tax = number(1, 50), number(0, 10), number(0, 8)
                price = count * prices[part]
                shipped = date + number(1, 121) * day
                committed = date + number(30, 90) * day
                received = shipped + number(1, 30) * day
                mark = "F" if shipped <= NOW else "O"
                returned = pick("RA") if received <= NOW else "N"
                marks.add(mark)
                total += price * (100 - discount) * (100 + tax)
                lines.append((key, part, self.supplier_of(part, number(0, 3)), line, count,
                              f"{price / 100:.2f}", f"{discount / 100:.2f}", f"{tax / 100:.2f}",
                              returned, mark, shipped, committed, received, pick(INSTRUCTIONS),
                              pick(MODES), self.text(3)))
            mark = marks.pop() if len(marks) == 1 else "P"
            orders.append((key, customer, mark, f"{total / 1_000_000:.2f}", date, pick(PRIORITIES),
                           f"Clerk#{number(1, 20):09}", 0, self.text(5)))
        self.write("orders", "o_orderkey o_custkey o_orderstatus o_totalprice o_orderdate "
                   "o_orderpriority o_clerk o_shippriority o_comment", orders)
        self.write("lineitem", "l_orderkey l_partkey l_suppkey l_linenumber l_quantity "
                   "l_extendedprice l_discount l_tax l_returnflag l_linestatus l_shipdate "
                   "l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment", lines)


def main():
    folder = pathlib.Path(sys.argv[1])
    scale = float(sys.argv[3]) if len(sys.argv) > 3 else 0.01
    Tables(folder, scale).all()
    connection = duckdb.connect()
    for file in sorted(folder.glob("*.csv")):
        connection.execute(f"CREATE TABLE {file.stem} AS FROM read_csv('{file}', header = true)")
    answers = []
    with open(sys.argv[2], encoding="utf-8") as file:
        queries = [query for query in file.read().split(";\n") if query.strip()]
    for query in queries:
        try:
            rows = connection.execute(query).fetchall()
            answers.append({"rows": [[to_json(value) for value in row] for row in rows]})
        except duckdb.Error as error:
            answers.append({"error": str(error).splitlines()[0]})
    with open(folder / "answers.json", "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
