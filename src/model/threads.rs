//! Objects that threads wait for, and thread stacks.

use super::row;

row! {
    /// An object that a thread waits for.
    pub WaitObject in "wait_objects" {
        /// Address of the waiting `_ETHREAD`.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// Position among the wait blocks of the thread, from 0.
        index: i64,
        /// Address of the object.
        object: u64,
        /// Type of the object (`SynchronizationEvent`, `Mutant`, `Thread`).
        kind as "type": String,
        /// Name of the object, or the symbol at its address.
        name: String,
        /// `WaitAny` or `WaitAll`.
        wait_type: String,
        /// Thread that owns the object or the lock, if it has exactly one owner.
        owner_ethread: u64,
        /// Address of the lock that the object belongs to.
        lock: u64,
        /// `PushLock`, `Resource`, `FastMutex`, `GuardedMutex`.
        lock_kind as "lock_type": String,
    }
}

row! {
    /// A frame of a stack.
    pub Frame in "stacks" {
        /// Address of the `_ETHREAD`, in kernel dumps.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// Number of the frame, 0 for the innermost.
        frame: i64,
        /// Stack pointer or frame pointer of the frame, as debuggers print it.
        sp: u64,
        /// Instruction pointer.
        ip: u64,
        /// Return address of the frame.
        return_address: u64,
        /// Module of the instruction.
        module: String,
        /// `module!function`, or `module+offset` without symbols.
        symbol: String,
        /// Bytes from the symbol.
        offset: i64,
        /// Source file.
        source_file: String,
        /// Line in the source file.
        line: i64,
        /// First argument, or the word where it would be.
        arg1: u64,
        /// Second argument.
        arg2: u64,
        /// Third argument.
        arg3: u64,
        /// Fourth argument.
        arg4: u64,
        /// How the frame was found: `context`, `unwind`, `frame_pointer`, `scan`.
        trust: String,
        /// Whether the function is inlined into its caller.
        is_inline: bool,
        /// Whether it is of 32-bit code in a 64-bit process.
        is_wow64: bool,
    }
}

row! {
    /// A word of a stack, or of other memory that is shown as pointers.
    pub StackWord in "raw_stack" {
        /// Address of the `_ETHREAD` whose stack it is, in kernel dumps.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Address of the word.
        address: u64,
        /// The word.
        value: u64,
        /// Symbol that the word points to.
        symbol: String,
        /// Whether the word is the address after a call instruction.
        is_return_address: bool,
        /// Bytes of the word as printable ASCII, if at least four are.
        ascii: String,
        /// Bytes of the word as printable UTF-16, if at least two are.
        utf16: String,
        /// Text that the word points to.
        string: String,
    }
}
