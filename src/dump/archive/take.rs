//! Takes members out of archives: decides which are decompressed, and how much of them.

use std::io::{self, Read};

use super::{Kind, Unpacked, cabinet, seven, single, zipped};
use crate::dump::foreign::{self, Look};
use crate::dump::spool::{self, Budget, Failure, PART, Spooling};
use crate::dump::{Error, Image, vmware};

/// Upper limit on examined members.
const MAX_MEMBERS: usize = 10_000;
/// How many bytes of a member are examined to decide whether it is decompressed.
const HEAD: u64 = 64 << 10;
/// How many members a message names.
const NAMED: usize = 4;
/// The length at which the displayed name of a member is cut, in characters.
const MAX_NAME: usize = 200;

/// Why no more of an archive is read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The archive is damaged or not supported; the end of a sentence about it.
    Archive(String),
    /// A temporary file cannot be written, or a limit is exceeded.
    Error(Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Archive(format!("that is damaged or cut off: {error}"))
    }
}

/// Takes the members of an archive in order.
pub(super) fn members(image: &Image, kind: Kind, taker: &mut Taker<'_>) -> Result<(), Stop> {
    match kind {
        Kind::Zip => zipped::members(image, taker),
        Kind::SevenZip => seven::members(image, taker),
        Kind::Cabinet => cabinet::members(image, taker),
        Kind::Gzip | Kind::Zstd | Kind::Xz => single::member(image, kind, taker),
    }
}

/// Receives members, and decompresses those that may be dumps.
#[derive(Debug)]
pub(super) struct Taker<'a> {
    archive: &'a Image,
    kind: Kind,
    spooling: &'a Spooling,
    budget: Budget,
    /// The name of the member that is currently read as an archive.
    within: Option<String>,
    seen: usize,
    images: Vec<Image>,
    errors: Vec<Error>,
    /// Members that were left out, with a description of each.
    left_out: Vec<(String, String)>,
}

impl<'a> Taker<'a> {
    pub(super) fn new(archive: &'a Image, kind: Kind, spooling: &'a Spooling) -> Self {
        Self {
            archive,
            kind,
            spooling,
            budget: spooling.budget(),
            within: None,
            seen: 0,
            images: Vec::new(),
            errors: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Counts a member; fails if there are too many.
    pub(super) fn see(&mut self) -> Result<(), Stop> {
        self.seen = self.seen.saturating_add(1);
        if self.seen > MAX_MEMBERS {
            return Err(Stop::Archive(format!("with more than {MAX_MEMBERS} members")));
        }
        Ok(())
    }

    /// Reports that a member cannot be decompressed.
    pub(super) fn refuse(&mut self, name: &str, why: &str) {
        let name = self.full(name);
        self.errors.push(self.named(&name).not_a_dump(why));
    }

    /// Counts bytes that are decompressed only to reach a later member.
    pub(super) fn pass(&mut self, name: &str, bytes: u64) -> Result<(), Stop> {
        self.spooling.go_on(self.archive.path()).map_err(Stop::Error)?;
        let spent = self.budget.spend(bytes, 0, u64::MAX);
        spent.map_err(|why| self.too_much(name, &why))
    }

    /// Decompresses the rest of a member only to reach a later one.
    pub(super) fn skip(&mut self, name: &str, from: &mut dyn Read) -> Result<(), Stop> {
        let mut part = vec![0; PART];
        loop {
            match from.read(&mut part)? {
                0 => return Ok(()),
                len => self.pass(name, len as u64)?,
            }
        }
    }

    /// Decompresses a member if it may be a dump; `packed` is its compressed size.
    pub(super) fn take(
        &mut self,
        name: &str,
        packed: u64,
        from: &mut dyn Read,
    ) -> Result<(), Stop> {
        let name = self.full(name);
        let mut head = Vec::new();
        if let Err(error) = from.take(HEAD).read_to_end(&mut head) {
            self.damaged(&name, &error);
            return Ok(());
        }
        let look = match foreign::look(&head, head.len() as u64 >= HEAD, &name) {
            Look::Archive if self.within.is_some() => {
                let found = "an archive in an archive within the archive";
                Look::Other(found.to_owned())
            }
            look => look,
        };
        if let Look::Other(found) = look {
            self.left_out.push((name, found));
            return Ok(());
        }
        let mut spool = self.spooling.file(self.archive.path()).map_err(Stop::Error)?;
        match spool.copy(&mut head.as_slice().chain(from), packed, &mut self.budget) {
            Ok(()) => {}
            Err(Failure::Source(error)) => {
                self.damaged(&name, &error);
                return Ok(());
            }
            Err(Failure::TooMuch(why)) => return Err(self.too_much(&name, &why)),
            Err(Failure::Target(error)) => return Err(Stop::Error(error)),
        }
        let image = spool.finish().map_err(Stop::Error)?;
        let image = image.member_of(self.archive, &name, look == Look::Perhaps);
        if let Some(kind) = Kind::of(image.head(Kind::MAGIC)).filter(|_| look == Look::Archive) {
            return self.unpack_within(name, kind, &image);
        }
        self.images.push(image);
        Ok(())
    }

    /// Decompresses a member that is itself an archive.
    fn unpack_within(&mut self, name: String, kind: Kind, image: &Image) -> Result<(), Stop> {
        self.within = Some(name);
        let done = members(image, kind, self);
        self.within = None;
        if let Err(Stop::Archive(why)) = done {
            self.errors.push(image.not_a_dump(format!("{} {why}", kind.name())));
            return Ok(());
        }
        done
    }

    fn damaged(&mut self, name: &str, error: &io::Error) {
        let found =
            format!("a member that is damaged, cut off or packed in an unknown way: {error}");
        self.errors.push(self.named(name).not_a_dump(found));
    }

    fn too_much(&self, name: &str, why: &str) -> Stop {
        Stop::Error(self.named(name).not_a_dump(format!("a member that {why}")))
    }

    /// The displayed name: after the name of the archive that contains the member, and without
    /// control characters.
    fn full(&self, name: &str) -> String {
        let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        let name: String = name.chars().take(MAX_NAME).map(shown).collect();
        match &self.within {
            Some(within) => format!("{within}!{name}"),
            None => name,
        }
    }

    /// An empty image with the name of a member, for error messages.
    fn named(&self, name: &str) -> Image {
        Image::from_bytes(self.archive.path(), Vec::new()).member_of(self.archive, name, false)
    }

    /// The images and errors, after the last member or after reading stopped.
    pub(super) fn finish(mut self, done: Result<(), Stop>) -> Unpacked {
        let name = self.kind.name();
        match done {
            Ok(()) if self.images.is_empty() && self.errors.is_empty() => {
                let found = format!("{name} without a dump or a log{}", self.others());
                self.errors.push(self.archive.not_a_dump(found));
            }
            Ok(()) => {}
            Err(Stop::Archive(why)) => {
                self.errors.push(self.archive.not_a_dump(format!("{name} {why}")));
            }
            Err(Stop::Error(error)) => self.errors.push(error),
        }
        vmware::pair(&mut self.images);
        Unpacked { images: self.images, errors: self.errors }
    }

    /// A description of the members that were left out.
    fn others(&self) -> String {
        let each = self.left_out.iter().take(NAMED);
        let each: Vec<String> = each.map(|(name, found)| format!("{name} is {found}")).collect();
        match self.left_out.len().saturating_sub(NAMED) {
            _ if each.is_empty() => "; it is empty".to_owned(),
            0 => format!("; {}", each.join(", ")),
            more => format!("; {}, and {more} more", each.join(", ")),
        }
    }
}

/// A name for a member without one: the name of the archive without its extension.
pub(super) fn stem(archive: &Image) -> String {
    let name = spool::file_name(archive.path());
    let name = name.rsplit_once('!').map_or(name, |(_, member)| member);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}
