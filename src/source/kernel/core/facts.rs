//! Facts about the system as a whole, from the header and the debugger data block.

use crate::source::kernel::core::Core;

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::text;
use crate::dump::kdbg;
use crate::source::context::Context;

impl Core {
    /// The context record of the crash.
    pub(crate) fn crash_context(&self) -> Option<Context<'_>> {
        let (offset, len) = self.header.context;
        let end = offset.saturating_add(len).min(self.image.len());
        Context::new(self.arch.cpu()?, self.image.get(offset..end)?)
    }

    /// The service pack number.
    pub(crate) fn service_pack(&self) -> Cell<u8> {
        let version = if let Some(triage) = &self.triage {
            triage.service_pack_build
        } else {
            let at = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::CSD_VERSION));
            self.u32_at(at.ok_or(Absent::NotInDump)?)?
        };
        let [_, number, ..] = version.to_le_bytes();
        if number == 0 { Err(Absent::NotApplicable) } else { Ok(number) }
    }

    /// The build number, which is at the start of the build string.
    pub(crate) fn build_of_lab(&self) -> Option<u32> {
        self.build_lab().ok()?.split('.').next()?.parse().ok()
    }

    /// The revision of the build, which follows the build number. Some builds always store 1, which
    /// is ignored.
    pub(crate) fn revision_of_lab(&self) -> Option<u16> {
        let lab = self.build_lab().ok()?;
        lab.split('.').nth(1)?.parse().ok().filter(|revision| *revision > 1)
    }

    pub(crate) fn build_lab(&self) -> Cell<String> {
        let at = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::BUILD_LAB));
        let at = at.ok_or(Absent::NotInDump)?;
        let lab = text(&self.prefix(at, 128)?);
        if lab.is_empty() { Err(Absent::NotInDump) } else { Ok(lab) }
    }
}
