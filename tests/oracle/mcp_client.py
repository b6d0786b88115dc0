"""A client of `dumpql mcp` on the SDK of the protocol.

mcp_client.py PROGRAM ROOT MODE [ARGUMENT…] prints JSON.

cases DUMP…   investigates each dump by its content: opens it, looks which patterns match, runs the
              saved query of the gravest, and names what its first row names.
hostile DUMP… asks a dump whose names are hostile; returns the answers.
page FILE     runs the calls in the blocks "json call" of a page.
refused PATH… tries to open files outside, in every way there is.
cancel        cancels a query, and asks another one afterwards.
progress      asks a query that is not done in time, and collects what it is told meanwhile.
"""

import asyncio
import csv
import io
import json
import re
import sys
import time

from mcp import Client, StdioServerParameters


def text_of(result):
    return "\n".join(block.text for block in result.content)


def code_of(result):
    return (result.meta or {}).get("dumpql/code")


def rows_of(text):
    """The rows of the data blocks of an answer, each as a dictionary."""
    rows = []
    for block in re.findall(r"<data>\n(.*?)</data>", text, re.S):
        rows += csv.DictReader(io.StringIO(block))
    return rows


class Case:
    """One investigation, which counts its calls."""

    def __init__(self, client):
        self.client, self.calls = client, 0

    async def ask(self, tool, **arguments):
        self.calls += 1
        result = await self.client.call_tool(tool, arguments)
        text = text_of(result)
        if result.is_error:
            raise RuntimeError(text)
        return text


async def investigate(client, path):
    case = Case(client)
    opened = await case.ask("open", paths=[path])
    dump = re.search(r"opened (d\d+)", opened).group(1)
    overview = await case.ask("overview", dump=dump, patterns=True)
    found = re.findall(r"pattern: (.*?) \((\w+); saved query ([\w-]+)\)", overview)
    queries = [query for _, _, query in found]
    culprit = None
    if "who-waits" in queries and "high-contention" in queries:
        rows = rows_of(await case.ask("run_saved_query", name="who-waits", dump=dump, max_rows=5))
        owner = max(rows, key=lambda row: int(row["waiters"]))
        await case.ask("stack", dump=dump, thread=owner["owner"])
        sql = f"SELECT process, tid FROM threads WHERE ethread = {owner['owner']}"
        rows = rows_of(await case.ask("query", dump=dump, sql=sql))
        culprit = f"{rows[0]['process']} {rows[0]['tid']}"
    elif "irp-anomaly" in queries:
        rows = rows_of(await case.ask("run_saved_query", name="!irpfind", dump=dump, max_rows=3))
        culprit = rows[0]["driver"]
        await case.ask("run_saved_query", name="irps-by-device", dump=dump, max_rows=3)
    elif "pool-leak" in queries:
        rows = rows_of(await case.ask("run_saved_query", name="pool-leak", dump=dump, max_rows=5))
        culprit = max(rows, key=lambda row: int(row["not_freed"]))["tag"]
    return {"culprit": culprit, "calls": case.calls, "patterns": queries}


async def page(client, path):
    """Runs the calls of a page, in order."""
    calls, failures = 0, []
    for block in re.findall(r"^```json call\n(.*?)^```", open(path, encoding="utf-8").read(), re.S | re.M):
        for line in block.splitlines():
            call = json.loads(line)
            calls += 1
            result = await client.call_tool(call["tool"], call["arguments"])
            text = text_of(result)
            if code_of(result) != call.get("error") or bool(result.is_error) != ("error" in call):
                failures.append([line, code_of(result), text])
            failures += [[line, wanted, text] for wanted in call["contains"] if wanted not in text]
    return {"calls": calls, "failures": failures}


async def refused(client, paths):
    """Every way to a file, and the code of the answer; the text must not hold what the file holds."""
    await client.call_tool("open", {"sample": True})
    outcomes = []
    for path in paths:
        quoted = path.replace("'", "''")
        for sql in [
            f"ATTACH '{quoted}' AS x",
            f"FROM '{quoted}'",
            f"FROM read_csv('{quoted}')",
            f"CREATE VIEW v AS FROM read_csv('{quoted}')",
            f"COPY (SELECT 1 AS a) TO '{quoted}' (FORMAT csv)",
            f"CREATE TABLE t AS FROM read_csv('{quoted}', delim => ':')",
        ]:
            result = await client.call_tool("query", {"sql": sql})
            outcomes.append([sql, code_of(result), text_of(result)])
            for drop in ["DROP VIEW IF EXISTS v"]:
                await client.call_tool("query", {"sql": drop})
        result = await client.call_tool("open", {"paths": [path]})
        outcomes.append([f"open {path}", code_of(result), text_of(result)])
    more = await client.call_tool("query", {"sql": "SET memory_limit = '100GB'"})
    outcomes.append(["SET memory_limit", code_of(more), text_of(more)])
    return outcomes


def slow_query():
    # One recursion of so many steps takes a second or more; no limit but time ends all of them.
    parts = [f"r{i}(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r{i} WHERE n < 900000)" for i in range(40)]
    sums = " + ".join(f"(SELECT max(n) FROM r{i})" for i in range(40))
    return f"WITH RECURSIVE {', '.join(parts)} SELECT {sums}"


async def progress(client):
    await client.call_tool("open", {"sample": True})
    told = []

    async def tell(progress, total, message):
        told.append([progress, total, message])

    arguments = {"sql": slow_query(), "timeout_seconds": 3}
    late = await client.call_tool("query", arguments, progress_callback=tell)
    before = len(told)
    await client.call_tool("query", arguments | {"timeout_seconds": 1})
    return {"late": code_of(late), "told": told[:before], "untold": len(told) - before}


async def cancelled(client):
    await client.call_tool("open", {"sample": True})
    slow = slow_query()
    started = time.monotonic()
    task = asyncio.create_task(client.call_tool("query", {"sql": slow}))
    await asyncio.sleep(1.0)
    task.cancel()
    try:
        await task
        ended = False
    except asyncio.CancelledError:
        ended = True
    # Four calls run side by side: if cancelled ones went on, the fifth would never be answered.
    for _ in range(5):
        task = asyncio.create_task(client.call_tool("query", {"sql": slow}))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    answer = await client.call_tool("query", {"sql": "SELECT 42 AS answer"})
    late = await client.call_tool("query", {"sql": slow})
    return {
        "cancelled": ended,
        "answer": rows_of(text_of(answer))[0]["answer"],
        "late": code_of(late),
        "seconds": time.monotonic() - started,
    }


async def hostile(client, paths):
    answers = []
    for path in paths:
        opened = text_of(await client.call_tool("open", {"paths": [path]}))
        dump = re.search(r"opened (d\d+)", opened).group(1)
        for tool, arguments in [
            ("overview", {"patterns": True}),
            ("run_saved_query", {"name": "modules"}),
            ("run_saved_query", {"name": "modules", "format": "markdown"}),
            ("query", {"sql": "SELECT * FROM modules"}),
            ("query", {"sql": "SELECT nothing FROM modules"}),
            ("query", {"sql": "SELECT name, length(name) AS n FROM modules", "max_bytes": 200000}),
            ("query", {"sql": "SELECT * FROM 'big.csv'"}),
            ("list_tables", {}),
            ("list_open", {}),
        ]:
            result = await client.call_tool(tool, {**arguments, "dump": dump} if tool != "list_open" else arguments)
            answers.append([tool, text_of(result)])
    listed = await client.call_tool("open", {})
    answers.append(["open", text_of(listed)])
    return answers


async def everything(client):
    tools = (await client.list_tools()).tools
    prompts = (await client.list_prompts()).prompts
    resources = (await client.list_resources()).resources
    prompt = await client.get_prompt("triage_crash", {"dump": "x\u001b.dmp"})
    texts = {}
    for resource in resources:
        contents = (await client.read_resource(resource.uri)).contents
        texts[str(resource.uri)] = len(contents[0].text)
    return {
        "tools": [tool.name for tool in tools],
        "prompts": [prompt.name for prompt in prompts],
        "prompt": prompt.messages[0].content.text,
        "resources": texts,
        "instructions": client.instructions,
    }


async def main():
    program, root, write, mode, *arguments = sys.argv[1:]
    options = ["mcp", "--root", root, "--timeout", "4" if mode == "cancel" else "120"]
    if write:
        options += ["--allow-write", write]
    server = StdioServerParameters(command=program, args=options)
    async with Client(server, read_timeout_seconds=300) as client:
        if mode == "cases":
            answer = [await investigate(client, path) for path in arguments]
        elif mode == "page":
            answer = await page(client, arguments[0])
        elif mode == "refused":
            answer = await refused(client, arguments)
        elif mode == "progress":
            answer = await progress(client)
        elif mode == "cancel":
            answer = await cancelled(client)
        elif mode == "hostile":
            answer = await hostile(client, arguments)
        else:
            answer = await everything(client)
    print(json.dumps(answer))


asyncio.run(main())
