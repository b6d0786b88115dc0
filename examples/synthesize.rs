//! Writes a synthetic memory dump of a whole system: `synthesize SYSTEM FORM FILE [ISF]`.
//!
//! SYSTEM is `2003`, `2003pae`, `7`, `8.1`, `10` or `11`, the name of any other version that can be
//! built (`Windows8X86`), `server` for a busy server, or `map` for a server with the published page
//! map of its nonpaged pool. FORM is the number of a dump type, `raw` or `elf`. ISF is the
//! decompressed symbol file of the kernel.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use dumpql::internals::synth::{self, Format, KernelFile, SystemSpec, Windows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [system, form, path, rest @ ..] = &arguments[..] else {
        return Err("usage: synthesize SYSTEM FORM FILE [ISF]".into());
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
