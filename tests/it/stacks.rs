//! Stacks of whole synthetic systems, frame by frame.

use dumpql::internals::catalog::{Absent, HintOp, Value};
use dumpql::internals::dump::Image;
use dumpql::internals::model::{Condition, Frame, Row as _, StackWord, Thread, Want};
use dumpql::internals::source;
use dumpql::internals::symbol::Store;
use dumpql::internals::synth::{self, Format, SystemSpec, ThreadState, Windows};

use crate::systems::{ALL, rows};

/// The stacks of every thread, frame by frame; in dumps without process memory, up to the entry to
/// the kernel.
fn compare_stacks(what: &str, spec: &SystemSpec, format: Format, has_user: bool) {
    let system = synth::system(spec);
    let image = Image::from_bytes("it", system.to_vec(format));
    let source = source::open(image, &Store::default()).expect("it is a kernel dump");
    let frames = rows(|emit| source.answers().read::<Frame>(&Want::ALL, emit));
    let is_64_bit = source.machine().arch == "x64";
    let processes = system.facts.processes.iter().skip(1);
    let threads = processes.flat_map(|process| &process.threads);
    let mut walked = 0;
    for thread in threads.filter(|thread| !thread.frames.is_empty()) {
        let found: Vec<_> = frames.iter().filter(|f| f.ethread == Ok(thread.ethread)).collect();
        let is_kernels =
            |ip: u64| ip > u64::from(u32::MAX) && ip >> 47 != 0 || !is_64_bit && ip >> 31 == 1;
        let first_below = thread.frames.iter().position(|(ip, _)| !is_kernels(*ip));
        let wanted = match first_below {
            Some(first) if !has_user => &thread.frames[..=first],
            _ => &thread.frames[..],
        };
        let ips: Vec<u64> = found.iter().map(|frame| frame.ip.unwrap()).collect();
        let facts: Vec<u64> = wanted.iter().map(|(ip, _)| *ip).collect();
        assert_eq!(ips, facts, "{what}: thread {:#x}", thread.tid);
        if is_64_bit {
            let sps: Vec<u64> = found.iter().map(|frame| frame.sp.unwrap()).collect();
            let facts: Vec<u64> = wanted.iter().map(|(_, sp)| *sp).collect();
            assert_eq!(sps, facts, "{what}: thread {:#x}", thread.tid);
            let is_told = |trust: &str| matches!(trust, "unwind" | "trap_frame");
            let unwound = found[1..].iter().all(|f| f.trust.as_deref().is_ok_and(is_told));
            assert!(unwound, "{what}: thread {:#x}", thread.tid);
        }
        let scanned = found.iter().any(|f| f.trust.as_deref() == Ok("scan"));
        assert!(!scanned, "{what}: thread {:#x}", thread.tid);
        if wanted.len() == thread.frames.len() {
            assert_eq!(found.last().unwrap().return_address, Ok(0), "{what}: the end");
        }
        let modules: Vec<_> = found.iter().filter_map(|f| f.module.as_deref().ok()).collect();
        assert_eq!(modules[0], "nt");
        if has_user && first_below.is_some() {
            assert_eq!(modules.last(), Some(&"ntdll"), "{what}: thread {:#x}", thread.tid);
        }
        walked += 1;
    }
    assert!(walked > 20, "{what}: {walked} threads");
}

#[test]
fn stacks_match_the_calls() {
    let with_stacks = |windows| SystemSpec { stacks: true, ..synth::healthy(windows) };
    for windows in ALL {
        let spec = with_stacks(windows);
        compare_stacks(&format!("{windows:?}"), &spec, Format::BitmapFull, true);
    }
    for windows in [Windows::Server2003, Windows::Server2003Pae, Windows::Windows10] {
        let spec = with_stacks(windows);
        for format in [Format::KernelSummary, Format::BitmapKernel] {
            compare_stacks(&format!("{windows:?} as {format:?}"), &spec, format, false);
        }
    }
    let spec = with_stacks(Windows::Windows11);
    for format in [Format::Full, Format::KernelAndUserMemory, Format::CompleteMemory, Format::Raw] {
        let spec = SystemSpec { physical_pages: 0x2000, ..spec.clone() };
        compare_stacks(&format!("{format:?}"), &spec, format, true);
    }
}

#[test]
fn damaged_stacks_end() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let spec = SystemSpec { stacks: true, physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        let whole = system.to_vec(Format::BitmapFull);
        let words: Vec<u64> = system
            .facts
            .processes
            .iter()
            .flat_map(|process| &process.threads)
            .flat_map(|thread| thread.frames.iter().flat_map(|(ip, sp)| [*ip, *sp]))
            .collect();
        // Where words of stacks stand in the file, and with them most of what a walk follows.
        let width = if windows == Windows::Windows10 { 8 } else { 4 };
        let places: Vec<usize> = (0x2000..whole.len() - width)
            .step_by(width)
            .filter(|at| {
                let mut word = [0; 8];
                word[..width].copy_from_slice(&whole[*at..at + width]);
                words.contains(&u64::from_le_bytes(word))
            })
            .collect();
        assert!(places.len() > 100, "{} places", places.len());
        for _ in 0..100 {
            let mut edited = whole.clone();
            for _ in 0..50 {
                let near = places[usize::try_from(next()).unwrap() % places.len()];
                let at = near + 8 * (usize::try_from(next()).unwrap() % 8);
                let word = words[usize::try_from(next()).unwrap() % words.len()];
                let word = if next() % 3 == 0 { next() } else { word };
                if let Some(place) = edited.get_mut(at..at + width) {
                    place.copy_from_slice(&word.to_le_bytes()[..width]);
                }
            }
            let source = source::open(Image::from_bytes("it", edited), &Store::default());
            let frames =
                rows(|emit| source.as_ref().unwrap().answers().read::<Frame>(&Want::ALL, emit));
            assert!(frames.iter().all(|frame| frame.frame.unwrap() < 1024));
        }
    }
}

/// The words of every stack, and the columns that describe a whole stack.
#[test]
fn stack_words_and_stack_columns_match_the_calls() {
    for windows in [Windows::Server2003Pae, Windows::Windows7, Windows::Windows11] {
        let spec = SystemSpec { stacks: true, physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
        let source = source::open(image, &Store::default()).expect("it is a kernel dump");
        let words = rows(|emit| source.answers().read::<StackWord>(&Want::ALL, emit));
        let threads = rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit));
        let processes = system.facts.processes.iter().skip(1);
        let built = || processes.clone().flat_map(|p| p.threads.iter().map(move |t| (p, t)));
        for (_, thread) in built().filter(|(_, t)| !t.frames.is_empty()) {
            let mine: Vec<_> = words.iter().filter(|w| w.ethread == Ok(thread.ethread)).collect();
            let last = mine.last().expect("words").address.unwrap();
            assert!(last < thread.stack.2 && last >= thread.stack.2 - 8, "up to the base");
            // Each call of the kernel but the innermost left its return address there.
            let kernels =
                thread.frames.iter().filter(|(ip, _)| source.memory().locate(*ip).is_ok());
            let kernels =
                kernels.filter(|(ip, _)| source.memory().locate(*ip).unwrap().module == "nt");
            for (ip, _) in kernels.skip(1) {
                let word = mine.iter().find(|word| word.value == Ok(*ip));
                let entry = thread.frames.iter().position(|(at, _)| at == ip).unwrap();
                let is_entry = thread.trap_frame != 0
                    && thread
                        .frames
                        .get(entry + 1)
                        .is_some_and(|(ip, _)| source.memory().locate(*ip).is_err());
                let Some(word) = word else {
                    assert!(is_entry || thread.state == ThreadState::Running, "{ip:#x} is missing");
                    continue;
                };
                assert_eq!(word.is_return_address, Ok(true));
                assert!(word.symbol.as_deref().unwrap().starts_with("nt"));
            }
        }
        // A condition on the thread leaves the words of others out.
        let (_, one) = built().find(|(_, t)| !t.frames.is_empty()).unwrap();
        let op = HintOp::In(vec![Value::Addr(one.ethread)]);
        let conditions = [Condition { column: StackWord::COLUMNS.ethread, op: &op }];
        let want = Want::ALL.with(&conditions);
        let few = rows(|emit| source.answers().read::<StackWord>(&want, emit));
        assert!(!few.is_empty() && few.iter().all(|word| word.ethread == Ok(one.ethread)));
        // Threads share a number if they stand in the same calls of the same modules.
        let mut known = std::collections::BTreeMap::new();
        for (process, thread) in built().filter(|(_, t)| !t.frames.is_empty()) {
            let row = threads.iter().find(|t| t.ethread == Ok(thread.ethread)).unwrap();
            let ips: Vec<u64> = thread.frames.iter().map(|(ip, _)| *ip).collect();
            let has_user = thread.trap_frame != 0;
            let program = if has_user { process.name.as_str() } else { "" };
            let id = row.stack_id.expect("a number");
            assert_eq!(*known.entry((program, ips)).or_insert(id), id);
            // The kernel has no symbols here: what is not in it nor in ntdll is the program.
            match row.blocker.as_deref() {
                Ok(blocker) => {
                    assert!(!program.is_empty() && !blocker.starts_with("nt"), "{blocker}");
                }
                Err(reason) => assert_eq!((program, *reason), ("", Absent::NoSymbols)),
            }
        }
        let mut ids: Vec<u64> = known.values().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), known.len(), "other stacks have other numbers");
    }
}
