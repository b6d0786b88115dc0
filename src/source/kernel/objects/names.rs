//! Names of objects: paths in the object namespace, files with their devices, registry keys,
//! processes and threads.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{text, text_utf16};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::PROCESS;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::Manager;
use crate::source::kernel::scheduler::thread;

/// Upper limit on nesting; deeper directories or keys are circular.
const MAX_DEPTH: usize = 128;
/// Upper limit on a path, in bytes.
const MAX_PATH: usize = 4096;
/// How many bytes of paths are cached for the objects that share them.
const MAX_KEPT: usize = 16 << 20;
/// Upper limit on a key name, in bytes.
const MAX_KEY: u64 = 512;
/// The name of the root directory.
const ROOT: &str = "\\";

/// Names of objects, with a cache of shared parts.
pub(crate) struct Names<'a> {
    core: &'a Core,
    manager: &'a Manager,
    paths: HashMap<u64, Arc<str>>,
    kept: usize,
}

/// One step up a path: the name, and the parent.
type Step = Cell<(String, Option<u64>)>;

impl<'a> Names<'a> {
    pub(crate) fn new(core: &'a Core, manager: &'a Manager) -> Self {
        Self { core, manager, paths: HashMap::new(), kept: 0 }
    }

    /// The name of an object of a type, as tools display it.
    pub(crate) fn of(&mut self, object: u64, kind: &str) -> Cell<String> {
        match kind {
            "File" => self.file(object),
            "Key" => self.key(object),
            "Process" => self.process(object),
            "Thread" => self.thread(object),
            "Section" => self.path(object).or_else(|absent| match absent {
                Absent::NotApplicable => self.section(object),
                _ => Err(absent),
            }),
            _ => self.path(object),
        }
    }

    /// Whether an object with a header of that type is at an address, rather than something
    /// embedded in another structure.
    pub(crate) fn is_of(&self, object: u64, kind: &str) -> bool {
        let header = manager::object_header(self.core, self.manager, object);
        let found = header.and_then(|header| manager::type_name(self.core, self.manager, &header));
        found.is_ok_and(|found| &*found == kind)
    }

    /// The path of an object in the namespace.
    pub(crate) fn path(&mut self, object: u64) -> Cell<String> {
        self.joined(object, |names, object| {
            let header = manager::object_header(names.core, names.manager, object)?;
            let (directory, name) = manager::header_name(names.core, names.manager, &header)?;
            let is_top = directory == 0 || names.manager.root == Ok(directory) || name == ROOT;
            Ok((name, (!is_top).then_some(directory)))
        })
    }

    /// The device of a file object, and the file's name on it.
    pub(crate) fn file(&mut self, file: u64) -> Cell<String> {
        let file = self.core.structure("_FILE_OBJECT", file);
        let name = file.unicode("FileName");
        let device = file.pointer("DeviceObject").and_then(|device| self.path(device));
        match (device, name) {
            (Ok(device), Ok(name)) => Ok(if name.starts_with('\\') {
                device + &name
            } else {
                format!("{device}\\{name}")
            }),
            (Ok(device), Err(Absent::NotApplicable)) => Ok(device),
            (_, name) => name,
        }
    }

    /// The path of a registry key.
    fn key(&mut self, key: u64) -> Cell<String> {
        let block = self.core.structure("_CM_KEY_BODY", key).pointer("KeyControlBlock")?;
        self.joined(block, Self::key_step)
    }

    fn key_step(&self, block: u64) -> Step {
        let block = self.core.structure("_CM_KEY_CONTROL_BLOCK", block);
        let parent = block.raw_pointer("ParentKcb")?;
        let name = block.follow("NameBlock", "_CM_NAME_CONTROL_BLOCK")?;
        let len = name.unsigned("NameLength")?.min(MAX_KEY);
        let bytes = self.core.bytes(name.at("Name")?, usize::try_from(len).unwrap_or(0))?;
        let is_narrow = name.unsigned("Compressed")? & 1 == 1;
        let name = if is_narrow { text(&bytes) } else { text_utf16(&bytes) };
        Ok((name, (parent != 0).then_some(parent)))
    }

    /// The names from the root down to an object, each after a backslash.
    fn joined(&mut self, object: u64, step: impl Fn(&Self, u64) -> Step) -> Cell<String> {
        let mut parts = Vec::new();
        let mut seen = HashSet::new();
        let mut above: Arc<str> = "".into();
        let mut next = Some(object);
        while let Some(at) = next {
            if let Some(known) = self.paths.get(&at) {
                above = Arc::clone(known);
                break;
            }
            if parts.len() == MAX_DEPTH || !seen.insert(at) {
                return Err(Absent::Unreadable);
            }
            match step(self, at) {
                Ok((name, up)) => {
                    parts.push((at, name));
                    next = up;
                }
                // The first component may have no name; the rest is returned.
                Err(_) if !parts.is_empty() => break,
                Err(absent) => return Err(absent),
            }
        }
        let mut path = above.to_string();
        for (i, (at, name)) in parts.iter().enumerate().rev() {
            if name == ROOT {
                continue;
            }
            path.push('\\');
            path.push_str(name);
            if path.len() > MAX_PATH {
                return Err(Absent::Unreadable);
            }
            // The object itself is rarely needed again, its parents often.
            if i > 0 {
                self.keep(*at, path.as_str().into());
            }
        }
        Ok(if path.is_empty() { ROOT.to_owned() } else { path })
    }

    fn keep(&mut self, at: u64, path: Arc<str>) {
        if self.kept > MAX_KEPT {
            self.paths.clear();
            self.kept = 0;
        }
        self.kept += path.len();
        self.paths.insert(at, path);
    }

    /// Name and ID of a process.
    fn process(&self, eprocess: u64) -> Cell<String> {
        let process = self.core.object(PROCESS, eprocess).ok_or(Absent::NotInDump)?;
        let (name, pid) = (process.text("ImageFileName")?, process.int("UniqueProcessId")?);
        Ok(format!("{name} ({pid})"))
    }

    /// Name and ID of a thread's process, and its own ID.
    fn thread(&self, ethread: u64) -> Cell<String> {
        let named = thread::named_thread(self.core, ethread);
        Ok(format!("{} ({}.{})", named.process?, named.pid?, named.tid?))
    }

    /// The file that a section maps.
    fn section(&mut self, section: u64) -> Cell<String> {
        let core = self.core;
        let area = if core.has_field("_SECTION", "u1.ControlArea") {
            // The lowest bits give the kind of section.
            core.structure("_SECTION", section).pointer("u1.ControlArea").map(|at| at & !3)
        } else {
            let segment =
                core.structure("_SECTION_OBJECT", section).follow("Segment", "_SEGMENT")?;
            segment.pointer("ControlArea")
        };
        self.mapped_file(core.structure("_CONTROL_AREA", area?))
    }

    /// The file of a control area.
    pub(crate) fn mapped_file(&mut self, area: Structure<'_>) -> Cell<String> {
        // The lowest bits of a fast reference (`_EX_FAST_REF`) are its count: 4 bits in 64-bit
        // kernels, 3 in others.
        let counted = !(2 * self.core.header.width.bytes() as u64 - 1);
        let file = area.pointer("FilePointer")? & counted;
        if file == 0 { Err(Absent::NotApplicable) } else { self.file(file) }
    }
}
