#!/usr/bin/env python3
"""What Volatility 3 says of a dump, as JSON: an independent reader for the tests to compare with.

    volatility.py run ISF_FOLDER DUMP PLUGIN...      {plugin: [row, ...]}; a plugin that fails has null
    volatility.py isf LAYOUT SYMBOLS OUT             an ISF file from a layout file of format nt-layout-1

LAYOUT is packed JSON (types -> name -> size, fields -> name -> offset, type); SYMBOLS is JSON with the
PDB's name, GUID and age, and the offsets of symbols. ISF_FOLDER must be a copy: a file that does not
fit is deleted.
"""

import contextlib
import io
import json
import lzma
import pathlib
import sys

BASE = {
    "void": (0, False, "void"),
    "bool": (1, False, "bool"),
    "char": (1, True, "char"),
    "unsigned char": (1, False, "char"),
    "short": (2, True, "int"),
    "unsigned short": (2, False, "int"),
    "wchar": (2, False, "int"),
    "int": (4, True, "int"),
    "unsigned int": (4, False, "int"),
    "long": (4, True, "int"),
    "unsigned long": (4, False, "int"),
    "long long": (8, True, "int"),
    "unsigned long long": (8, False, "int"),
    "float": (4, True, "float"),
    "double": (8, True, "float"),
}


def convert(kind, types, enums):
    """A type of a layout file as an ISF file writes it."""
    name = kind[0]
    if name.startswith("pointer"):
        subtype = convert(kind[1], types, enums) if len(kind) > 1 else {"kind": "base", "name": "void"}
        return {"kind": "pointer", "subtype": subtype}
    if name == "array":
        return {"kind": "array", "count": kind[1], "subtype": convert(kind[2], types, enums)}
    if name == "BitField":
        bits = kind[1]
        native = bits.get("native_type", "unsigned long")
        base = {"kind": "base", "name": native if native in BASE else "unsigned long"}
        width = bits["end_bit"] - bits["start_bit"]
        return {"kind": "bitfield", "bit_position": bits["start_bit"], "bit_length": width, "type": base}
    if name == "Enumeration":
        choices = {text: int(number) for number, text in kind[1].get("choices", {}).items()}
        if not choices:
            return {"kind": "base", "name": "long"}
        enum = "enum_" + "_".join(sorted(choices))[:120]
        enums[enum] = {"base": "long", "constants": choices, "size": 4}
        return {"kind": "enum", "name": enum}
    if name in types:
        return {"kind": "struct", "name": name}
    return {"kind": "base", "name": name if name in BASE else "void"}


def isf(layout, symbols):
    """The ISF document of a layout file."""
    types, enums = layout["types"], {}
    pointer = 4 if layout["arch"] == "x86" else 8
    base = {
        name: {"endian": "little", "kind": kind, "signed": signed, "size": size}
        for name, (size, signed, kind) in BASE.items()
    }
    base["pointer"] = {"endian": "little", "kind": "int", "signed": False, "size": pointer}
    structures = {}
    for name, fact in types.items():
        fields = {
            field: {"offset": of["offset"], "type": convert(of["type"], types, enums)}
            for field, of in fact["fields"].items()
        }
        structures[name] = {"fields": fields, "kind": "struct", "size": fact["size"]}
    pdb = {"GUID": symbols["guid"], "age": symbols["age"], "database": symbols["pdb"], "machine_type": 332}
    producer = {"datetime": "2020-01-01T00:00:00", "name": "test", "version": "1.0.0"}
    return {
        "base_types": base,
        "enums": enums,
        "metadata": {"format": "6.1.0", "producer": producer, "windows": {"pdb": pdb}},
        "symbols": {name: {"address": address} for name, address in symbols["symbols"].items()},
        "user_types": structures,
    }


def rows(folder, dump, plugin):
    """The rows that a plugin prints."""
    from volatility3.cli import CommandLine

    # Its cache knows symbols by GUID alone, and so must not be shared with other folders.
    cache = pathlib.Path(folder).parent / "cache"
    cache.mkdir(exist_ok=True)
    options = ["-q", "--offline", "--cache-path", str(cache), "-r", "json", "-s", folder]
    sys.argv = ["vol", *options, "-f", dump, plugin]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            CommandLine().run()
        except SystemExit:
            pass
    text = out.getvalue()
    return json.loads(text[text.index("[") :]) if "[" in text else None


def main():
    match sys.argv[1:]:
        case ["run", folder, dump, *plugins]:
            json.dump({plugin: rows(folder, dump, plugin) for plugin in plugins}, sys.stdout)
        case ["isf", layout, symbols, out]:
            with lzma.open(layout) as file:
                document = isf(json.load(file), json.loads(pathlib.Path(symbols).read_text()))
            pathlib.Path(out).write_text(json.dumps(document))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
