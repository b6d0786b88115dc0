//! Writes a synthetic memory dump of a whole system: `synthesize SYSTEM FORM FILE [ISF]`; or small dumps
//! of crashes, a minute apart, by three bug checks in turn: `synthesize triage COUNT FOLDER`.
//!
//! SYSTEM is `2003`, `2003pae`, `7`, `8.1`, `10` or `11`, the name of any other version that can be
//! built (`Windows8X86`), `server` for a busy server, or `map` for a server with the published page
//! map of its nonpaged pool. FORM is the number of a dump type, `raw` or `elf`. ISF is the
//! decompressed symbol file of the kernel.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use dumpql::internals::synth::{self, Format, KernelFile, SystemSpec, Windows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [kind, count, folder] = &arguments[..]
        && kind == "triage"
    {
        return crashes(count.parse()?, Path::new(folder));
    }
    let [system, form, path, rest @ ..] = &arguments[..] else {
        let usage = "usage: synthesize SYSTEM FORM FILE [ISF], or: synthesize triage COUNT FOLDER";
        return Err(usage.into());
    };
    let mut spec = spec(system)?;
    let format = match form.as_str() {
        "raw" => Format::Raw,
        "elf" => Format::ElfCore,
        number => {
            let number: u32 = number.parse()?;
            let found = Format::ALL.into_iter().find(|format| format.dump_type() == Some(number));
            found.ok_or("found no such dump type")?
        }
    };
    if let [isf, ..] = rest {
        let file = KernelFile::parse(&std::fs::read_to_string(isf)?);
        spec.kernel_code = true;
        spec.kernel = Some(Arc::new(file.ok_or("expected an ISF file of a Windows kernel")?));
    }
    let system = synth::system(&spec);
    system.write(format, &mut BufWriter::new(File::create(path)?))?;
    if !system.missing.is_empty() {
        return Err(format!("not in this version: {}", system.missing.join(", ")).into());
    }
    Ok(())
}

fn crashes(count: u32, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    const CODES: [u32; 3] = [0xd1, 0x50, 0x3b];
    const MINUTE: u64 = 600_000_000;
    std::fs::create_dir_all(folder)?;
    for (i, code) in (0..count).zip(CODES.into_iter().cycle()) {
        let mut spec = synth::triage_sample_spec();
        spec.system_time += u64::from(i) * MINUTE;
        spec.bugcheck = code;
        std::fs::write(folder.join(format!("{i:04}.dmp")), synth::triage(&spec))?;
    }
    Ok(())
}

fn spec(system: &str) -> Result<SystemSpec, String> {
    Ok(synth::healthy(match system {
        "2003" => Windows::Server2003,
        "2003pae" => Windows::Server2003Pae,
        "7" => Windows::Windows7,
        "8.1" => Windows::Windows81,
        "10" => Windows::Windows10,
        "11" => Windows::Windows11,
        "server" => return Ok(synth::server_2003()),
        "map" => return Ok(synth::mapped()),
        other => {
            let is_it = |windows: &Windows| format!("{windows:?}").eq_ignore_ascii_case(other);
            let found = Windows::ALL.into_iter().find(is_it);
            found.ok_or_else(|| format!("found no system `{other}`"))?
        }
    }))
}
