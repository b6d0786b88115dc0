//! What the parameters of common bug checks mean, in a few words each. Facts only.

const RESERVED: &str = "reserved";
const DEPENDS: &str = "depends on parameter 1";
const READ_WRITE: &str = "access: 0 read, 1 write, 2 or 8 or 16 execute";
const REFERENCED: &str = "address that was accessed";
const BY: &str = "address of the code that made the access";
const IRQL: &str = "IRQL at that time";
const CODE: &str = "exception code";
const AT: &str = "address where the exception occurred";

/// Bug check codes that share their parameters, and the four meanings.
pub(super) const PARAMETERS: &[(&[u32], [&str; 4])] = &[
    (&[0x0a, 0xc5, 0xd1], [REFERENCED, IRQL, READ_WRITE, BY]),
    (&[0x18], ["type of the object", "object with the wrong count", RESERVED, RESERVED]),
    (&[0x19, 0xc2], ["kind of pool violation", DEPENDS, DEPENDS, DEPENDS]),
    (&[0x1a, 0x4e], ["kind of memory management damage", DEPENDS, DEPENDS, DEPENDS]),
    (&[0x1e], [CODE, AT, "parameter 0 of the exception", "parameter 1 of the exception"]),
    (
        &[0x24],
        [
            "source file and line in the file system",
            "exception record, if there was an exception",
            "context record, if there was an exception",
            RESERVED,
        ],
    ),
    (&[0x35], ["IRP without a free stack location", RESERVED, RESERVED, RESERVED]),
    (&[0x3b], [CODE, AT, "context record of the exception", RESERVED]),
    (&[0x44], ["IRP that was completed twice", RESERVED, RESERVED, RESERVED]),
    (&[0x50], [REFERENCED, READ_WRITE, BY, "kind of page fault"]),
    (
        &[0x7a],
        [
            "lock held, or address of the page table entry",
            "status of the failed read",
            "process, or contents of the page table entry",
            "address that could not be paged in",
        ],
    ),
    (&[0x7e, 0x1000_007e], [CODE, AT, "exception record", "context record"]),
    (&[0x7f, 0x1000_007f], ["number of the trap (8 is a double fault)", DEPENDS, DEPENDS, DEPENDS]),
    (&[0x8e, 0x1000_008e], [CODE, AT, "trap frame", RESERVED]),
    (
        &[0x9c],
        [
            "machine check bank",
            "machine check exception record",
            "high 32 bits of the bank's status",
            "low 32 bits of the bank's status",
        ],
    ),
    (
        &[0x9f],
        ["kind of violation (3: a device blocks an IRP too long)", DEPENDS, DEPENDS, DEPENDS],
    ),
    (&[0xa0], ["kind of power failure", DEPENDS, DEPENDS, DEPENDS]),
    (&[0xbe, 0xfc], [REFERENCED, "contents of the page table entry", RESERVED, RESERVED]),
    (&[0xc4], ["rule of Driver Verifier that was broken", DEPENDS, DEPENDS, DEPENDS]),
    (&[0xc9], ["rule of the I/O verifier that was broken", DEPENDS, DEPENDS, DEPENDS]),
    (&[0xcc, 0xcd, 0xd5, 0xd6], [REFERENCED, READ_WRITE, BY, RESERVED]),
    (&[0xce], [REFERENCED, READ_WRITE, BY, RESERVED]),
    (
        &[0xea, 0x1000_00ea],
        [
            "thread that is stuck",
            "deferred watchdog object",
            "name of the driver",
            "how often the debugger has intercepted it",
        ],
    ),
    (&[0xed], ["device object of the boot volume", "status of the mount", RESERVED, RESERVED]),
    (&[0xef], ["process object", "what died: 0 process, 1 thread", RESERVED, RESERVED]),
    (
        &[0xf4],
        [
            "type of the object that ended: 3 process, 6 thread",
            "object that ended",
            "image file name of the process",
            "message that explains",
        ],
    ),
    (
        &[0xf7],
        ["cookie found on the stack", "cookie expected", "complement of the cookie", RESERVED],
    ),
    (
        &[0x101],
        [
            "time-out in nominal clock ticks",
            RESERVED,
            "PRCB of the processor that does not respond",
            "number of that processor",
        ],
    ),
    (
        &[0x109],
        [RESERVED, RESERVED, "depends on parameter 4", "type of the region that was changed"],
    ),
    (
        &[0x116, 0x117, 0x141],
        [
            "recovery context of the time-out",
            "address in the display driver",
            "error of the last failed operation, if known",
            "internal data, if known",
        ],
    ),
    (&[0x119], ["kind of scheduler violation", DEPENDS, DEPENDS, DEPENDS]),
    (
        &[0x124],
        [
            "type of the error's source (0 machine check)",
            "error record (_WHEA_ERROR_RECORD)",
            "high 32 bits of the bank's status, for machine checks",
            "low 32 bits of the bank's status, for machine checks",
        ],
    ),
    (
        &[0x133],
        [
            "what took too long: 0 one DPC, 1 all time at DISPATCH_LEVEL",
            "ticks spent, or length of the watchdog period",
            "ticks allowed, or triage block",
            RESERVED,
        ],
    ),
    (&[0x139], ["kind of corruption (3: linked list)", "trap frame", "exception record", RESERVED]),
    (&[0x13a], ["kind of corruption", "heap", "address of the corruption", RESERVED]),
    (&[0x154], ["store context", "exception information", RESERVED, RESERVED]),
    (&[0x162], ["thread", "lock", "session of the thread", RESERVED]),
    (&[0x192], ["thread", "lock", "IRQL at which the lock was acquired", RESERVED]),
    (
        &[0x1c8],
        ["milliseconds the power button was held", "power button triage block", RESERVED, RESERVED],
    ),
    (
        &[0x1ca],
        [
            "time since the watchdog was reset, in interrupt time",
            "interrupt time",
            "performance counter",
            "number of the clock processor",
        ],
    ),
    (&[0x2_0001], [RESERVED, RESERVED, RESERVED, RESERVED]),
    (&[0xc000_021a], ["text that names the problem", "error code", RESERVED, RESERVED]),
];
