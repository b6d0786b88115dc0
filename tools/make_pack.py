#!/usr/bin/env python3
"""Writes src/symbol/pack/: structure layouts of many Windows kernels, cut to what tables read.

    tools/make_pack.py --out src/symbol/pack LAYOUT.json.xz ... ISF_FOLDER

A LAYOUT is a file of format nt-layout-1 (types -> name -> size, fields -> name -> offset, type). An
ISF_FOLDER holds INDEX.csv (version, pdb, guid, age) and windows/PDB/GUID-AGE.json.xz in Volatility's
Intermediate Symbol Format; of each build that no LAYOUT covers, its latest version is converted. The
output is a few archives, each of some kernels alike (one nt-layout-1 text a line, so that what they
share is packed once), each with a second one of the types that fewer queries read, and `index.inc`, which says where each kernel is; equal inputs give equal bytes.
"""

import argparse
import csv
import json
import lzma
import pathlib
import re

# Types that the first queries of a session read; a kernel's line in the archive that is unpacked first.
FIRST = """
_EPROCESS _KPRCB _MM_SESSION_SPACE _POOL_DESCRIPTOR _CM_KEY_CONTROL_BLOCK _TOKEN _PEB _TEB
_RTL_USER_PROCESS_PARAMETERS _KUSER_SHARED_DATA
_CLIENT_ID _LIST_ENTRY _SINGLE_LIST_ENTRY _UNICODE_STRING _STRING _LARGE_INTEGER _ULARGE_INTEGER
_DISPATCHER_HEADER _KWAIT_BLOCK _KAPC_STATE _KAPC _KDPC _KDPC_DATA _KTIMER _KTIMER_TABLE
_KTIMER_TABLE_ENTRY _KDPC_LIST _KEVENT _KSEMAPHORE _KMUTANT _KQUEUE _KGATE _GROUP_AFFINITY _KAFFINITY_EX
_KSPIN_LOCK_QUEUE _KSYSTEM_TIME _KTRAP_FRAME _CONTEXT _M128A _KPROCESSOR_STATE _KSPECIAL_REGISTERS
_KDESCRIPTOR _KPCR _KPROCESS _KTHREAD _ETHREAD _LDR_DATA_TABLE_ENTRY _KLDR_DATA_TABLE_ENTRY
_PEB_LDR_DATA _NT_TIB _CURDIR _EX_FAST_REF _SE_AUDIT_PROCESS_CREATION_INFO _OBJECT_NAME_INFORMATION
_OBJECT_HEADER _OBJECT_HEADER_NAME_INFO _OBJECT_HEADER_CREATOR_INFO _OBJECT_HEADER_HANDLE_INFO
_OBJECT_HEADER_PROCESS_INFO _OBJECT_HEADER_QUOTA_INFO _OBJECT_TYPE _OBJECT_TYPE_INITIALIZER
_OBJECT_DIRECTORY _OBJECT_DIRECTORY_ENTRY _HANDLE_TABLE _HANDLE_TABLE_ENTRY _HANDLE_TABLE_ENTRY_INFO
_ERESOURCE _OWNER_ENTRY _IRP _IO_STACK_LOCATION _IO_STATUS_BLOCK _DEVICE_OBJECT _DEVOBJ_EXTENSION
_DRIVER_OBJECT _DRIVER_EXTENSION _FILE_OBJECT _VPB _MDL _MMVAD _MMVAD_SHORT _MMVAD_LONG
_MMVAD_FLAGS _MMVAD_FLAGS1 _MMVAD_FLAGS2 _MM_AVL_TABLE _MMADDRESS_NODE _RTL_AVL_TREE
_RTL_BALANCED_NODE _MMSUPPORT _MMSUPPORT_FULL _MMSUPPORT_INSTANCE _MMSUPPORT_SHARED
_MMSUPPORT_FLAGS _POOL_HEADER _POOL_TRACKER_TABLE _POOL_TRACKER_BIG_PAGES _EWOW64PROCESS
_MMPAGING_FILE _MMPFNLIST _CONTROL_AREA _SUBSECTION _SEGMENT _SECTION_OBJECT _SECTION_OBJECT_POINTERS
_MM_PAGED_POOL_INFO _PHYSICAL_MEMORY_DESCRIPTOR _PHYSICAL_MEMORY_RUN _OBJECT_SYMBOLIC_LINK
_CM_KEY_BODY _CM_NAME_CONTROL_BLOCK _PS_IMPERSONATION_INFORMATION _PS_CLIENT_SECURITY_CONTEXT
_KSHARED_READY_QUEUE _SECTION _TOKEN_SOURCE _LUID _DBGKD_GET_VERSION64
""".split()

# How types begin that fewer queries read: a second archive, unpacked when one of them is asked for.
LATER = tuple("""
_ACCESS_STATE _ALPC_ _CALLBACK_OBJECT _CMHIVE _CM_CALLBACK _CM_KEY _CM_NAME _CM_NOTIFY _CONTROL_AREA _DEVICE_ _DISPATCHER
_DRIVER_ _EJOB _ENODE _EPARTITION _EPROCESS_ _ETIMER _EVENT_COUNTER _EXCEPTION_RE _EXHANDLE _EX_ _FAST_ _FILE_ _FILTER_
_FLOATING_SAVE _FLT_ _FNSAVE _FS_FILTER_ _FXSAVE _FX_SAVE _GENERAL_LOOKASIDE _GUID _HANDLE_ _HEAP _HHIVE _IMAGE_
_INVERTED_FUNCTION _IO_ _JOB_ _KALPC_ _KAPC _KDEVICE_QUEUE _KEXCEPTION_FRAME _KGDTENTRY _KGUARDED_MUTEX _KIDTENTRY _KINTERRUPT
_KLOCK_ENTRY _KLOCK_QUEUE _KNODE _KPRIQUEUE _KPROFILE _KQUEUE _KSECONDARY_IDT _KSERVICE _KSTACK_ _KSWITCH_FRAME _KTIMER2 _KTSS _KWAIT
_LARGE_CONTROL _LPCP_ _MACHINE_FRAME _MI_ACTIVE_PFN _MI_COMMON_PAGE _MI_CROSS_PARTITION _MI_DEBUGGER _MI_DRIVER_VA _MI_DYNAMIC
_MI_ERROR _MI_FLAGS _MI_FORCED _MI_HARDWARE _MI_IO_PAGE _MI_MODWRITE _MI_NODE _MI_PAGE _MI_PAGING _MI_PARTITION _MI_POOL
_MI_PROCESS _MI_RESAVAIL _MI_SECTION_STATE _MI_SESSION_STATE _MI_STANDBY _MI_SUB _MI_SYSTEM _MI_ULTRA_VA _MI_VERIFIER
_MI_VISIBLE _MM _NT_TIB _OBJECT_ _OWNER_ENTRY _PEB _POOL_ _PPM_ _PRIVILEGE_SET _PROCESSOR_ _PSP_ _PS_ _RTLP_HP_ _RTL_
_SECTION_IMAGE _SECURITY_ _SEGMENT _SEP_ _SID _SLIST _SUBSECTION _TEB _TOKEN _TP_ _UNEXPECTED_INTERRUPT _VF_ _VI_ _WAIT_
_WHEA_ _WORK_QUEUE_ITEM _XSAVE_ _XSTATE_
""".split())

# Fields that hold no information, or whose place another field gives.
PADDING = re.compile(
    r"Fill\d*$|FillN?$|^(Spare|Reserved|Padding|Pad|Kpcr?bPad|PrcbPad|EndPadding)|Padding\d*$|^Spare\w*$"
)
ANONYMOUS = re.compile(r"unnamed|anonymous|^<")


def referenced(kind):
    """The types that a field of this type names, pointers followed."""
    if kind[0] == "BitField":
        return
    for part in kind:
        if isinstance(part, list):
            yield from referenced(part)
        elif isinstance(part, str):
            yield part


def cut(types, wanted, taken=()):
    """The wanted types without padding, and the nameless ones inside them."""
    kept = {}
    queue = [name for name in wanted if name in types]
    while queue:
        name = queue.pop()
        if name in kept or name in taken:
            continue
        source = types[name]
        fields = {}
        for field, fact in source["fields"].items():
            if PADDING.search(field):
                continue
            fields[field] = fact
            inner = (n for n in referenced(fact["type"]) if ANONYMOUS.search(n))
            queue.extend(n for n in inner if n in types)
        order = sorted(fields.items(), key=lambda f: (f[1]["offset"], f[0]))
        kept[name] = {"size": source["size"], "fields": dict(order)}
    return dict(sorted(kept.items()))


def convert_enum(enum):
    """An enumeration of an ISF file as nt-layout-1 writes it."""
    choices = {str(value): name for name, value in sorted(enum["constants"].items(), reverse=True)}
    return ["Enumeration", {"target": enum["base"], "choices": choices}]


def convert_type(kind, pointer, enums):
    """A type of an ISF file as nt-layout-1 writes it."""
    match kind["kind"]:
        case "pointer":
            return [pointer, convert_type(kind["subtype"], pointer, {})]
        case "array":
            return ["array", kind["count"], convert_type(kind["subtype"], pointer, enums)]
        case "bitfield":
            start = kind["bit_position"]
            native = kind["type"].get("name", "unsigned long")
            end = start + kind["bit_length"]
            return ["BitField", {"start_bit": start, "end_bit": end, "native_type": native}]
        case "function":
            return ["void"]
        case "enum":
            return convert_enum(enums.get(kind["name"], {"base": "long", "constants": {}}))
        case _:
            return [kind["name"]]


def convert(isf):
    """The structures of an ISF file, as nt-layout-1 writes them."""
    pointer = "pointer64" if isf["base_types"]["pointer"]["size"] == 8 else "pointer"
    types = {}
    for name, struct in isf["user_types"].items():
        fields = {
            field: {"offset": fact["offset"], "type": convert_type(fact["type"], pointer, isf["enums"])}
            for field, fact in struct["fields"].items()
        }
        types[name] = {"size": struct["size"], "fields": fields}
    return types


def version_of(text):
    return tuple(int(part) for part in text.split("."))


def layouts(paths):
    """Yields (version, service pack, architecture, types) of every nt-layout-1 file."""
    for path in paths:
        with lzma.open(path) as file:
            layout = json.load(file)
        if layout.get("format") != "nt-layout-1":
            raise SystemExit(f"{path}: found no nt-layout-1 file")
        yield layout["windows"], layout.get("service_pack") or "", layout["arch"], layout["types"]


def isf_files(folder, covered):
    """Yields the same for the latest version of each build that is not covered yet."""
    latest = {}
    with open(folder / "INDEX.csv", newline="") as file:
        for row in csv.DictReader(file):
            version = version_of(row["windows_version"])
            if version[:3] not in covered:
                latest[version[:3]] = max(latest.get(version[:3], (version, row)), (version, row), key=lambda v: v[0])
    for _, (_, row) in sorted(latest.items()):
        path = folder / "windows" / row["pdb"] / f"{row['guid']}-{row['age']}.json.xz"
        with lzma.open(path) as file:
            yield row["windows_version"], "", "x64", convert(json.load(file))


# Kernels in an archive: few, since all of one is unpacked to read a line.
TOGETHER = 3


def archives(kernels):
    """The kernels with the archive that each is in: neighbours of one architecture share much."""
    count = {}
    for kernel in sorted(kernels, key=lambda k: k[:4]):
        number = count[kernel[2]] = count.get(kernel[2], -1) + 1
        yield f"nt-{kernel[2]}-{number // TOGETHER}", kernel


def write(folder, kernels):
    """Writes the archives, and returns the rows of the index."""
    texts, rows = {}, []
    for archive, (version, pack, arch, windows, service_pack, types) in archives(kernels):
        head = {"format": "nt-layout-1", "windows": windows, "service_pack": service_pack, "arch": arch}
        first = cut(types, FIRST)
        later = cut(types, (name for name in types if name.startswith(LATER)), first)
        line = len(texts.setdefault(archive, []))
        for name, part in ((archive, first), (archive + "-more", later)):
            text = json.dumps(head | {"types": part}, separators=(",", ":"))
            texts.setdefault(name, []).append(text)
        numbers = ", ".join(str(number) for number in version)
        files = ", ".join(f'include_bytes!("{name}.jsonl.xz")' for name in (archive, archive + "-more"))
        rows.append(f'    row([{numbers}], {pack}, "{arch}", [{files}], {line}),')
    for name, lines in sorted(texts.items()):
        text = "\n".join(lines) + "\n"
        packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME, check=lzma.CHECK_CRC32)
        (folder / f"{name}.jsonl.xz").write_bytes(packed)
        print(f"{name}: {len(lines)} kernels, {len(text)} bytes, {len(packed)} packed")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("inputs", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    found, covered = [], set()
    for layout in layouts(sorted(path for path in options.inputs if path.is_file())):
        found.append(layout)
        if layout[2] == "x64":
            covered.add(version_of(layout[0])[:3])
    for folder in (path for path in options.inputs if path.is_dir()):
        found.extend(isf_files(folder, covered))
    kernels = []
    for windows, service_pack, arch, types in found:
        version = (version_of(windows) + (0,))[:4]
        pack = int(re.sub(r"\D", "", service_pack) or 0)
        kernels.append((version, pack, arch, windows, service_pack, types))
    rows = write(options.out, kernels)
    text = "// Written by tools/make_pack.py: one row a kernel, oldest first.\n&[\n" + "\n".join(rows) + "\n]\n"
    (options.out / "index.inc").write_text(text)


if __name__ == "__main__":
    main()
