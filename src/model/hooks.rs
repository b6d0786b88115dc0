//! Routines that the kernel calls: callbacks, system services, interrupt handlers; stack traces of
//! Driver Verifier.

use super::row;

row! {
    /// A registered callback routine.
    pub Callback in "callbacks" {
        /// Event or list that it is registered for (`PspLoadImageNotifyRoutine`).
        kind as "type": String,
        /// Address of the routine.
        address: u64,
        /// Module of the routine.
        module: String,
        /// Symbol of the routine.
        symbol: String,
        /// Additional information, such as the name of the component.
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
        /// Whether the routine is outside the kernel's images.
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
        /// Whether the handler is outside the kernel's images.
        is_outside_module: bool,
    }
}

row! {
    /// A frame of a stack trace that Driver Verifier keeps.
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
