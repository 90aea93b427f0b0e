//! Names of system calls, for the person whose process has made one that it must not.
//!
//! Used by callers through [`call_name`]. Only for messages: nothing is decided by a name.

macro_rules! table {
    ($($(#[$only:meta])* $call:ident $name:literal,)*) => {
        &[$($(#[$only])* (libc::$call, $name),)*]
    };
}

#[rustfmt::skip]
const NAMES: &[(libc::c_long, &str)] = table![
    SYS_openat "openat", SYS_newfstatat "newfstatat", SYS_statx "statx", SYS_fstat "fstat", SYS_faccessat "faccessat", SYS_faccessat2 "faccessat2",
    SYS_readlinkat "readlinkat", SYS_getdents64 "getdents64", SYS_read "read", SYS_pread64 "pread64", SYS_readv "readv", SYS_preadv "preadv",
    SYS_lseek "lseek", SYS_pwrite64 "pwrite64", SYS_ioctl "ioctl", SYS_fcntl "fcntl", SYS_ftruncate "ftruncate", SYS_fallocate "fallocate",
    SYS_unlinkat "unlinkat", SYS_renameat2 "renameat2", SYS_mkdirat "mkdirat", SYS_getcwd "getcwd", SYS_chdir "chdir", SYS_socket "socket",
    SYS_socketpair "socketpair", SYS_connect "connect", SYS_bind "bind", SYS_listen "listen", SYS_accept4 "accept4", SYS_sendmsg "sendmsg",
    SYS_recvmsg "recvmsg", SYS_getsockopt "getsockopt", SYS_setsockopt "setsockopt", SYS_shutdown "shutdown", SYS_clone "clone", SYS_execve "execve",
    SYS_wait4 "wait4", SYS_waitid "waitid", SYS_kill "kill", SYS_pipe2 "pipe2", SYS_dup "dup", SYS_dup3 "dup3", SYS_eventfd2 "eventfd2",
    SYS_epoll_create1 "epoll_create1", SYS_epoll_ctl "epoll_ctl", SYS_epoll_pwait "epoll_pwait", SYS_ppoll "ppoll", SYS_pselect6 "pselect6",
    SYS_timerfd_create "timerfd_create", SYS_signalfd4 "signalfd4", SYS_memfd_create "memfd_create", SYS_mmap "mmap", SYS_mlock "mlock",
    SYS_msync "msync", SYS_getrandom "getrandom", SYS_getrusage "getrusage", SYS_times "times", SYS_uname "uname",
    SYS_sched_getaffinity "sched_getaffinity", SYS_sched_setaffinity "sched_setaffinity", SYS_getcpu "getcpu", SYS_getuid "getuid",
    SYS_geteuid "geteuid", SYS_getppid "getppid", SYS_prctl "prctl", SYS_prlimit64 "prlimit64", SYS_clock_nanosleep "clock_nanosleep",
    SYS_nanosleep "nanosleep", SYS_set_robust_list "set_robust_list", SYS_rseq "rseq", SYS_sigaltstack "sigaltstack", SYS_sysinfo "sysinfo",
    SYS_recvfrom "recvfrom", SYS_sendto "sendto", SYS_write "write", SYS_close_range "close_range", SYS_fsync "fsync", SYS_splice "splice",
    SYS_sendfile "sendfile", SYS_copy_file_range "copy_file_range",
    #[cfg(target_arch = "x86_64")] SYS_open "open", #[cfg(target_arch = "x86_64")] SYS_stat "stat", #[cfg(target_arch = "x86_64")] SYS_lstat "lstat",
    #[cfg(target_arch = "x86_64")] SYS_access "access", #[cfg(target_arch = "x86_64")] SYS_readlink "readlink",
    #[cfg(target_arch = "x86_64")] SYS_getdents "getdents", #[cfg(target_arch = "x86_64")] SYS_pipe "pipe",
    #[cfg(target_arch = "x86_64")] SYS_poll "poll", #[cfg(target_arch = "x86_64")] SYS_select "select",
    #[cfg(target_arch = "x86_64")] SYS_dup2 "dup2", #[cfg(target_arch = "x86_64")] SYS_fork "fork", #[cfg(target_arch = "x86_64")] SYS_vfork "vfork",
    #[cfg(target_arch = "x86_64")] SYS_mkdir "mkdir", #[cfg(target_arch = "x86_64")] SYS_unlink "unlink",
    #[cfg(target_arch = "x86_64")] SYS_rename "rename", #[cfg(target_arch = "x86_64")] SYS_arch_prctl "arch_prctl",
    #[cfg(target_arch = "x86_64")] SYS_time "time",
];

/// The name of a system call by its number, where it is one that programs are likely to make.
pub fn call_name(call: i64) -> Option<&'static str> {
    NAMES
        .iter()
        .find_map(|(number, name)| (*number == call).then_some(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_calls_have_names_and_no_number_has_two() {
        assert_eq!(call_name(libc::SYS_openat), Some("openat"));
        assert_eq!(call_name(-1), None);
        let mut numbers: Vec<_> = NAMES.iter().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), NAMES.len());
    }
}
