//! Puts the version of the binary interface into the name of the shared library, so that a program
//! finds the version that it was linked with.

fn main() {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    if of("CARGO_CFG_TARGET_OS") == "linux" {
        let major = of("CARGO_PKG_VERSION_MAJOR");
        #[allow(clippy::print_stdout, reason = "build scripts speak to cargo in this way")]
        {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libdumpql.so.{major}");
        }
    }
}
