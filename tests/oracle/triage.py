#!/usr/bin/env python3
"""Reads Windows kernel triage dumps and prints what they hold as JSON: `triage.py FILE...`.

A second reader, to judge the first: written from published structures (DUMP_HEADER32/64,
TRIAGE_DUMP32/64, KDDEBUGGER_DATA64, CONTEXT) with nothing but `struct`. It reads well-formed dumps
and fails on others. One JSON object a line, in the order of the files; addresses are numbers.
"""

import json
import struct
import sys

MACHINES = {0x14C: "x86", 0x8664: "x64", 0xAA64: "arm64"}

# Offsets in the header by width of a pointer: 64-bit, 32-bit.
HEADER = {
    "dtb": (0x10, 0x10),
    "module_list": (0x20, 0x18),
    "process_head": (0x28, 0x1C),
    "machine": (0x30, 0x20),
    "processors": (0x34, 0x24),
    "bugcheck": (0x38, 0x28),
    "parameters": (0x40, 0x2C),
    "debugger_data": (0x80, 0x60),
    "comment": (0xFB0, 0x820),
    "dump_type": (0xF98, 0xF88),
    "system_time": (0xFA8, 0xFC0),
    "uptime": (0x1030, 0xFB8),
    "triage": (0x2000, 0x1000),
}

TRIAGE = """
service_pack_build size_of_dump valid context exception mm unloaded prcb process thread call_stack
call_stack_size driver_list driver_count string_pool string_pool_size broken_driver options
""".split()

REGISTERS = {
    "x64": {
        "contextflags": (0x30, "I"), "mxcsr": (0x34, "I"),
        **{name: (0x38 + 2 * i, "H") for i, name in enumerate("cs ds es fs gs ss".split())},
        "eflags": (0x44, "I"),
        **{name: (0x48 + 8 * i, "Q") for i, name in enumerate(
            "dr0 dr1 dr2 dr3 dr6 dr7 rax rcx rdx rbx rsp rbp rsi rdi "
            "r8 r9 r10 r11 r12 r13 r14 r15 rip".split())},
    },
    "x86": {
        **{name: (4 * i, "I") for i, name in enumerate(
            "contextflags dr0 dr1 dr2 dr3 dr6 dr7".split())},
        **{name: (0x8C + 4 * i, "I") for i, name in enumerate(
            "gs fs es ds edi esi ebx edx ecx eax ebp eip cs eflags esp ss".split())},
    },
    "arm64": {
        "contextflags": (0, "I"), "cpsr": (4, "I"),
        **{f"x{i}": (8 + 8 * i, "Q") for i in range(29)},
        "fp": (0xF0, "Q"), "lr": (0xF8, "Q"), "sp": (0x100, "Q"), "pc": (0x108, "Q"),
    },
}


class Dump:
    def __init__(self, data):
        self.data = data
        signature = data[:8]
        if signature not in (b"PAGEDU64", b"PAGEDUMP"):
            raise SystemExit(f"found {signature!r}, expected a kernel dump")
        self.wide = signature == b"PAGEDU64"
        self.width = 8 if self.wide else 4
        self.blocks = []

    def at(self, offset, form):
        return struct.unpack_from("<" + form, self.data, offset)[0]

    def pointer(self, offset):
        return self.at(offset, "Q" if self.wide else "I")

    def header(self, name):
        return HEADER[name][0 if self.wide else 1]

    def memory(self, address, size):
        """Bytes at a virtual address, out of the data blocks; None if no block holds all."""
        for start, offset, length in self.blocks:
            if start <= address and address + size <= start + length:
                begin = offset + address - start
                return self.data[begin : begin + size]
        return None

    def string(self, offset):
        count = self.at(offset, "I")
        return self.data[offset + 4 : offset + 4 + 2 * count].decode("utf-16-le", "replace")

    def drivers(self, first, count):
        size, places = (0x90, (0x38, 0x48, 0x80, 0x88)) if self.wide else (0x4C, (0x1C, 0x24, 0x44, 0x48))
        for entry in range(first, first + size * count, size):
            base, length, checksum, timestamp = places
            yield {
                "path": self.string(self.at(entry, "I")),
                "base": self.pointer(entry + base),
                "size": self.at(entry + length, "I"),
                "checksum": self.at(entry + checksum, "I"),
                "timestamp": self.at(entry + timestamp, "I"),
            }

    def unloaded(self, offset):
        width = self.width
        size = 2 * width + 24 + 2 * width
        for i in range(self.at(offset, "I")):
            entry = offset + width + i * size
            text = entry + 2 * width
            length = min(self.at(entry, "H"), 24)
            yield {
                "name": self.data[text : text + length].decode("utf-16-le", "replace"),
                "start": self.pointer(text + 24),
                "end": self.pointer(text + 24 + width),
            }

    def exception(self, offset):
        width = self.width
        count = self.at(offset + 8 + 2 * width, "I")
        first = offset + (0x20 if self.wide else 0x14)
        return {
            "code": self.at(offset, "I"),
            "flags": self.at(offset + 4, "I"),
            "address": self.pointer(offset + 8 + width),
            "parameters": [self.pointer(first + i * width) for i in range(min(count, 15))],
        }

    def debugger_data(self, offset):
        """What the debugger data block says, and what its pointers lead to in the data blocks."""
        u64 = lambda place: self.at(offset + place, "Q")
        u16 = lambda place: self.at(offset + place, "H")
        size = self.at(offset + 0x14, "I")
        lab = None
        for length in range(120, 0, -1):
            text = self.memory(u64(0x208), length)
            if text and b"\0" in text:
                lab = text.split(b"\0")[0].decode("ascii", "replace")
                break
        facts = {
            "size": size,
            "tag": self.data[offset + 0x10 : offset + 0x14].decode("latin-1"),
            "kernel_base": u64(0x18),
            "module_list": u64(0x48),
            "process_head": u64(0x50),
            "build_lab": lab,
            "processors": [],
        }
        number = 0
        while entry := self.memory(u64(0x218) + number * self.width, self.width):
            prcb = int.from_bytes(entry, "little")
            if not prcb or number >= 2048:
                break
            facts["processors"].append(self.processor(number, prcb, u16))
            number += 1
        return facts

    def processor(self, number, prcb, u16):
        width = self.width

        def field(place, size):
            raw = self.memory(self.extended(prcb) + u16(place), size)
            return None if raw is None else int.from_bytes(raw, "little")

        vendor = self.memory(self.extended(prcb) + u16(0x2BA), 13)
        return {
            "number": number,
            "prcb": prcb,
            "current_thread": field(0x2B4, width),
            "mhz": field(0x2B6, 4),
            "vendor": vendor and vendor.split(b"\0")[0].decode("latin-1"),
        }

    def extended(self, address):
        """Data blocks of 32-bit dumps have sign-extended addresses."""
        return address if self.wide or address < 1 << 31 else address | 0xFFFFFFFF << 32

    def read(self):
        at, header, width = self.at, self.header, self.width
        parameters = header("parameters")
        comment = self.data[header("comment") : header("comment") + 128]
        triage_at = header("triage")
        triage = dict(zip(TRIAGE, struct.unpack_from("<18I", self.data, triage_at)))
        triage["top_of_stack"] = self.pointer(triage_at + 0x48)
        more = struct.unpack_from("<4I", self.data, triage_at + (0x70 if self.wide else 0x58))
        triage.update(zip(("debugger_data", "debugger_data_size", "data_blocks", "data_block_count"), more))
        for i in range(triage["data_block_count"]):
            self.blocks.append(struct.unpack_from("<QII", self.data, triage["data_blocks"] + 16 * i))
        arch = MACHINES.get(at(header("machine"), "I"), "unknown")
        registers = {}
        if triage["context"]:
            for name, (offset, form) in REGISTERS.get(arch, {}).items():
                registers[name] = at(triage["context"] + offset, form)
        valid = self.data[triage["valid"] : triage["valid"] + 4]
        return {
            "format": self.data[:8].decode("ascii"),
            "dump_type": at(header("dump_type"), "I"),
            "arch": arch,
            "build": at(0xC, "I"),
            "processors": at(header("processors"), "I"),
            "dtb": self.pointer(header("dtb")),
            "module_list": self.pointer(header("module_list")),
            "process_head": self.pointer(header("process_head")),
            "bugcheck": at(header("bugcheck"), "I"),
            "parameters": [self.pointer(parameters + i * width) for i in range(4)],
            "system_time": at(header("system_time"), "Q"),
            "uptime": at(header("uptime"), "Q"),
            "comment": None if comment.startswith(b"PAGE") else comment.split(b"\0")[0].decode("latin-1"),
            "file_bytes": len(self.data),
            "is_valid": valid == b"TRGD",
            "triage": triage,
            "registers": registers,
            "exception": self.exception(triage["exception"]) if triage["exception"] else None,
            "drivers": list(self.drivers(triage["driver_list"], triage["driver_count"])),
            "unloaded": list(self.unloaded(triage["unloaded"])) if triage["unloaded"] else [],
            "data_blocks": [list(block) for block in self.blocks],
            "debugger_data": self.debugger_data(triage["debugger_data"]) if triage["debugger_data"] else None,
        }


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(json.dumps(Dump(file.read()).read()))


if __name__ == "__main__":
    main()
