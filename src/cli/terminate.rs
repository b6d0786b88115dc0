//! The end of the program by a signal: SIGTERM, and SIGHUP where it is not ignored (`nohup`). Files
//! that are being written are deleted first. Ctrl-C is another matter, see [`super::interrupt`].

/// Ends the program at once; nothing half written stays behind.
#[expect(clippy::exit, reason = "whoever asks wants the end at once, whatever is going on")]
pub(super) fn leave(code: u8) {
    crate::parts::close();
    std::process::exit(i32::from(code));
}

/// Takes over the signals. Where that cannot be had, they end the program as they do everywhere.
#[cfg(unix)]
#[allow(unsafe_code, reason = "a handler of a signal writes to a pipe")]
pub(super) fn install() {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;

    static WRITER: std::sync::OnceLock<std::io::PipeWriter> = std::sync::OnceLock::new();

    let Ok((mut reader, writer)) = std::io::pipe() else { return };
    let wait = move || {
        let mut signal = [0];
        if reader.read_exact(&mut signal).is_ok() {
            leave(128_u8.saturating_add(signal[0]));
        }
    };
    if WRITER.set(writer).is_err() {
        return;
    }
    // The thread stays until the program ends.
    if std::thread::Builder::new().name("signals".to_owned()).spawn(wait).is_err() {
        return;
    }
    let Some(writer) = WRITER.get() else { return };
    let descriptor = writer.as_raw_fd();
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        if is_ignored(signal) {
            continue;
        }
        let byte = u8::try_from(signal).unwrap_or(15);
        // SAFETY: the action calls nothing but `write`, which handlers may call, on a pipe that is
        // never closed.
        let _ = unsafe {
            signal_hook_registry::register(signal, move || {
                libc::write(descriptor, (&raw const byte).cast(), 1);
            })
        };
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "asks how a signal is handled")]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the pointer is valid, and zeros are a valid value where nothing is written.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr());
        now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
pub(super) const fn install() {}
