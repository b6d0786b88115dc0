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
        // A failed attempt at the shared threads is final, so others are tried first.
        while rayon::ThreadPoolBuilder::new().num_threads(threads).build().is_err() {
            threads /= 2;
            if threads == 0 {
                return;
            }
        }
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    });
}
