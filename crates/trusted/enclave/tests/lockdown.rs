//! What a locked-down process can no longer do, and what it still can.
//!
//! The test starts itself once for each probe. A child goes through the whole lock-down with a thread of its own, makes one
//! attempt, and tells with its exit code how that went. It runs without libtest, which would start threads first.

// Probes make system calls that have no safe form.
#![allow(unsafe_code, clippy::unwrap_used, clippy::print_stderr)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use cloister_enclave::os::{self, Violation};
use rustix::process::{DumpableBehavior, Resource};

/// An attempt, and whether a process without walls succeeds with it.
type Probe = (&'static str, fn() -> io::Result<()>);

const FORBIDDEN: &[Probe] = &[
    ("open a file", || File::open("/etc/passwd").map(drop)),
    ("create a file", || File::create(std::env::temp_dir().join("cloister-lockdown-probe")).map(drop)),
    ("list a directory", || fs::read_dir("/").map(drop)),
    ("listen on TCP", || TcpListener::bind("127.0.0.1:0").map(drop)),
    ("send over UDP", || UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", "127.0.0.1:9").map(drop)),
    ("make a Unix socket", || UnixStream::pair().map(drop)),
    ("run a program", run_program),
    ("start a process", || {
        call(unsafe { libc::fork() }.into()).map(|id| {
            if id == 0 {
                std::process::exit(0)
            }
        })
    }),
    ("start a thread", || thread::Builder::new().spawn(|| ()).map(|thread| thread.join().unwrap())),
    ("trace another process", || call(unsafe { libc::ptrace(libc::PTRACE_SEIZE, parent(), 0, 0) }).map(drop)),
    ("open the parent's memory", || File::open(format!("/proc/{}/mem", parent())).map(drop)),
    ("read the parent's memory", read_parent),
    ("signal the parent", || call(unsafe { libc::kill(parent(), 0) }.into()).map(drop)),
    ("map executable memory", || map(libc::PROT_READ | libc::PROT_EXEC).map(drop)),
    ("make memory executable", make_executable),
    ("set up io_uring", || call(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, &mut [0u64; 15]) }).map(drop)),
    ("load a BPF map", || call(unsafe { libc::syscall(libc::SYS_bpf, 0, &[1u32, 4, 4, 1, 0, 0, 0, 0], 32) }).map(drop)),
    ("become dumpable", || call(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) }.into()).map(drop)),
];

/// Probes that fail in some builders even without walls, for want of a kernel feature or of rights.
const MAY_FAIL_ANYWAY: &[&str] = &[
    "trace another process",
    "open the parent's memory",
    "read the parent's memory",
    "set up io_uring",
    "load a BPF map",
];

/// Exit codes of a child. A program that replaces it ends with the first.
const WORKED: u8 = 0;
const REFUSED: u8 = 10;
const DIFFERS: u8 = 11;

fn main() -> ExitCode {
    if let Ok(name) = std::env::var("CLOISTER_PROBE") {
        return if name == "panic" { panic_as_an_enclave() } else { child(&name) };
    }
    every_forbidden_thing_works_without_walls_and_fails_behind_them();
    a_forbidden_call_kills_when_told_to();
    threads_go_on_computing_and_allocating_and_their_streams_work();
    inherited_descriptors_are_closed();
    v12_a_panic_is_told_by_its_place_and_never_by_its_words();
    ExitCode::SUCCESS
}

fn every_forbidden_thing_works_without_walls_and_fails_behind_them() {
    for (name, _) in FORBIDDEN {
        let open = probe(name, "open");
        // A probe that never works would prove nothing.
        assert!(open.code() == Some(WORKED.into()) || MAY_FAIL_ANYWAY.contains(name), "without walls: {name}: {open}");
        let refused = probe(name, "deny");
        assert_eq!(refused.code(), Some(REFUSED.into()), "behind walls: {name}: {refused}");
    }
}

fn a_forbidden_call_kills_when_told_to() {
    let killed = probe("make a Unix socket", "kill");
    assert_eq!(killed.signal(), Some(libc::SIGSYS), "{killed}");
    let spared = probe("open a file", "kill");
    assert_eq!(spared.code(), Some(REFUSED.into()), "glibc's question about overcommit must not kill: {spared}");
}

fn threads_go_on_computing_and_allocating_and_their_streams_work() {
    let status = probe("compute", "kill");
    assert_eq!(status.code(), Some(WORKED.into()), "{status}");
}

fn inherited_descriptors_are_closed() {
    assert_eq!(probe("write to an inherited file", "open").code(), Some(WORKED.into()));
    assert_eq!(probe("write to an inherited file", "deny").code(), Some(REFUSED.into()));
}

/// In a process whose panics are those of an enclave's, whatever a caller set up for them.
fn v12_a_panic_is_told_by_its_place_and_never_by_its_words() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("CLOISTER_PROBE", "panic").env("RUST_BACKTRACE", "full").stdin(Stdio::null());
    let ended = command.output().unwrap();
    let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(101), "{said}");
    let line = said.lines().last().unwrap();
    assert!(line.starts_with("cloister-enclave: fault at ") && line.contains("lockdown.rs:"), "{said}");
    assert!(!said.contains("planted-secret"), "{said}");
}

fn panic_as_an_enclave() -> ExitCode {
    // Without a node there is nothing to do; what panics say was settled before.
    assert_eq!(cloister_enclave::main([]), ExitCode::from(2));
    let secret = std::hint::black_box(vec!["planted-secret-eccbc87e"]);
    panic!("while working on {}", secret[0]);
}

fn probe(name: &str, walls: &str) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("CLOISTER_PROBE", name).env("CLOISTER_WALLS", walls).env_remove("RUST_BACKTRACE");
    // Standard output stands for whatever a careless parent leaves open.
    command.stdout(File::options().write(true).open("/dev/null").unwrap());
    command.status().unwrap()
}

/// Locks down as an enclave does, then makes the attempt on the main thread and on one that was there before the filter.
fn child(name: &str) -> ExitCode {
    let attempt: fn() -> io::Result<()> = match name {
        "compute" => compute,
        "write to an inherited file" => || Ok(rustix::io::write(io::stdout(), b"x").map(drop)?),
        _ => FORBIDDEN.iter().find(|(known, _)| *known == name).unwrap().1,
    };
    let violation = match std::env::var("CLOISTER_WALLS").unwrap().as_str() {
        "open" => return code(attempt()).into(),
        "deny" => Violation::Deny,
        _ => Violation::Kill,
    };
    let (mut near, mut far) = UnixStream::pair().unwrap();
    os::enclose(&[near.as_fd(), far.as_fd()]).unwrap();
    assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    assert_eq!(rustix::process::getrlimit(Resource::Core).maximum, Some(0));
    let started = Arc::new(Barrier::new(2));
    let start = Arc::clone(&started);
    let thread = thread::spawn(move || {
        start.wait();
        let mut go = [0];
        far.read_exact(&mut go).unwrap();
        far.write_all(&[code(attempt())]).unwrap();
    });
    started.wait();
    os::filter(violation).unwrap();
    near.write_all(b"!").unwrap();
    let own = code(attempt());
    let mut other = [0];
    near.read_exact(&mut other).unwrap();
    thread.join().unwrap();
    if own == other[0] { own.into() } else { DIFFERS.into() }
}

fn code(result: io::Result<()>) -> u8 {
    match result {
        Ok(()) => WORKED,
        Err(_) => REFUSED,
    }
}

/// What ledgers do: allocate, free, hash with random state, wait, panic and recover, write a line.
fn compute() -> io::Result<()> {
    let mut kept = Vec::new();
    for round in 0..200usize {
        let mut big = vec![round; 1 << (round % 21)];
        big.resize(big.len() * 2, 1);
        kept.push(big);
        if round % 50 == 49 {
            kept.clear();
        }
    }
    let map: std::collections::HashMap<usize, Vec<u8>> = (0..10_000).map(|key| (key, vec![1; key % 300])).collect();
    let length = |key: usize| key % 300;
    assert!(map.iter().all(|(key, value)| value.len() == length(*key)));
    drop(map);
    let (lock, bell) = (Mutex::new(()), Condvar::new());
    drop(bell.wait_timeout(lock.lock().unwrap(), Duration::from_millis(1)).unwrap());
    // The usual hook would ask for the working directory.
    std::panic::set_hook(Box::new(|_| eprintln!("a line for the operator")));
    assert!(std::panic::catch_unwind(|| panic!("on purpose")).is_err());
    Ok(())
}

fn run_program() -> io::Result<()> {
    let (path, arguments) = (c"/bin/true", [c"true".as_ptr(), std::ptr::null()]);
    call(unsafe { libc::execv(path.as_ptr(), arguments.as_ptr()) }.into()).map(drop)
}

fn read_parent() -> io::Result<()> {
    let mut byte = 0u8;
    let mine = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    call(unsafe { libc::process_vm_readv(parent(), &mine, 1, &mine, 1, 0) } as i64).map(drop)
}

fn make_executable() -> io::Result<()> {
    let page = map(libc::PROT_READ | libc::PROT_WRITE)?;
    call(unsafe { libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC) }.into()).map(drop)
}

fn map(protection: i32) -> io::Result<*mut libc::c_void> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(page) }
}

fn parent() -> i32 {
    std::os::unix::process::parent_id().cast_signed()
}

fn call(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
