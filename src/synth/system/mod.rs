//! A whole running system in physical memory, as its kernel would have left it.
//!
//! [`system`] builds one from a [`SystemSpec`]; [`System::write`] writes it as a file of any
//! format. Further subjects (IRPs, pools, locks) have their own modules here, which `assemble`
//! calls once the objects that they point to have addresses.

mod bodies;
mod build;
mod debugger;
mod frames;
mod io;
mod locks;
mod memory_state;
mod modules;
mod objects;
mod pool;
mod pool_tags;
mod processes;
mod processors;
mod routines;
mod segment;
mod sessions;
mod shared;
mod spec;
mod special;
mod stacks;
mod thread_locks;
mod threads;
mod user;
mod version;
mod windows;
mod work;

use std::collections::BTreeMap;

pub use io::{Device, DriverObject, Io, Location, Request};
pub use locks::Resource;
pub use pool_tags::TagUse;
pub use routines::{Routines, Trace, Vector};
pub use spec::{
    Counters, NamedObject, PageFile, PoolBlock, PoolMap, PoolRequest, PoolState, Processor,
    Session, SystemHandle, SystemProcess, SystemSpec, SystemThread, ThreadState, Timer,
    UnloadedDriver, Vad, WorkItem, WorkQueue,
};
pub use thread_locks::ThreadLock;
pub use windows::Windows;

use self::build::Builder;
use self::objects::{Objects, Wanted};
use self::threads::Links;
use self::version::Version;
use super::layout::Layout;
use super::memory::{Memory, PAGE};

/// A system that was built.
#[derive(Debug)]
pub struct System {
    /// The specification, with every address filled in.
    pub facts: SystemSpec,
    /// Addresses of the kernel's variables by name.
    pub symbols: BTreeMap<String, u64>,
    /// Base and size of the kernel image.
    pub kernel: (u64, u32),
    /// Page directory base of the system process.
    pub dtb: u64,
    /// Address of the debugger data block.
    pub debugger_data: u64,
    /// Fields that this version of Windows lacks; they were left out.
    pub missing: Vec<String>,
    /// Every pool block, in the order of creation.
    pub pool: Vec<PoolBlock>,
    pub(super) version: Version,
    pub(super) memory: Memory,
    pub(super) context: Vec<u8>,
}

impl System {
    /// Name, GUID (32 digits) and age of the kernel's PDB, if no symbol file gives them.
    pub const fn pdb(&self) -> (&'static str, &'static str, u32) {
        (self.version.pdb.0, self.version.pdb.1, 1)
    }
}

/// Builds a system.
///
/// If no layout is built in for the version, the system has no structures, which `missing` reports.
pub fn system(spec: &SystemSpec) -> System {
    let mut version = *Version::of(spec.windows);
    if let Some(build) = spec.kernel.as_ref().and_then(|kernel| kernel.build) {
        (version.build, version.build_lab) = (build, "");
    }
    let built_in = match &spec.kernel {
        Some(_) => None,
        None => Layout::of_kernel(spec.windows),
    };
    let layout = spec.kernel.as_ref().map(|kernel| &kernel.layout).or(built_in.as_ref());
    let empty = Layout::empty(if version.is_64_bit() { 8 } else { 4 });
    assemble(spec.clone(), version, layout.unwrap_or(&empty))
}

fn assemble(mut spec: SystemSpec, version: Version, layout: &Layout) -> System {
    let file = spec.kernel.clone();
    let known = file.as_ref().map(|file| &file.symbols).filter(|known| !known.is_empty());
    let kernel = kernel(&spec, &version, known);
    let mut builder = Builder::new(layout, version, kernel, known);
    modules::kernel_code(&mut builder, &spec, kernel);
    if spec.pool_map.start != 0 {
        builder.pools.open[0].next = spec.pool_map.blocks;
        builder.pools.open[1].next = spec.pool_map.paged;
    }
    let mut objects = Objects::new(&mut builder);
    let mut links = Links::default();
    processors::choose(&mut builder, &mut spec.processors);
    allocate(&mut builder, &mut objects, &mut links, &mut spec);
    // Files refer to devices, and threads to IRPs.
    io::allocate(&mut builder, &mut objects, &mut spec);
    routines::allocate(&mut builder, &mut objects, &mut spec);
    named_objects(&mut builder, &mut objects, &links, &mut spec);
    sessions::prepare(&mut builder, &mut spec);
    let own = builder.offset("_KTHREAD", "Timer");
    for timer in spec.timers.iter_mut().filter(|timer| timer.address == 0) {
        if let Some(thread) = links.threads.get(&timer.thread) {
            timer.address = thread + own;
            continue;
        }
        timer.address = builder.pool(false, *b"Time", layout.size("_KTIMER") as u64);
    }
    locks::prepare(&mut builder, &mut objects, &mut spec);
    thread_locks::prepare(&mut builder, &mut objects, &mut spec);
    modules::write(&mut builder, &mut links, &spec, kernel);
    // The kernel image comes first, because other parts are written into it.
    modules::write_unloaded(&mut builder, &spec.unloaded);
    stacks::write(&mut builder, &mut spec, kernel);
    io::write(&mut builder, &objects, &mut links, &spec.io);
    for process in &spec.processes {
        for thread in &process.threads {
            threads::write(&mut builder, &objects, &mut links, process, thread, spec.ticks);
        }
    }
    let session = |process: &SystemProcess| {
        let found = spec.sessions.iter().find(|session| Some(session.id) == process.session);
        found.map_or(0, |session| session.address)
    };
    let sessions: Vec<u64> = spec.processes.iter().map(session).collect();
    for (process, session) in spec.processes.iter_mut().zip(sessions) {
        processes::write(&mut builder, &mut objects, &links, process, session);
        user::write(&mut builder, process, process.session.unwrap_or(0));
    }
    locks::write(&mut builder, &objects, &links, &mut spec);
    links.finish(&mut builder);
    lists(&mut builder, &spec);
    let idle: Vec<u64> = spec
        .processes
        .first()
        .map_or_else(Vec::new, |idle| idle.threads.iter().map(|thread| thread.ethread).collect());
    processors::write(&mut builder, &spec, &links, &idle);
    work::write(&mut builder, &links, &mut spec);
    objects.finish(&mut builder);
    let debugger_data = debugger::write(&mut builder, &spec);
    routines::write(&mut builder, &objects, &spec);
    shared::write(&mut builder, &spec);
    pool::requested(&mut builder, &spec);
    builder.finish_pools();
    builder.special_range();
    sessions::finish(&mut builder, &mut spec);
    pool_tags::write(&mut builder, &mut spec);
    frames::write(&mut builder, &spec);
    for block in &spec.blocks {
        builder.put(block.address, &block.bytes);
    }
    for process in spec.processes.iter().filter(|process| process.dtb != builder.dtb) {
        builder.memory.share_kernel(builder.dtb, process.dtb);
    }
    let context = context(&mut builder, &spec);
    System {
        symbols: builder.symbols,
        kernel,
        dtb: builder.dtb,
        debugger_data,
        missing: builder.missing.into_iter().collect(),
        pool: builder.pools.blocks,
        version,
        memory: builder.memory,
        context,
        facts: spec,
    }
}

/// Base and size of the kernel image: large enough for every symbol, and for the builder's own
/// variables.
fn kernel(
    spec: &SystemSpec,
    version: &Version,
    known: Option<&std::collections::HashMap<String, u64>>,
) -> (u64, u32) {
    let driver = spec.drivers.first();
    let base =
        driver.map(|driver| driver.base).filter(|base| *base != 0).unwrap_or(version.kernel.0);
    let size =
        driver.map(|driver| driver.size).filter(|size| *size != 0).unwrap_or(version.kernel.1);
    let last = known.and_then(|known| known.values().max()).copied().unwrap_or(0);
    let needed = u32::try_from(last + 0x2_0000).unwrap_or(0).next_multiple_of(0x1000);
    (base, size.max(needed))
}

/// Allocates every process and thread, with its address space and stack.
fn allocate(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    links: &mut Links,
    spec: &mut SystemSpec,
) {
    let process_size = builder.layout.size("_EPROCESS") as u64;
    let thread_size = builder.layout.size("_ETHREAD") as u64;
    let wanted = |kind, size, address| Wanted { kind, size, path: "", address };
    for (i, process) in spec.processes.iter_mut().enumerate() {
        let at = wanted("Process", process_size, process.eprocess);
        process.eprocess = objects.make(builder, &at);
        links.processes.insert(process.pid, process.eprocess);
        if process.dtb == 0 {
            process.dtb = if i < 2 { builder.dtb } else { builder.memory.new_space() };
        }
        if process.token == 0 && process.pid != 0 {
            process.token = processes::token(builder, objects);
        }
        for thread in &mut process.threads {
            let at = wanted("Thread", thread_size, thread.ethread);
            thread.ethread = objects.make(builder, &at);
            if thread.tid != 0 {
                links.threads.insert(thread.tid, thread.ethread);
                links.process_of.insert(thread.tid, process.eprocess);
            }
            if thread.stack.2 == 0 {
                let base = builder.kernel_stack(3);
                let current = base - 0x400 - 8 * thread.words.len() as u64;
                thread.stack = (base, current, base, base - 3 * PAGE);
            }
        }
    }
}

fn named_objects(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    links: &Links,
    spec: &mut SystemSpec,
) {
    for object in &mut spec.objects {
        let owner = links.threads.get(&object.owner).filter(|_| object.owner != 0);
        object.address = objects.make_named(builder, object, owner.copied().unwrap_or(0));
        if let Some(owner) = owner {
            let head = builder.offset("_KTHREAD", "MutantListHead");
            let entry = builder.offset("_KMUTANT", "MutantListEntry");
            builder.link(owner + head, &[object.address + entry]);
        }
    }
}

/// Links the lists of all processes, of the processes of a session and of all handle tables; writes
/// the table of client IDs.
fn lists(builder: &mut Builder<'_>, spec: &SystemSpec) {
    // The idle process is on no list.
    let listed = || spec.processes.iter().skip(1);
    let entry = builder.offset("_EPROCESS", "ActiveProcessLinks");
    let head = builder.variable("PsActiveProcessHead", 16);
    builder.link(head, &listed().map(|process| process.eprocess + entry).collect::<Vec<_>>());
    let entry = builder.offset("_HANDLE_TABLE", "HandleTableList");
    let head = builder.variable("HandleTableListHead", 16);
    let tables: Vec<u64> =
        listed().map(|process| process.object_table).filter(|at| *at != 0).collect();
    builder.link(head, &tables.into_iter().map(|at| at + entry).collect::<Vec<_>>());
    for session in &spec.sessions {
        let processes: Vec<u64> = listed()
            .filter(|process| process.session == Some(session.id))
            .map(|process| process.eprocess)
            .collect();
        debugger::session(builder, session, &processes);
    }
    let ids = listed().flat_map(|process| {
        let threads = process.threads.iter().map(|thread| (thread.tid, thread.ethread, 0));
        std::iter::once((process.pid, process.eprocess, 0)).chain(threads)
    });
    let table = processes::table(builder, &ids.collect::<Vec<_>>(), 0, 0);
    let at = builder.variable("PspCidTable", 8);
    builder.put_pointer(at, table);
    for (name, index) in [("PsIdleProcess", 0), ("PsInitialSystemProcess", 1)] {
        let at = builder.variable(name, 8);
        let process = spec.processes.get(index).map_or(0, |process| process.eprocess);
        builder.put_pointer(at, process);
    }
}

fn context(builder: &mut Builder<'_>, spec: &SystemSpec) -> Vec<u8> {
    let mut context = builder.new_object("_CONTEXT");
    let flags = if builder.version.is_64_bit() { 0x0010_001f } else { 0x0001_003f };
    context.set("ContextFlags", flags);
    for (name, value) in &spec.registers {
        context.set(name, *value);
    }
    builder.finish(context)
}
