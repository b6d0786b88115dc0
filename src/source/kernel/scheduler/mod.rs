//! Threads, processors, and their queues: rows, and the readers that find them.

pub(crate) mod dispatcher;
pub(crate) mod dpcs;
pub(crate) mod held;
pub(crate) mod held_threads;
pub(crate) mod prcbs;
pub(crate) mod processors;
pub(crate) mod ready;
pub(crate) mod thread;
pub(crate) mod threads;
pub(crate) mod timer;
pub(crate) mod timer_keys;
pub(crate) mod timer_lists;
pub(crate) mod timer_table;
pub(crate) mod timers;
pub(crate) mod waits;
pub(crate) mod work;
pub(crate) mod work_queues;
