//! The machine below an enclave, as far as a host has it in its hands: its clock, its memory.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Failure;

/// Seconds by which a machine's clock is ahead.
#[derive(Clone, Copy)]
pub(crate) struct Clock(pub(crate) i64);

impl Clock {
    /// One that shows this time, in seconds since the Unix epoch.
    pub(crate) fn at(seconds: u64) -> Result<Self, Failure> {
        Ok(Self(i64::try_from(seconds)? - now()?))
    }

    /// What has a process see it: libfaketime stands between the process and the system. Fails where there is none.
    pub(crate) fn environment(self) -> Result<Vec<(&'static str, String)>, Failure> {
        let environment = vec![("LD_PRELOAD", LIBRARY.into()), ("FAKETIME", format!("{:+}s", self.0))];
        // The loader says no more than a warning of a library that is not there.
        let seen = Command::new("date").arg("+%s").envs(environment.iter().cloned()).output()?.stdout;
        let seen: i64 = String::from_utf8(seen)?.trim().parse()?;
        match (seen - now()? - self.0).abs() < 60 {
            true => Ok(environment),
            false => Err(format!("wrong clocks need libfaketime (Debian: libfaketime): there is no {LIBRARY}").into()),
        }
    }
}

/// Everything that a process can write to; `None` where this program may not read it, as only root may of an enclave.
pub(crate) fn memory(process: u32) -> Option<Vec<u8>> {
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut dump = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split(' ');
        let (range, rights) = (fields.next()?, fields.next()?);
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-')?;
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap_or_default());
        // In pieces: what was never touched may be unreadable, and is not kept.
        for at in (from..to).step_by(PIECE) {
            let mut piece = vec![0; PIECE.min(usize::try_from(to - at).ok()?)];
            let read = memory.read_at(&mut piece, at).unwrap_or(0);
            if piece[..read].iter().any(|byte| *byte != 0) {
                dump.extend_from_slice(&piece[..read]);
            }
        }
    }
    (!dump.is_empty()).then_some(dump)
}

/// Whether a process has the library that shows it another clock; `None` where this program may not look.
pub(crate) fn is_deceived(process: u32) -> Option<bool> {
    Some(fs::read_to_string(format!("/proc/{process}/maps")).ok()?.contains("libfaketime"))
}

/// Seconds since the Unix epoch, as this program sees them.
fn now() -> Result<i64, Failure> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().try_into()?)
}

/// The loader knows what `$LIB` is on this machine.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketime.so.1";
const PIECE: usize = 1 << 16;
