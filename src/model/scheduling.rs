//! Queues: ready threads, DPCs, timers, work items.

use super::row;

row! {
    /// A thread that is ready to run.
    pub ReadyThread in "ready_threads" {
        /// Processor of the queue; absent for a queue that processors share.
        processor: i64,
        /// Priority of the queue.
        priority: i64,
        /// Position in the queue, from 0.
        position: i64,
        /// Address of the `_ETHREAD`.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
    }
}

row! {
    /// A queued deferred procedure call (DPC).
    pub Dpc in "dpcs" {
        /// Processor in whose queue it is.
        processor: i64,
        /// Position in the queue, from 0.
        position: i64,
        /// `Normal` or `Threaded`.
        kind as "type": String,
        /// Address of the `_KDPC`.
        dpc: u64,
        /// Address of the routine.
        routine: u64,
        /// Symbol of the routine.
        routine_symbol: String,
        /// Context argument of the routine.
        context: u64,
    }
}

row! {
    /// A timer.
    pub Timer in "timers" {
        /// Processor of the timer table.
        processor: i64,
        /// Number of the list in the table.
        list: i64,
        /// Address of the `_KTIMER`.
        timer: u64,
        /// When it is due, in interrupt time of 100 ns units.
        due: u64,
        /// When it is due, in UTC if the time zone is known; microseconds since 1970 UTC.
        due_time: i64,
        /// Whether it starts again.
        is_periodic: bool,
        /// The period.
        period_ms: i64,
        /// Address of the `_KDPC` that it queues.
        dpc: u64,
        /// Address of the DPC's routine.
        routine: u64,
        /// Symbol of the routine.
        routine_symbol: String,
        /// Thread that contains the timer.
        ethread: u64,
    }
}

row! {
    /// A queue of the system's worker threads.
    pub WorkQueue in "work_queues" {
        /// Address of the queue.
        queue: u64,
        /// Name (`Critical`, `Delayed`, `HyperCritical`) or priority.
        name: String,
        /// Worker threads of the queue.
        thread_count: i64,
        /// Maximum number of threads.
        maximum_thread_count: i64,
        /// Threads that are running items.
        current_count: i64,
        /// Maximum number of threads that run at the same time.
        maximum_count: i64,
        /// Items that are waiting.
        pending_count: i64,
    }
}

row! {
    /// An item that waits for a worker thread.
    pub WorkItem in "work_items" {
        /// Address of the queue.
        queue: u64,
        /// Name of the queue.
        queue_name: String,
        /// Position in the queue, from 0.
        position: i64,
        /// Address of the item.
        work_item: u64,
        /// Address of the routine.
        routine: u64,
        /// Symbol of the routine.
        routine_symbol: String,
        /// Parameter of the routine.
        parameter: u64,
    }
}
