//! Where control leaves the kernel: callbacks, system services, interrupts; stacks of Driver Verifier.

use super::row;

row! {
    /// A registered routine.
    pub Callback in "callbacks" {
        /// What it is called for (`PspLoadImageNotifyRoutine`).
        kind as "type": String,
        /// Address of the routine.
        address: u64,
        /// Module of the routine.
        module: String,
        /// Symbol of the routine.
        symbol: String,
        /// More on it.
        detail: String,
    }
}

row! {
    /// A system service.
    pub SystemCall in "ssdt" {
        /// Number of the service.
        index: i64,
        /// Address of the routine.
        address: u64,
        /// Module of the routine.
        module: String,
        /// Symbol of the routine.
        symbol: String,
        /// Whether the routine is outside of the kernel's images.
        is_outside_module: bool,
    }
}

row! {
    /// An interrupt vector.
    pub InterruptVector in "idt" {
        /// Processor.
        processor: i64,
        /// Number of the vector.
        vector: i64,
        /// Address of the handler.
        address: u64,
        /// Module of the handler.
        module: String,
        /// Symbol of the handler.
        symbol: String,
        /// Address of the `_KINTERRUPT`.
        interrupt_object: u64,
        /// Whether the handler is outside of the kernel's images.
        is_outside_module: bool,
    }
}

row! {
    /// A frame of a stack that Driver Verifier keeps.
    pub VerifierFrame in "verifier_stacks" {
        /// `allocation`, `call`, `completion`, `cancellation`, `free`.
        kind: String,
        /// Address of the object.
        object: u64,
        /// Number of the frame, from 0.
        frame: i64,
        /// Address of the instruction.
        address: u64,
        /// Symbol of the instruction.
        symbol: String,
    }
}
