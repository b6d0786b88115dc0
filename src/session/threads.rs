//! The threads that all queries of the process share.

use std::num::NonZero;
use std::sync::Once;

/// More threads than this are of no use to anyone, however many `RAYON_NUM_THREADS` asks for.
const MOST: usize = 64;
/// On machines with many cores: so many threads a core.
const MOST_PER_CORE: usize = 4;

/// Makes the threads, as many as the system allows. What the program has made itself stays.
pub(super) fn prepare() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok());
        let most = MOST.max(cores.saturating_mul(MOST_PER_CORE));
        let mut threads: usize = asked.filter(|asked| *asked > 0).unwrap_or(cores).min(most);
        // A failed attempt at the shared threads is final, so that others are started first.
        while threads > 0 && !can_start(threads) {
            threads /= 2;
        }
        let builder = rayon::ThreadPoolBuilder::new();
        // Without any thread, the one that opens the session does all the work.
        let _ = match threads {
            0 => builder.num_threads(1).use_current_thread().build_global(),
            _ => builder.num_threads(threads).build_global(),
        };
    });
}

/// Whether the system allows so many threads beside each other. All have ended on return.
fn can_start(threads: usize) -> bool {
    let started: Vec<_> = (0..threads)
        .map_while(|_| {
            let (hold, wait) = std::sync::mpsc::channel::<()>();
            let thread = std::thread::Builder::new().spawn(move || wait.recv().is_ok()).ok()?;
            Some((hold, thread))
        })
        .collect();
    let all = started.len() == threads;
    for (hold, thread) in started {
        drop(hold);
        let _ = thread.join();
    }
    all
}
