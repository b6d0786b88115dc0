#!/usr/bin/env python3
"""Writes src/symbol/pack/: structure layouts of many Windows kernels, limited to what tables read.

    tools/make_pack.py --out src/symbol/pack LAYOUT.json.xz ... ISF_FOLDER

A LAYOUT is a file of format nt-layout-1 (types -> name -> size, fields -> name -> offset, type), or
nt-VERSION-ARCH.json.xz in Volatility's Intermediate Symbol Format. An ISF_FOLDER holds INDEX.csv
(version, pdb, guid, age) and windows/PDB/GUID-AGE.json.xz in that format. The output contains each
distinct layout once, in a few archives of similar builds. A line of an archive is one nt-layout-1
text: the complete layout of the newest kernel of a build, or the differences of another kernel of the
build from it (null: a type that it lacks). A second archive beside each one has the types that fewer
queries read. `index.inc` gives the line of each layout, `pdbs.inc` the layout of each PDB. Equal inputs
give equal output.
"""

import argparse
import csv
import json
import lzma
import pathlib
import re

# Types that the first queries of a session read; they are in the archive that is decompressed first.
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

# Prefixes of types that fewer queries read; they are in a second archive, which is decompressed on demand.
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

# Fields without information, or with the same offset as another field.
PADDING = re.compile(
    r"Fill\d*$|FillN?$|^(Spare|Reserved|Padding|Pad|Kpcr?bPad|PrcbPad|EndPadding)|Padding\d*$|^Spare\w*$"
)
ANONYMOUS = re.compile(r"unnamed|anonymous|^<")


def referenced(kind):
    """The types to which a field of this type refers, directly or through pointers."""
    if kind[0] in ("BitField", "Enumeration"):
        return
    for part in kind:
        if isinstance(part, list):
            yield from referenced(part)
        elif isinstance(part, str):
            yield part


def in_order(fields):
    """Fields in order of their offsets."""
    return sorted(fields.items(), key=lambda field: (field[1]["offset"], field[0]))


class Cutter:
    """Reduces the types of one kernel to the wanted parts.

    Anonymous types are named after the field through which they are reached, so that they have the same
    name in every kernel and equal types of two kernels are equal text.
    """

    def __init__(self, types):
        self.types = types
        self.names = {}
        self.kept = {}

    def name_of(self, name, owner, field):
        """The name of a type in the pack."""
        if not ANONYMOUS.search(name) or name not in self.types:
            return name
        if name not in self.names:
            wanted = f"__unnamed_{owner.removeprefix('__unnamed').lstrip('_')}_{field}"
            taken = set(self.names.values())
            while wanted in taken:
                wanted += "_"
            self.names[name] = wanted
        return self.names[name]

    def rename(self, kind, owner, field):
        """The type of a field, with type names as in the pack."""
        if kind[0] in ("BitField", "Enumeration"):
            return kind
        parts = (self.rename(part, owner, field) if isinstance(part, list) else part for part in kind)
        return [self.name_of(part, owner, field) if isinstance(part, str) else part for part in parts]

    def cut(self, wanted):
        """The wanted types without padding, and the anonymous types inside them."""
        found = {}
        queue = [name for name in wanted if name in self.types and not ANONYMOUS.search(name)]
        while queue:
            name = queue.pop(0)
            shown = self.names.get(name, name)
            if shown in self.kept:
                continue
            source = self.types[name]
            fields = {}
            for field, fact in in_order(source["fields"]):
                if PADDING.search(field):
                    continue
                fields[field] = {"offset": fact["offset"], "type": self.rename(fact["type"], shown, field)}
                inner = (n for n in referenced(fact["type"]) if ANONYMOUS.search(n))
                queue.extend(n for n in inner if n in self.types)
            found[shown] = self.kept[shown] = {"size": source["size"], "fields": fields}
        return dict(sorted(found.items()))


def convert_enum(enum):
    """Converts an enumeration of an ISF file to nt-layout-1."""
    choices = {str(value): name for name, value in sorted(enum["constants"].items(), reverse=True)}
    return ["Enumeration", {"target": enum["base"], "choices": choices}]


def convert_type(kind, pointer, enums):
    """Converts a type of an ISF file to nt-layout-1."""
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
    """Converts the structures of an ISF file to nt-layout-1."""
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


# Builds that are another build with features enabled; they have the same kernel.
SHARED = {19042: 19041, 19043: 19041, 19044: 19041, 19045: 19041, 22631: 22621}
# Builds that are a service pack; some files do not contain its number.
SERVICE_PACKS = {7601: "SP1"}


class Kernel:
    """The structures and the version of one kernel."""

    def __init__(self, windows, service_pack, arch, types, pdb=None):
        version = list((version_of(windows) + (0,))[:4])
        version[2] = SHARED.get(version[2], version[2])
        service_pack = service_pack or SERVICE_PACKS.get(version[2], "")
        self.version = tuple(version)
        self.windows = ".".join(str(n) for n in (version if version[3] else version[:3]))
        self.service_pack, self.arch, self.pdb = service_pack, arch, pdb
        self.pack = int(re.sub(r"\D", "", service_pack) or 0)
        cutter = Cutter(types)
        self.first = cutter.cut(FIRST)
        self.rest = cutter.cut(name for name in types if name.startswith(LATER))

    def key(self):
        return (self.version[2], self.arch, self.version, self.pack)


def kernel_of(path):
    """The kernel of a file of either format; the file name gives the version of an ISF file without PDB."""
    with lzma.open(path) as file:
        layout = json.load(file)
    if layout.get("format") == "nt-layout-1":
        return Kernel(layout["windows"], layout.get("service_pack") or "", layout["arch"], layout["types"])
    name = re.fullmatch(r"nt-([\d.]+)-(x86|x64|arm64)\.json\.xz", path.name)
    if name is None or "user_types" not in layout:
        raise SystemExit(f"{path}: found neither an nt-layout-1 file nor nt-VERSION-ARCH.json.xz in ISF")
    return Kernel(name[1], "", name[2], convert(layout))


def isf_files(folder):
    """Yields the kernel of every row of an index."""
    with open(folder / "INDEX.csv", newline="") as file:
        for row in csv.DictReader(file):
            path = folder / "windows" / row["pdb"] / f"{row['guid']}-{row['age']}.json.xz"
            with lzma.open(path) as layout:
                types = convert(json.load(layout))
            yield Kernel(row["windows_version"], "", "x64", types, (row["guid"], int(row["age"])))


# Builds per archive: few, because an archive is decompressed completely to read a line.
TOGETHER = 3


def groups(kernels):
    """The kernels of each build and architecture, the oldest first."""
    found = {}
    for kernel in sorted(kernels, key=Kernel.key):
        found.setdefault((kernel.arch, kernel.version[2]), []).append(kernel)
    return found


def difference(part, base):
    """The differences from the types of another kernel; types that it lacks are null."""
    changed = {name: fact for name, fact in part.items() if base.get(name) != fact}
    return dict(sorted((changed | {name: None for name in base if name not in part}).items()))


class Writer:
    """Collects the archives, the index of kernels and the table of PDBs."""

    def __init__(self):
        self.texts, self.rows, self.pdbs, self.count = {}, [], [], {}

    def group(self, arch, kernels):
        """Adds the kernels of one build: the newest completely, the others as differences from it."""
        number = self.count[arch] = self.count.get(arch, -1) + 1
        archive = f"nt-{arch}-{number // TOGETHER}"
        base, base_line, seen = kernels[-1], None, []
        for kernel in [base, *reversed(kernels[:-1])]:
            twin = next((other for other in seen if (other.first, other.rest) == (kernel.first, kernel.rest)), None)
            if twin is None:
                line = self.line(archive, kernel, None if base_line is None else base)
                base_line = line if base_line is None else base_line
                seen.append(kernel)
                self.row(archive, kernel, line, base_line)
            if kernel.pdb:
                guid, age = kernel.pdb
                self.pdbs.append((guid, age, kernel.version, (twin or kernel).version))

    def line(self, archive, kernel, base):
        """Adds a kernel's line to both archives; returns its number."""
        head = {"format": "nt-layout-1", "windows": kernel.windows, "service_pack": kernel.service_pack}
        head["arch"] = kernel.arch
        line = len(self.texts.setdefault(archive, []))
        for name, part in ((archive, "first"), (archive + "-more", "rest")):
            types = getattr(kernel, part)
            types = types if base is None else difference(types, getattr(base, part))
            text = json.dumps(head | {"types": types}, separators=(",", ":"))
            self.texts.setdefault(name, []).append(text)
        return line

    def row(self, archive, kernel, line, base):
        numbers = ", ".join(str(number) for number in kernel.version)
        files = ", ".join(f'include_bytes!("{name}.jsonl.xz")' for name in (archive, archive + "-more"))
        text = f'    row([{numbers}], {kernel.pack}, "{kernel.arch}", [{files}], [{line}, {base}]),'
        self.rows.append(((kernel.version, kernel.pack, kernel.arch), text))

    def write(self, folder):
        for old in folder.glob("nt-*.jsonl.xz"):
            old.unlink()
        total = 0
        for name, lines in sorted(self.texts.items()):
            text = "\n".join(lines) + "\n"
            packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME, check=lzma.CHECK_CRC32)
            (folder / f"{name}.jsonl.xz").write_bytes(packed)
            total += len(packed)
            print(f"{name}: {len(lines)} kernels, {len(text)} bytes, {len(packed)} packed")
        print(f"{len(self.rows)} layouts, {total} bytes")
        write_table(folder / "index.inc", "one row a layout, oldest kernel first", [row for _, row in sorted(self.rows)])
        rows = [
            f'    pdb("{guid}", {age}, [{numbers(own)}], [{numbers(layout)}]),'
            for guid, age, own, layout in sorted(self.pdbs)
        ]
        write_table(folder / "pdbs.inc", "GUID and age of a PDB, its kernel, and the kernel whose layout it has", rows)


def numbers(version):
    return ", ".join(str(number) for number in version)


def write_table(path, what, rows):
    path.write_text(f"// Written by tools/make_pack.py: {what}.\n&[\n" + "\n".join(rows) + "\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("inputs", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    kernels = [kernel_of(path) for path in sorted(options.inputs) if path.is_file()]
    for folder in (path for path in options.inputs if path.is_dir()):
        kernels.extend(isf_files(folder))
    writer = Writer()
    for (arch, _), group in groups(kernels).items():
        writer.group(arch, group)
    writer.write(options.out)


if __name__ == "__main__":
    main()
