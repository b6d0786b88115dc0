//! Mapped files that change while they are open: a file that is cut, or that a disk or a server no
//! longer gives.
//!
//! A read of a mapped page that is gone is a fault, which ends the process unless it is handled.
//! [`install`] handles the faults of the mappings that are registered here: zeros take the place of
//! the pages, so that the work that goes on can end, and the mapping is marked. The mark never goes
//! away. Whoever returns results asks for it first ([`Health::damage`]): the zeros are no data.
//!
//! A page of which a part is cut away faults nowhere and reads as zeros; the size of the file tells.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[cfg(unix)]
pub(super) use self::mapped::Registered;
#[cfg(unix)]
pub use self::mapped::install;
use super::remote::{Remote, Wait};

/// Does nothing: a file that is mapped cannot be cut on this system, and files of other machines are
/// copied before they are read.
#[cfg(not(unix))]
pub const fn install() {}

/// A mapping that needs no handler.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Registered;

#[cfg(not(unix))]
impl Registered {
    pub(super) const fn new(_: *const [u8]) -> Self {
        Self
    }

    pub(super) const fn is_damaged(&self) -> bool {
        false
    }

    pub(super) const fn end(&self) {}
}

/// Whether what was read of a file is right, asked at any time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Option<Subject>);

#[derive(Debug, Clone)]
enum Subject {
    Mapped(Arc<Watched>),
    Fetched(Arc<Remote>),
}

#[derive(Debug)]
struct Watched {
    name: String,
    mapping: Arc<Registered>,
    file: Option<Size>,
}

/// The size of a file when it was mapped, and what tells the file from another one of its name.
#[derive(Debug)]
struct Size {
    path: PathBuf,
    bytes: u64,
    identity: (u64, u64),
}

impl Health {
    /// That of a mapping, and of the file if it has a name.
    pub(super) fn of(
        name: &str,
        mapping: &Arc<Registered>,
        file: Option<(&Path, &Metadata)>,
    ) -> Self {
        let size = |(path, metadata): (&Path, &Metadata)| Size {
            path: path.to_owned(),
            bytes: metadata.len(),
            identity: identity(metadata),
        };
        let (name, mapping) = (name.to_owned(), Arc::clone(mapping));
        Self(Some(Subject::Mapped(Arc::new(Watched { name, mapping, file: file.map(size) }))))
    }

    /// That of a file that is fetched range by range.
    pub(super) fn of_remote(remote: &Arc<Remote>) -> Self {
        Self(Some(Subject::Fetched(Arc::clone(remote))))
    }

    /// Whether nothing happened but that queries were stopped while a range was read.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(&self.0, Some(Subject::Fetched(remote)) if remote.is_stopped())
    }

    /// Whether a source that is opened again may read what this one could not.
    pub(crate) fn may_succeed(&self) -> bool {
        matches!(&self.0, Some(Subject::Fetched(remote)) if remote.may_succeed())
    }

    /// Registers the flag of a query that reads the file, if that may take long.
    pub(crate) fn wait_for(&self, flag: &Arc<AtomicBool>) -> Option<Wait> {
        match &self.0 {
            Some(Subject::Fetched(remote)) => Some(remote.wait_for(flag)),
            _ => None,
        }
    }

    /// What happened to the file, as a sentence with its name; `None` if it is as it was.
    pub fn damage(&self) -> Option<String> {
        let watched = match self.0.as_ref()? {
            Subject::Mapped(watched) => watched,
            Subject::Fetched(remote) => return remote.damage(),
        };
        let name = &watched.name;
        if let Some(size) = &watched.file
            && let Ok(now) = std::fs::metadata(&size.path)
            && identity(&now) == size.identity
            && now.len() < size.bytes
        {
            let (before, now) = (size.bytes, now.len());
            return Some(format!("{name} was cut while it was open: {before} bytes became {now}"));
        }
        watched.mapping.is_damaged().then(|| {
            format!("{name} can no longer be read: it was cut, or its disk or server failed")
        })
    }
}

/// What a file has and another one does not.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
const fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "the handler of a signal, and the pages that it maps")]
mod mapped {
    use std::ffi::{c_int, c_void};
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

    /// How many mappings a block has room for.
    const SLOTS: usize = 256;

    /// A mapping, or room for one. It is read by the handler, which may neither lock nor allocate.
    struct Slot {
        is_taken: AtomicBool,
        /// The first address; 0 if there is no mapping.
        start: AtomicUsize,
        end: AtomicUsize,
        is_damaged: AtomicBool,
    }

    /// Blocks are never freed, so that the handler may walk them at any time.
    struct Block {
        slots: [Slot; SLOTS],
        next: AtomicPtr<Block>,
    }

    static FIRST: Block = Block::new();
    static PAGE: AtomicUsize = AtomicUsize::new(4096);
    /// What handled the signal before.
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

    impl Block {
        const fn new() -> Self {
            Self {
                slots: [const {
                    Slot {
                        is_taken: AtomicBool::new(false),
                        start: AtomicUsize::new(0),
                        end: AtomicUsize::new(0),
                        is_damaged: AtomicBool::new(false),
                    }
                }; SLOTS],
                next: AtomicPtr::new(ptr::null_mut()),
            }
        }

        fn next(&self) -> Option<&'static Self> {
            // SAFETY: the pointer is null or comes from a box that is never freed.
            unsafe { self.next.load(Ordering::Acquire).as_ref() }
        }

        /// The next block, which is made if there is none.
        fn next_or_new(&self) -> &'static Self {
            if let Some(next) = self.next() {
                return next;
            }
            let new = Box::into_raw(Box::new(Self::new()));
            let set = self.next.compare_exchange(
                ptr::null_mut(),
                new,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            let next = match set {
                Ok(_) => new,
                Err(other) => {
                    // SAFETY: nobody else has seen this block.
                    drop(unsafe { Box::from_raw(new) });
                    other
                }
            };
            // SAFETY: the pointer comes from a box that is never freed.
            unsafe { &*next }
        }
    }

    /// A registered mapping. Its mark may be asked for after the mapping has ended.
    pub(crate) struct Registered(&'static Slot);

    impl Registered {
        pub(crate) fn new(bytes: *const [u8]) -> Self {
            let mut block = &FIRST;
            loop {
                let free = block.slots.iter().find(|slot| {
                    let taken = slot.is_taken.compare_exchange(
                        false,
                        true,
                        Ordering::AcqRel,
                        Ordering::Relaxed,
                    );
                    taken.is_ok()
                });
                if let Some(slot) = free {
                    let start = bytes.cast::<u8>() as usize;
                    slot.is_damaged.store(false, Ordering::Relaxed);
                    slot.end.store(start.saturating_add(bytes.len()), Ordering::Release);
                    slot.start.store(start, Ordering::Release);
                    return Self(slot);
                }
                block = block.next_or_new();
            }
        }

        pub(crate) fn is_damaged(&self) -> bool {
            self.0.is_damaged.load(Ordering::Acquire)
        }

        /// Ends before the mapping does; faults at its addresses are those of others from here on.
        pub(crate) fn end(&self) {
            self.0.start.store(0, Ordering::Release);
            self.0.end.store(0, Ordering::Release);
        }
    }

    impl std::fmt::Debug for Registered {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Registered").field("damaged", &self.is_damaged()).finish()
        }
    }

    impl Drop for Registered {
        fn drop(&mut self) {
            self.end();
            self.0.is_taken.store(false, Ordering::Release);
        }
    }

    /// Handles the faults of registered mappings from here on, in the whole process. Other faults go
    /// to what handled them before. The system may refuse; then faults end the process as before.
    pub fn install() {
        BEFORE.get_or_init(|| {
            // SAFETY: `sysconf` reads a number.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            PAGE.store(usize::try_from(page).unwrap_or(4096), Ordering::Relaxed);
            let mut before = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: zeros are a valid `sigaction`, of the default action with an empty mask.
            let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
            ours.sa_sigaction =
                handle as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: both point to values that live as long as the call; what is not written is zero.
            unsafe {
                libc::sigaction(libc::SIGBUS, &raw const ours, before.as_mut_ptr());
                before.assume_init()
            }
        });
    }

    extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        // SAFETY: the system passes a valid pointer, or none.
        let address = unsafe { info.as_ref().map_or(0, |info| info.si_addr() as usize) };
        if !replace(address) {
            pass_on(signal, info, context);
        }
    }

    /// Maps zeros from the page of the address to the end of its mapping; whether it is one of ours.
    fn replace(address: usize) -> bool {
        let mut block = Some(&FIRST);
        while let Some(some) = block {
            for slot in &some.slots {
                let start = slot.start.load(Ordering::Acquire);
                let end = slot.end.load(Ordering::Acquire);
                if start == 0 || address < start || address >= end {
                    continue;
                }
                slot.is_damaged.store(true, Ordering::Release);
                let page = PAGE.load(Ordering::Relaxed);
                let from = address & !page.wrapping_sub(1);
                // SAFETY: the range is within a mapping that the process reads only, and whose owner
                // waits for this thread or reads beside it: it sees the file's bytes or zeros.
                let mapped = unsafe {
                    libc::mmap(
                        from as *mut c_void,
                        end.wrapping_sub(from),
                        libc::PROT_READ,
                        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                        -1,
                        0,
                    )
                };
                return mapped != libc::MAP_FAILED;
            }
            block = some.next();
        }
        false
    }

    /// Does what would have been done without a handler.
    fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let before = BEFORE.get();
        let action = before.map_or(libc::SIG_DFL, |before| before.sa_sigaction);
        if action == libc::SIG_DFL || action == libc::SIG_IGN {
            // The instruction runs again, and its fault ends the process.
            // SAFETY: the default action is always allowed.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            return;
        }
        let takes_info = before.is_some_and(|before| before.sa_flags & libc::SA_SIGINFO != 0);
        // SAFETY: the system gave this address as that of a handler of the kind that the flag says.
        unsafe {
            if takes_info {
                let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                    std::mem::transmute::<usize, _>(action);
                handler(signal, info, context);
            } else {
                let handler: extern "C" fn(c_int) = std::mem::transmute::<usize, _>(action);
                handler(signal);
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::Image;

    #[test]
    fn a_file_that_is_cut_reads_as_damaged_and_not_as_a_fault() {
        super::install();
        let name = format!("dumpql-fault-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, vec![7; 0x10_0000]).unwrap();
        let images: Vec<Image> = (0..300).map(|_| Image::open(&path).unwrap()).collect();
        assert!(images.iter().all(|image| image.health().damage().is_none()));
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0x800).unwrap();
        let cut = images[0].health().damage().unwrap();
        assert!(cut.contains("1048576 bytes became 2048"), "{cut}");
        // Another file of the name says nothing of the one that is mapped.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "another").unwrap();
        for image in &images[..] {
            assert!(image.health().damage().is_none());
            assert_eq!((image.whole()[0x8_0000], image.whole()[0xf_ffff]), (0, 0));
            let said = image.health().damage().unwrap();
            assert!(said.contains("can no longer be read"), "{said}");
        }
        drop(images);
        let whole = Image::open(&path).unwrap();
        assert_eq!((whole.whole(), whole.health().damage()), (&b"another"[..], None));
        std::fs::remove_file(&path).unwrap();
    }
}
