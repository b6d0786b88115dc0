#!/usr/bin/env python3
"""Writes src/symbol/pack/: structure layouts of many Windows kernels, cut to what tables read.

    tools/make_pack.py --out src/symbol/pack LAYOUT.json.xz ... ISF_FOLDER

A LAYOUT is a file of format nt-layout-1 (types -> name -> size, fields -> name -> offset, type). An
ISF_FOLDER holds INDEX.csv (version, pdb, guid, age) and windows/PDB/GUID-AGE.json.xz in Volatility's
Intermediate Symbol Format; of each build that no LAYOUT covers, its latest version is converted. The
output is a few archives, each of some kernels alike (one nt-layout-1 text a line, so that what they
share is packed once), and `index.inc`, which says where each kernel is; equal inputs give equal bytes.
"""

import argparse
import csv
import json
import lzma
import pathlib
import re

# Types that are taken whole, but for fields that are padding.
WHOLE = """
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

# Large types, of which only these fields are taken.
PARTS = {
    "_EPROCESS": """
        Pcb UniqueProcessId ActiveProcessLinks CreateTime ExitTime Flags Flags2 Flags3 ExitStatus
        PeakVirtualSize VirtualSize Token Job Session SectionObject SectionBaseAddress
        InheritedFromUniqueProcessId Peb ObjectTable DebugPort WoW64Process Wow64Process DeviceMap
        ImageFilePointer ImageFileName PriorityClass SeAuditProcessCreationInfo ThreadListHead
        ActiveThreads QuotaUsage QuotaPeak ProcessQuotaUsage ProcessQuotaPeak QuotaBlock CommitCharge
        CommitChargePeak CommitChargeLimit NumberOfPrivatePages NumberOfLockedPages PrivatePageCount
        Vm VadRoot VadCount VadHint NumberOfVads MmProcessLinks SessionProcessLinks Protection
        ServerSilo Win32Process Win32WindowStation ReadOperationCount WriteOperationCount
        OtherOperationCount ReadTransferCount WriteTransferCount OtherTransferCount
        ModifiedPageCount ProcessExiting ProcessDelete BreakOnTermination VmDeleted Outswapped
        ProcessInSession Crashed SystemProcess Minimal HangCount GhostCount Cookie
        HighestUserAddress PicoContext SequenceNumber""",
    "_KPRCB": """
        CurrentThread NextThread IdleThread Number LegacyNumber NestingLevel CpuType CpuID CpuStep
        CpuStepping CpuModel MHz MajorVersion MinorVersion BuildType CpuVendor VendorString
        ProcessorState LockQueue KeSystemCalls KeContextSwitches DpcData DpcStack DpcQueueDepth
        DpcCount MaximumDpcQueueDepth DpcRequestRate DpcRoutineActive DpcListHead DpcLock
        InterruptCount KernelTime UserTime DpcTime InterruptTime DebuggerSavedIRQL DpcTimeCount
        DpcTimeLimit DpcWatchdogCount DpcWatchdogPeriod ReadySummary WaitListHead
        DispatcherReadyListHead ReadyThreadCount DeferredReadyListHead SharedReadyQueue
        LocalSharedReadyQueue QueueIndex TimerTable TickOffset CycleTime Group GroupIndex
        GroupSetMember InitialApicId FeatureBits UpdateSignature PowerState CurrentDpcRoutine
        ExceptionStack IsrStack Context QuantumEnd IdleSchedule KernelDirectoryTableBase
        KeExceptionDispatchCount IpiFrozen PageColor ParentNode SetMember ClockInterrupts LastTick
        TscFrequency HalReserved""",
    "_MM_SESSION_SPACE": """
        GlobalVirtualAddress ReferenceCount u SessionId ProcessList ProcessReferenceToSession
        ResidentProcessCount NonPagablePages CommittedPages PagedPoolStart PagedPoolEnd
        SessionPoolAllocationFailures PoolTrackTableExpansion PagedPoolInfo PagedPool Vm Session
        AttachCount SessionPageDirectoryIndex""",
    "_POOL_DESCRIPTOR": """
        PoolType PoolIndex RunningAllocs RunningDeAllocs TotalPages TotalBigPages PagesAllocated
        BigPagesAllocated BytesAllocated Threshold ThreadsProcessingDeferrals""",
    "_CM_KEY_CONTROL_BLOCK": """
        RefCount ParentKcb NameBlock KeyHive KeyCell KeyHash ConvKey Delete""",
    "_TOKEN": """
        TokenSource TokenId AuthenticationId ParentTokenId SessionId TokenType ImpersonationLevel
        UserAndGroupCount UserAndGroups Privileges LogonSession""",
    "_PEB": """
        BeingDebugged ImageBaseAddress Ldr ProcessParameters ProcessHeap NumberOfHeaps ProcessHeaps
        NtGlobalFlag OSMajorVersion OSMinorVersion OSBuildNumber ImageSubsystem SessionId CSDVersion
        NumberOfProcessors LoaderLock FastPebLock""",
    "_TEB": """
        NtTib ClientId ProcessEnvironmentBlock LastErrorValue CountOfOwnedCriticalSections
        LastStatusValue DeallocationStack SubProcessTag TlsSlots ThreadLocalStoragePointer
        StaticUnicodeString ActiveRpcHandle RealClientId WOW32Reserved""",
    "_RTL_USER_PROCESS_PARAMETERS": """
        MaximumLength Length Flags CurrentDirectory DllPath ImagePathName CommandLine Environment
        WindowTitle DesktopInfo ShellInfo EnvironmentSize""",
    "_KUSER_SHARED_DATA": """
        TickCountLow TickCountLowDeprecated TickCountMultiplier InterruptTime SystemTime TimeZoneBias
        NtSystemRoot NtBuildNumber NtProductType NtMajorVersion NtMinorVersion SuiteMask TickCount
        TickCountQuad KdDebuggerEnabled ActiveProcessorCount NumberOfPhysicalPages ProductTypeIsValid
        SystemExpirationDate QpcFrequency InterruptTimeBias BootId NativeProcessorArchitecture""",
}

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


def cut(types):
    """The wanted types with the wanted fields, and the nameless ones inside them."""
    kept = {}
    queue = [name for name in WHOLE + list(PARTS) if name in types]
    while queue:
        name = queue.pop()
        if name in kept:
            continue
        source = types[name]
        wanted = PARTS[name].split() if name in PARTS else None
        fields = {}
        for field, fact in source["fields"].items():
            if (field not in wanted) if wanted else PADDING.search(field):
                continue
            fields[field] = fact
            inner = (n for n in referenced(fact["type"]) if ANONYMOUS.search(n))
            queue.extend(n for n in inner if n in types)
        order = sorted(fields.items(), key=lambda f: (f[1]["offset"], f[0]))
        kept[name] = {"size": source["size"], "fields": dict(order)}
    return dict(sorted(kept.items()))


def convert_type(kind, pointer):
    """A type of an ISF file as nt-layout-1 writes it."""
    match kind["kind"]:
        case "pointer":
            return [pointer, convert_type(kind["subtype"], pointer)]
        case "array":
            return ["array", kind["count"], convert_type(kind["subtype"], pointer)]
        case "bitfield":
            start = kind["bit_position"]
            native = kind["type"].get("name", "unsigned long")
            end = start + kind["bit_length"]
            return ["BitField", {"start_bit": start, "end_bit": end, "native_type": native}]
        case "function":
            return ["void"]
        case "enum":
            return ["Enumeration", {"target": "long", "name": kind["name"]}]
        case _:
            return [kind["name"]]


def convert(isf):
    """The structures of an ISF file, as nt-layout-1 writes them."""
    pointer = "pointer64" if isf["base_types"]["pointer"]["size"] == 8 else "pointer"
    types = {}
    for name, struct in isf["user_types"].items():
        fields = {
            field: {"offset": fact["offset"], "type": convert_type(fact["type"], pointer)}
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


def archive_of(version, arch):
    """The archive that a kernel is in: small ones, since all of one is unpacked to read a line."""
    return f"nt-{arch}-{'10' if version[0] >= 10 else 'old'}"


def write(folder, kernels):
    """Writes the archives, and returns the rows of the index."""
    archives, rows = {}, []
    for version, pack, arch, windows, service_pack, types in sorted(kernels, key=lambda k: k[:4]):
        layout = {
            "format": "nt-layout-1",
            "windows": windows,
            "service_pack": service_pack,
            "arch": arch,
            "types": cut(types),
        }
        archive = archive_of(version, arch)
        lines = archives.setdefault(archive, [])
        line = len(lines)
        lines.append(json.dumps(layout, separators=(",", ":")))
        numbers = ", ".join(str(number) for number in version)
        rows.append(f'    row([{numbers}], {pack}, "{arch}", include_bytes!("{archive}.jsonl.xz"), {line}),')
    for name, lines in sorted(archives.items()):
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
