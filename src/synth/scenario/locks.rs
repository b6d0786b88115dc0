//! Locks of the scenarios.

use crate::synth::system::{Resource, SystemSpec, ThreadLock};

/// Resources of a system under normal load: some free, some held, without waiters.
pub(super) fn healthy() -> Vec<Resource> {
    let pooled = |contention, owners: &[(u64, u64)], is_exclusive| Resource {
        contention,
        owners: owners.to_vec(),
        is_exclusive,
        ..Resource::default()
    };
    vec![
        Resource {
            symbol: "PsLoadedModuleResource".to_owned(),
            contention: 3,
            ..Resource::default()
        },
        pooled(0, &[], false),
        pooled(17, &[(12, 1)], true),
        pooled(240, &[(16, 1), (1896 + 4, 2)], false),
        pooled(2, &[], false),
    ]
}

/// A push lock with an owner and three waiters, one with two shared owners, and a mutex with a
/// waiter.
pub(super) fn noted() -> Vec<ThreadLock> {
    let lock = |is_mutex, owners: &[u64], waiters: &[u64]| ThreadLock {
        is_mutex,
        owners: owners.to_vec(),
        waiters: waiters.to_vec(),
        ..ThreadLock::default()
    };
    vec![
        lock(false, &[748], &[752, 756, 760]),
        lock(false, &[764, 768], &[772]),
        lock(true, &[764], &[776]),
    ]
}

/// The registry lock, which ten threads hold shared while hundreds wait for it.
pub(super) fn registry(owners: &[u64], shared: &[u64], exclusive: &[u64]) -> Resource {
    Resource {
        symbol: "CmpRegistryLock".to_owned(),
        contention: 9_149_810,
        owners: owners.iter().map(|tid| (*tid, 1)).collect(),
        shared_waiters: shared.to_vec(),
        exclusive_waiters: exclusive.to_vec(),
        ..Resource::default()
    }
}

/// Adds resources that three threads hold and wait for in a cycle (a deadlock).
pub(super) fn deadlock(spec: &mut SystemSpec, threads: [u64; 3]) {
    for (i, owner) in threads.into_iter().enumerate() {
        spec.resources.push(Resource {
            is_exclusive: true,
            contention: 1,
            owners: vec![(owner, 1)],
            exclusive_waiters: vec![threads[(i + 2) % 3]],
            ..Resource::default()
        });
    }
}
