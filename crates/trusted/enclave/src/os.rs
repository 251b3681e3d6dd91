//! The lock-down of the enclave process: what it does to itself so that nobody, above all not its own code after a fault,
//! reaches beyond its sockets.
//!
//! The order matters, and has two halves with the start of the query threads between them. [`enclose`] runs while the
//! process has one thread, because a user namespace refuses a process with more, and because Landlock is inherited by
//! threads that start later. [`filter`] comes last and covers all threads at once; nothing can be started after it.
//!
//! | step | against |
//! | --- | --- |
//! | `PR_SET_DUMPABLE` 0, no core file | reading memory through `/proc` and core dumps, by anybody but root |
//! | close every other descriptor | what the parent leaked |
//! | `PR_SET_NO_NEW_PRIVS` | privileges through set-user-id programs |
//! | namespaces (user, network, IPC, mount), where the system allows them | the network, shared memory |
//! | Landlock with file, network and scope rules, and nothing permitted | files, TCP, signals |
//! | seccomp allow-list | everything else: the barrier |
//!
//! Against root on the host all of this is nothing: only hardware is. Keys lie in ordinary pages that are wiped when
//! dropped; pages of `memfd_secret`, which root cannot read through `/proc`, are not used yet.

// The one file of the workspace that may: system calls without a safe form.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, BorrowedFd};

use cloister_chain::wire::Lockdown;
use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::UnshareFlags;
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use thiserror::Error;

/// What happens to a thread that makes a system call off the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The process dies of `SIGSYS`.
    Kill,
    /// The call fails with `EPERM`: for tests, which look at every call, and for the search for a missing one.
    Deny,
}

/// Why the process could not lock itself down.
#[derive(Debug, Error)]
pub enum OsError {
    /// A system call that every supported kernel has, failed.
    #[error("lock-down: {0}")]
    Call(std::io::Error),
    /// Landlock exists but refused the rules.
    #[error("lock-down: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// The filter did not compile (an architecture without one) or was not accepted.
    #[error("lock-down: {0}")]
    Seccomp(#[from] seccompiler::Error),
}

impl From<rustix::io::Errno> for OsError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Call(error.into())
    }
}

impl From<seccompiler::BackendError> for OsError {
    fn from(error: seccompiler::BackendError) -> Self {
        Self::Seccomp(error.into())
    }
}

/// First half: everything but the filter, while the process has one thread. Descriptors other than `keep` and standard
/// error are closed; the caller must own no other, since closing it would pull it from under its owner.
pub fn enclose(keep: &[BorrowedFd<'_>]) -> Result<Lockdown, OsError> {
    let nobody = DumpableBehavior::NotDumpable;
    rustix::process::set_dumpable_behavior(nobody)?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none)?;
    close_others(keep)?;
    rustix::thread::set_no_new_privs(true)?;
    let namespaces = unshare();
    // The kernel may reset the flag to the system's default when credentials change, as a new user namespace does.
    rustix::process::set_dumpable_behavior(nobody)?;
    Ok(Lockdown { seccomp: false, landlock: landlock()?, namespaces })
}

/// Second half: from now on every thread may only compute, allocate, use its open sockets, and end.
pub fn filter(violation: Violation) -> Result<(), OsError> {
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    // glibc asks for the overcommit policy when it trims an arena and takes no for an answer: opening a file is refused,
    // not fatal. Of two filters the kernel obeys the stricter, so this one holds whatever the next one says.
    install(BTreeMap::from([(libc::SYS_openat, vec![])]), SeccompAction::Allow, refuse.clone())?;
    let otherwise = match violation {
        Violation::Kill => SeccompAction::KillProcess,
        Violation::Deny => refuse,
    };
    let mut allowed = allowed()?;
    allowed.insert(libc::SYS_openat, vec![]);
    install(allowed, otherwise, SeccompAction::Allow)
}

/// The allow-list, with rules on arguments where there are any.
fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>, OsError> {
    let always = [
        // Streams that are open. No `recvmsg`: it could bring in descriptors.
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_recvfrom,
        libc::SYS_shutdown,
        libc::SYS_close,
        // Memory that holds data.
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        // Threads that run. glibc counts processors when a second thread first allocates.
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_exit,
        libc::SYS_exit_group,
        // Coins and the monotonic clock, which locks use; neither reaches the ledger.
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
    ];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = always.into_iter().map(|call| (call, vec![])).collect();
    let data = masked(2, libc::PROT_EXEC, 0)?;
    let anonymous = masked(3, libc::MAP_ANONYMOUS, u64::from(libc::MAP_ANONYMOUS.unsigned_abs()))?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![data.clone(), anonymous])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![data])?]);
    let to_the_peer = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![to_the_peer])?]);
    // The standard library's own check, in debug builds, that a descriptor is open when it closes it.
    let is_open =
        SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(libc::F_GETFD.unsigned_abs()))?;
    rules.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![is_open])?]);
    Ok(rules)
}

/// The condition that the bits `mask` of an argument are `value`.
fn masked(argument: u8, mask: i32, value: u64) -> Result<SeccompCondition, OsError> {
    let operator = SeccompCmpOp::MaskedEq(u64::from(mask.unsigned_abs()));
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?)
}

fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<(), OsError> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, otherwise, matched, architecture)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    Ok(seccompiler::apply_filter_all_threads(&program)?)
}

/// Closes every descriptor but standard error and those of `keep`.
fn close_others(keep: &[BorrowedFd<'_>]) -> Result<(), OsError> {
    let mut keep: Vec<u32> = keep.iter().map(|fd| fd.as_raw_fd().unsigned_abs()).chain([2]).collect();
    keep.sort_unstable();
    let mut first = 0;
    for kept in keep.into_iter().chain([u32::MAX]) {
        if let Some(last) = kept.checked_sub(1).filter(|last| *last >= first) {
            // SAFETY: the call touches no memory; that nobody owns these descriptors is the caller's promise.
            let code = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
            if code != 0 {
                return Err(OsError::Call(std::io::Error::last_os_error()));
            }
        }
        first = kept.saturating_add(1);
    }
    Ok(())
}

/// Own namespaces; false where the system forbids them.
fn unshare() -> bool {
    let spaces = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWIPC | UnshareFlags::NEWNS;
    // SAFETY: the descriptor table stays shared; only `UnshareFlags::FILES` would make the call unsound.
    unsafe { rustix::thread::unshare_unsafe(spaces) }.is_ok()
}

/// Landlock with nothing permitted; false on a kernel without it.
fn landlock() -> Result<bool, OsError> {
    // The newest interface that has been tried; an older kernel enforces the part that it knows.
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
