//! The open sources, the attached tables, and the catalog of both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::options::Options;
use super::settings::Settings;
use crate::catalog::{Catalog, PointerWidth, TableSpec};
use crate::diag::{Code, Diagnostic};
use crate::dump::{Health, Image};
use crate::exec::{MemTable, Registry};
use crate::lang::ast::Query;
use crate::model::Source;
use crate::plan::Definitions;
use crate::table::NamedSource;

/// An open dump or log, with its name in the column `dump`.
pub(super) struct OpenSource {
    pub(super) name: String,
    /// The files of the source: none for bytes in memory, the archive for its members.
    pub(super) files: Vec<PathBuf>,
    /// Whether what is read of it is right.
    pub(super) health: Health,
    /// The image, if the source can be opened again.
    pub(super) origin: Option<Image>,
    pub(super) source: Box<dyn Source>,
}

/// The definitions and settings that statements of the session have made.
#[derive(Clone)]
pub(super) struct Defined {
    pub(super) definitions: Arc<Definitions>,
    /// The specifications of the views as tables.
    pub(super) views: Vec<TableSpec>,
    pub(super) settings: Settings,
    /// The initial settings.
    pub(super) first: Settings,
    /// Prepared queries by their names in lower case.
    pub(super) prepared: BTreeMap<String, Arc<Query>>,
}

impl Defined {
    /// No definitions.
    pub(super) fn new(options: &Options) -> Self {
        let first = Settings::of(options);
        Self {
            definitions: Arc::default(),
            views: Vec::new(),
            settings: first.clone(),
            first,
            prepared: BTreeMap::new(),
        }
    }
}

/// The state that queries see.
#[derive(Clone)]
pub(super) struct State {
    pub(super) catalog: Arc<Catalog>,
    pub(super) sources: Vec<Arc<OpenSource>>,
    pub(super) attached: Vec<Arc<MemTable>>,
    /// Tables and functions, including those of the host program.
    pub(super) registry: Arc<Registry>,
    pub(super) defined: Defined,
}

impl State {
    pub(super) fn new(
        sources: Vec<Arc<OpenSource>>,
        attached: Vec<Arc<MemTable>>,
        registry: Arc<Registry>,
        defined: Defined,
    ) -> Self {
        let several = sources.len() > 1;
        let tables = registry.tables().map(|t| t.spec(several)).collect();
        let mut catalog = Catalog::new(tables, registry.functions().to_vec());
        for table in &attached {
            catalog.put_table(table.spec().clone());
        }
        for view in &defined.views {
            catalog.put_view(view.clone());
        }
        catalog.put_settings(defined.settings.listed(&defined.first));
        Self { catalog: Arc::new(catalog), sources, attached, registry, defined }
    }

    /// A copy with other definitions.
    pub(super) fn with_defined(&self, defined: Defined) -> Self {
        Self::new(self.sources.clone(), self.attached.clone(), Arc::clone(&self.registry), defined)
    }

    /// A copy with these sources and tables.
    fn of(&self, sources: Vec<Arc<OpenSource>>, attached: Vec<Arc<MemTable>>) -> Self {
        Self::new(sources, attached, Arc::clone(&self.registry), self.defined.clone())
    }

    /// A copy with another table, which replaces one with the same name.
    pub(super) fn with_table(&self, table: MemTable) -> Self {
        let mut attached = self.attached.clone();
        attached.retain(|t| !t.spec().name.eq_ignore_ascii_case(table.spec().name));
        attached.push(Arc::new(table));
        self.of(self.sources.clone(), attached)
    }

    /// A copy with an additional source.
    pub(super) fn with_source(&self, source: OpenSource) -> Self {
        let mut sources = self.sources.clone();
        sources.push(Arc::new(source));
        self.of(sources, self.attached.clone())
    }

    /// Copies that each have one of the sources, with its name, and all attached tables. All have
    /// the same catalog.
    pub(super) fn each_alone(&self) -> impl Iterator<Item = (&str, Self)> {
        let first = self.sources.iter().take(1).cloned().collect();
        let one = self.of(first, self.attached.clone());
        self.sources.iter().map(move |source| {
            (source.name.as_str(), Self { sources: vec![Arc::clone(source)], ..one.clone() })
        })
    }

    /// A copy with other tables and functions.
    pub(super) fn with_registry(&self, registry: Registry) -> Self {
        let (sources, attached) = (self.sources.clone(), self.attached.clone());
        Self::new(sources, attached, Arc::new(registry), self.defined.clone())
    }

    /// A copy without the source or attached table with that name; `None` if there is none.
    pub(super) fn without(&self, name: &str) -> Option<Self> {
        let table = |t: &&Arc<MemTable>| !t.spec().name.eq_ignore_ascii_case(name);
        let source = |s: &&Arc<OpenSource>| !s.name.eq_ignore_ascii_case(name);
        let attached: Vec<_> = self.attached.iter().filter(table).cloned().collect();
        if attached.len() < self.attached.len() {
            return Some(self.of(self.sources.clone(), attached));
        }
        let sources: Vec<_> = self.sources.iter().filter(source).cloned().collect();
        (sources.len() < self.sources.len()).then(|| self.of(sources, attached))
    }

    /// The files of all sources and attached tables.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let sources = self.sources.iter().flat_map(|source| &source.files).map(PathBuf::as_path);
        let tables = self.attached.iter().filter_map(|table| table.file().map(Path::new));
        sources.chain(tables)
    }

    /// Fails if a file was cut or can no longer be read: what was read of it may be zeros that it never
    /// held.
    pub(super) fn check(&self) -> Result<(), Diagnostic> {
        let damage = self.sources.iter().find_map(|source| source.health.damage());
        damage.map_or(Ok(()), |damage| Err(damaged(damage)))
    }

    /// Whether nothing happened to the files but that queries were stopped while they read.
    pub(super) fn is_stopped(&self) -> bool {
        let mut damaged = self.sources.iter().filter(|source| source.health.damage().is_some());
        damaged.all(|source| source.health.is_stopped())
    }

    /// Registers a query with the sources that it may have to wait for, until the values are dropped.
    pub(super) fn wait_for(&self, flag: &Arc<AtomicBool>) -> Vec<impl Sized + use<>> {
        self.sources.iter().filter_map(|source| source.health.wait_for(flag)).collect()
    }

    /// A copy with a source in the place of another.
    pub(super) fn with_instead(&self, old: &Arc<OpenSource>, new: &Arc<OpenSource>) -> Self {
        let instead = |source: &Arc<OpenSource>| {
            Arc::clone(if Arc::ptr_eq(source, old) { new } else { source })
        };
        self.of(self.sources.iter().map(instead).collect(), self.attached.clone())
    }

    pub(super) fn has_source(&self, name: &str) -> bool {
        self.sources.iter().any(|s| s.name.eq_ignore_ascii_case(name))
    }

    /// The sources for tables.
    pub(super) fn named(&self) -> Vec<NamedSource<'_>> {
        self.sources.iter().map(|s| NamedSource { name: &s.name, source: &*s.source }).collect()
    }

    /// The sources for functions.
    pub(super) fn for_functions(&self) -> Vec<(&str, &dyn Source)> {
        self.sources.iter().map(|s| (s.name.as_str(), &*s.source)).collect()
    }

    /// 64 bits if any of the sources has 64 bits.
    pub(super) fn width(&self) -> PointerWidth {
        let narrow = |s: &Arc<OpenSource>| s.source.machine().width == PointerWidth::Bits32;
        if !self.sources.is_empty() && self.sources.iter().all(narrow) {
            PointerWidth::Bits32
        } else {
            PointerWidth::Bits64
        }
    }
}

/// The error of a file that changed while it was open.
pub(super) fn damaged(damage: String) -> Diagnostic {
    Diagnostic::new(Code::Io, damage)
        .help("what was read of it cannot be trusted; open it again when it is whole")
}

/// File names if they are unique, otherwise whole paths, with numbers if these repeat. `names` are
/// the names of archive members and the paths.
pub(super) fn short_names<'a>(
    names: impl Iterator<Item = (Option<&'a str>, &'a str)>,
) -> Vec<String> {
    let short =
        |(name, path): (Option<&'a str>, &'a str)| (name.unwrap_or_else(|| file_name(path)), path);
    let names: Vec<(&str, &str)> = names.map(short).collect();
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (short, _) in &names {
        *uses.entry(short).or_default() += 1;
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let names = names.iter().map(|(short, path)| {
        let name = if uses.get(short) == Some(&1) { *short } else { *path }.to_owned();
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name}#{count}") }
    });
    names.collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
