//! The system-call filters: what the payload may not ask of the kernel.
//!
//! Compiled by `init.rs`, installed by `payload.rs` as the last act before `execve`. Several programs are stacked, since each can give one answer
//! only; the kernel runs them all and the strictest answer counts. A deny list cannot know the calls of the future, so a guard written by hand
//! refuses every number above the ones that were looked at. What two sandboxes could talk through is in `seccomp_channels.rs`, the second stage for
//! those that can be sealed in `seccomp_seal.rs`. It must never be weakened for one payload: the only choices are whether there is a GPU, which needs
//! some calls, and whether it is to be deaf or can be sealed, which takes some away.

use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, RawFd};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

use crate::error::{FailedStep, Setup, Step};
use crate::plan::Plan;
use crate::spec::Devices;
use crate::{seccomp_channels, seccomp_seal};

/// The newest system call that was looked at (`mseal`, Linux 6.10). Anything newer does not exist in here.
const NEWEST_KNOWN_CALL: u32 = 462;
/// Numbers of the x32 interface carry this bit and have the same architecture as the ordinary ones.
#[cfg(target_arch = "x86_64")]
const X32_BIT: u32 = 0x4000_0000;

#[cfg(target_arch = "x86_64")]
pub(crate) const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
pub(crate) const ARCH: TargetArch = TargetArch::aarch64;

/// Never harmless, never needed: answered with "operation not permitted".
const DENIED: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    SYS_STATMOUNT,
    SYS_LISTMOUNT,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_acct,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    // How much memory and load the machine has: two sandboxes could talk through it.
    libc::SYS_sysinfo,
    // Large kernel surfaces with a history.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // System V and POSIX message objects: memory that belongs to no process.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmdt,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_semtimedop,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_mq_getsetattr,
    libc::SYS_memfd_secret,
    // A timer of this kind can send SIGCONT to its own stopped process, and so undo a freeze by signals.
    libc::SYS_timer_create,
    // Timers that go on while their owner is frozen: one that rings takes some microseconds from whoever runs then, at a moment that both can agree on.
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_setitimer,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_alarm,
    // Filters are set; nobody inside has any to add.
    libc::SYS_seccomp,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
];

/// Calls that programs try first and do without when they do not exist. `clone3` hides its flags behind a pointer, which a filter cannot follow;
/// C libraries then use `clone`, whose flags are seen.
const ABSENT: &[libc::c_long] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

// Not every libc release names these.
const SYS_STATMOUNT: libc::c_long = 457;
const SYS_LISTMOUNT: libc::c_long = 458;

const TIOCSCTTY: u64 = 0x540E;
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541C;
const NAMESPACE_FLAGS: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// The compiled programs.
pub(crate) struct Filters {
    /// In the order in which they are installed.
    first: Vec<BpfProgram>,
    /// Of a sandbox that can be sealed.
    seal: Option<BpfProgram>,
    /// Last, because it forbids installing any more.
    last: BpfProgram,
}

impl Filters {
    /// Compiles the filters. Done before the last fork, where an error can still be told.
    pub(crate) fn build(plan: &Plan) -> Setup<Self> {
        let gpu = plan.devices != Devices::None;
        let cpus = plan.cpus.as_deref();
        Self::try_build(gpu, plan.deaf, plan.loopback, plan.seal_socket, cpus).map_err(|error| FailedStep {
            step: Step::BuildSeccomp,
            errno: 0,
            what: error.to_string(),
        })
    }

    fn try_build(
        gpu: bool,
        deaf: bool,
        loopback: bool,
        sealable: Option<RawFd>,
        cpus: Option<&[usize]>,
    ) -> Result<Self, seccompiler::BackendError> {
        let (mut denied, mut pretended) = (denied_rules(gpu)?, seccomp_channels::pretended(deaf)?);
        if cpus.is_some() {
            // It was put on them, and stays there.
            denied.insert(libc::SYS_sched_setaffinity, Vec::new());
        }
        if let Some(socket) = sealable {
            seccomp_seal::add_denied(&mut denied, socket)?;
            seccomp_seal::add_pretended(&mut pretended, socket)?;
        }
        Ok(Self {
            first: vec![
                guard(),
                answer(absent_rules(deaf)?, libc::ENOSYS)?,
                answer(socket_rules(loopback)?, libc::EAFNOSUPPORT)?,
                answer(pretended, 0)?,
                answer(seccomp_channels::tried_again(deaf)?, libc::EAGAIN)?,
            ],
            seal: sealable
                .map(|socket| seccomp_seal::program(socket, gpu))
                .transpose()?,
            last: answer(denied, libc::EPERM)?,
        })
    }

    /// Installs them for good. Nothing that they deny can be called afterwards. The listener of the seal goes to the init.
    pub(crate) fn install(&self, to_init: Option<BorrowedFd<'_>>) -> Setup<()> {
        self.first.iter().try_for_each(apply)?;
        match (&self.seal, to_init) {
            (Some(program), Some(to_init)) => seccomp_seal::install(program, to_init)?,
            (None, None) => {}
            _ => {
                return Err(FailedStep {
                    step: Step::SeccompListener,
                    errno: 0,
                    what: "a seal without a way to the init".to_owned(),
                });
            }
        }
        apply(&self.last)
    }
}

fn apply(program: &BpfProgram) -> Setup<()> {
    seccompiler::apply_filter(program).map_err(|error| FailedStep {
        step: Step::Seccomp,
        errno: 0,
        what: error.to_string(),
    })
}

pub(crate) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A program that gives `errno` to whatever matches, kills on a foreign architecture, and lets the rest pass.
fn answer(rules: Rules, errno: i32) -> Result<BpfProgram, seccompiler::BackendError> {
    let errno = SeccompAction::Errno(errno.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, errno, ARCH)?.try_into()
}

fn absent_rules(deaf: bool) -> Result<Rules, seccompiler::BackendError> {
    let mut rules = seccomp_channels::absent(deaf)?;
    rules.extend(ABSENT.iter().map(|number| (*number, Vec::new())));
    Ok(rules)
}

/// Only local sockets, and loopback ones where there are any. `AF_VSOCK` and others are not covered by the network namespace; netlink only in its plainest
/// form, which lists interfaces; exotic protocols would load kernel modules.
///
/// Without loopback nothing but local ones: through netlink anybody may count up and read statistics that the kernel keeps for all network namespaces
/// together (of its neighbour tables, for one).
fn socket_rules(loopback: bool) -> Result<Rules, seccompiler::BackendError> {
    let (unix, inet, inet6, netlink) = (
        family(libc::AF_UNIX),
        family(libc::AF_INET),
        family(libc::AF_INET6),
        family(libc::AF_NETLINK),
    );
    let ordinary_protocols = [
        0,
        libc::IPPROTO_TCP.unsigned_abs().into(),
        libc::IPPROTO_UDP.unsigned_abs().into(),
    ];
    let mut socket = vec![
        rule([unix, inet, inet6, netlink].map(|known| (0, Op::Ne, known)))?,
        rule([(0, Op::Eq, netlink), (2, Op::Ne, 0)])?,
    ];
    for internet in [inet, inet6] {
        let [none, tcp, udp] = ordinary_protocols.map(|known| (2, Op::Ne, known));
        socket.push(rule([(0, Op::Eq, internet), none, tcp, udp])?);
    }
    if !loopback {
        socket = vec![rule([(0, Op::Ne, unix)])?];
    }
    let pair = vec![rule([(0, Op::Ne, unix)])?];
    Ok(BTreeMap::from([
        (libc::SYS_socket, socket),
        (libc::SYS_socketpair, pair),
    ]))
}

fn denied_rules(gpu: bool) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = DENIED.iter().map(|number| (*number, Vec::new())).collect();
    if !gpu {
        // A memfd can hold memory that no process maps. The GPU driver needs them.
        rules.insert(libc::SYS_memfd_create, Vec::new());
    }
    let mut clone = Vec::new();
    for flag in NAMESPACE_FLAGS {
        let flag = u64::from(flag.unsigned_abs());
        clone.push(rule([(0, Op::MaskedEq(flag), flag)])?);
    }
    // A child whose death sends SIGCONT could wake a stopped parent; so could a parent's death, and a descriptor's signal.
    let wake_up = u64::from(libc::SIGCONT.unsigned_abs());
    clone.push(rule([(0, Op::MaskedEq(0xff), wake_up)])?);
    rules.insert(libc::SYS_clone, clone);
    for (call, signal) in SIGNALLING_CALLS {
        rules.insert(*call, vec![rule([(*signal, Op::Eq, wake_up)])?]);
    }
    rules.insert(libc::SYS_fcntl, vec![rule([(1, Op::Eq, F_SETSIG)])?]);
    let set_death_signal = u64::from(libc::PR_SET_PDEATHSIG.unsigned_abs());
    let set_seccomp = u64::from(libc::PR_SET_SECCOMP.unsigned_abs());
    rules.insert(
        libc::SYS_prctl,
        vec![
            rule([(0, Op::Eq, set_death_signal), (1, Op::Eq, wake_up)])?,
            rule([(0, Op::Eq, set_seccomp)])?,
        ],
    );
    let commands = [TIOCSTI, TIOCLINUX, TIOCSCTTY].map(|command| rule([(1, Op::Eq, command)]));
    rules.insert(libc::SYS_ioctl, commands.into_iter().collect::<Result<_, _>>()?);
    // Only a process's own limits: the init runs with the same identity in user mode. And not the one that keeps a piped core handler of the host from
    // being run, which may be read and not set. The new limit is behind a pointer, so all 64 bits of it count.
    let core = u64::from(libc::RLIMIT_CORE);
    let lower_core = SeccompRule::new(vec![
        SeccompCondition::new(1, Width::Dword, Op::Eq, core)?,
        SeccompCondition::new(2, Width::Qword, Op::Ne, 0)?,
    ])?;
    rules.insert(libc::SYS_prlimit64, vec![rule([(0, Op::Ne, 0)])?, lower_core]);
    rules.insert(libc::SYS_setrlimit, vec![rule([(0, Op::Eq, core)])?]);
    // Asking for the execution domain is harmless, changing it (no address randomisation, 32-bit addresses) is not.
    rules.insert(
        libc::SYS_personality,
        vec![rule([(0, Op::Ne, 0), (0, Op::Ne, 0xffff_ffff)])?],
    );
    seccomp_channels::add_denied(&mut rules, gpu)?;
    Ok(rules)
}

/// The calls that send a signal, and which of their arguments it is. SIGCONT would undo a freeze by signals; nobody inside needs it.
const SIGNALLING_CALLS: &[(libc::c_long, u8)] = &[
    (libc::SYS_kill, 1),
    (libc::SYS_tkill, 1),
    (libc::SYS_tgkill, 2),
    (libc::SYS_rt_sigqueueinfo, 1),
    (libc::SYS_rt_tgsigqueueinfo, 2),
    (libc::SYS_pidfd_send_signal, 1),
];
const F_SETSIG: u64 = 10;

fn family(number: libc::c_int) -> u64 {
    u64::from(number.unsigned_abs())
}

/// All conditions together. Arguments are compared as the 32 bits that the kernel looks at, so high bits cannot hide a value.
pub(crate) fn rule<const N: usize>(
    conditions: [(u8, Op, u64); N],
) -> Result<SeccompRule, seccompiler::BackendError> {
    let conditions = conditions
        .into_iter()
        .map(|(index, operator, value)| SeccompCondition::new(index, Width::Dword, operator, value));
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

/// Kills on the x32 interface; everything newer than [`NEWEST_KNOWN_CALL`] does not exist. The architecture is checked by every other program.
fn guard() -> BpfProgram {
    const NUMBER_OFFSET: u32 = 0;
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let jump_above_or_equal = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    let give = (libc::BPF_RET | libc::BPF_K) as u16;
    let mut program = vec![sock_filter {
        code: load,
        jt: 0,
        jf: 0,
        k: NUMBER_OFFSET,
    }];
    #[cfg(target_arch = "x86_64")]
    program.extend([
        // `syscall(-1)` has the bit as well, and is an ordinary way to ask for an error.
        sock_filter {
            code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            jt: 2,
            jf: 0,
            k: u32::MAX,
        },
        sock_filter {
            code: jump_above_or_equal,
            jt: 0,
            jf: 1,
            k: X32_BIT,
        },
        sock_filter {
            code: give,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_KILL_PROCESS,
        },
    ]);
    program.extend([
        sock_filter {
            code: jump_above_or_equal,
            jt: 0,
            jf: 1,
            k: NEWEST_KNOWN_CALL + 1,
        },
        sock_filter {
            code: give,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs(),
        },
        sock_filter {
            code: give,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_ALLOW,
        },
    ]);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_compiles_with_and_without_a_gpu_hearing_and_deaf() {
        for (gpu, deaf) in [(false, false), (false, true), (true, false), (true, true)] {
            for loopback in [false, true] {
                let build = |socket, cpus| Filters::try_build(gpu, deaf, loopback, socket, cpus).unwrap();
                assert!(build(None, None).seal.is_none() && build(Some(3), None).seal.is_some());
                assert!(build(Some(3), Some(&[0])).last.len() > build(Some(3), None).last.len());
            }
        }
    }

    #[test]
    fn no_call_is_listed_twice_and_all_are_below_the_guard() {
        let lists = [DENIED, ABSENT, seccomp_channels::ABSENT];
        let mut all: Vec<_> = lists.into_iter().flatten().copied().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(
            all.iter()
                .all(|number| *number <= libc::c_long::from(NEWEST_KNOWN_CALL))
        );
    }

    /// An empty list of rules means "always", so a call that is denied for some arguments must not be among those that are denied for all.
    #[test]
    fn a_call_denied_for_all_arguments_stays_so() {
        let rules = denied_rules(false).unwrap();
        for call in DENIED.iter().chain([&libc::SYS_memfd_create]) {
            assert!(rules[call].is_empty(), "{call}");
        }
    }
}
