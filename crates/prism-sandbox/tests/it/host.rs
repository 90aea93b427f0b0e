//! What lies about on the host for the attacks to find, what is passed to them, and whether all of it is as it was afterwards.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::Child;

use prism_sandbox::Spec;
use serde_json::{Value, json};

use crate::kit;

/// What lies about on the host for the attacks to find, and what is passed into the sandbox.
pub(crate) struct Host {
    json: Value,
    secret: tempfile::NamedTempFile,
    canary: Child,
    pub(crate) socket: std::os::unix::net::UnixDatagram,
    _listeners: (std::net::TcpListener, UnixListener, UnixListener),
    _shm: tempfile::NamedTempFile,
    sysv_id: i32,
    passed: Vec<(OwnedFd, i32)>,
    bound: tempfile::TempDir,
}

const SOCKET_FD: i32 = 10;
const SEALED_FD: i32 = 11;
const WRITABLE_FD: i32 = 12;

impl Host {
    pub(crate) fn new(family: &str) -> Self {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::fs::PermissionsExt;
        let readable = |path: &std::path::Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap()
        };
        let mut secret = tempfile::NamedTempFile::new_in("/tmp").unwrap();
        secret.write_all(b"secret").unwrap();
        readable(secret.path());
        let bound = tempfile::Builder::new()
            .prefix("prism-bound-")
            .tempdir_in("/tmp")
            .unwrap();
        readable(bound.path());
        let bound_file = bound.path().join("file");
        std::fs::write(&bound_file, "bound").unwrap();
        readable(&bound_file);
        let mut shm = tempfile::Builder::new()
            .prefix("prism-canary-")
            .tempfile_in("/dev/shm")
            .unwrap();
        shm.write_all(b"secret").unwrap();
        readable(shm.path());
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let unix_path = bound.path().with_extension("sock");
        let unix = UnixListener::bind(&unix_path).unwrap();
        readable(&unix_path);
        let abstract_name = format!("prism-{family}-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let abstract_listener = UnixListener::bind_addr(&address).unwrap();
        // In the test's own process group, where a payload that shared it would reach it.
        let canary = std::process::Command::new("/bin/sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let sysv_key = i32::try_from(std::process::id()).unwrap() ^ 0x5052_0000;
        // SAFETY: a plain system call that takes numbers; the segment is removed in `drop`.
        let sysv_id = unsafe { libc::shmget(sysv_key, 4096, libc::IPC_CREAT | 0o666) };
        assert!(sysv_id >= 0, "shmget: {}", std::io::Error::last_os_error());
        let (socket, inside) = std::os::unix::net::UnixDatagram::pair().unwrap();
        socket.set_read_timeout(Some(kit::PATIENCE)).unwrap();
        socket.send(b"ping").unwrap();
        let sealed = memory_file(
            b"hello from rust",
            libc::F_SEAL_FUTURE_WRITE | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL,
        );
        let writable = memory_file(b"", libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL);
        let json = json!({
            "secret_path": secret.path(), "bound_file": bound_file, "tcp_port": tcp.local_addr().unwrap().port(),
            "unix_path": unix_path, "abstract_name": abstract_name, "canary_pid": canary.id(), "test_pid": std::process::id(),
            "sysv_key": sysv_key, "shm_name": shm.path().file_name().unwrap().to_str().unwrap(),
            "socket_fd": SOCKET_FD, "sealed_fd": SEALED_FD, "writable_fd": WRITABLE_FD,
        });
        Self {
            json,
            secret,
            canary,
            socket,
            _listeners: (tcp, unix, abstract_listener),
            _shm: shm,
            sysv_id,
            passed: vec![
                (inside.into(), SOCKET_FD),
                (sealed, SEALED_FD),
                (writable, WRITABLE_FD),
            ],
            bound,
        }
    }

    /// The specification of one run of one family.
    pub(crate) fn spec(&mut self, family: &str, names: &[&str], marker: &str) -> Spec {
        let text = self.json.to_string();
        let mut arguments = vec![text.as_str()];
        arguments.extend(names);
        let name = family.trim_end_matches(".py");
        let mut spec = kit::spec(name, family, &arguments);
        spec.binds.push(prism_sandbox::Bind::same(self.bound.path()));
        // Seen by the host in the command line of every process that is forked from it, and by the script not at all.
        spec.argv.insert(1, format!("-Xmarker={marker}").into());
        spec.fds = self
            .passed
            .iter()
            .map(|(fd, number)| (kit::copy_of(fd), *number))
            .collect();
        spec
    }

    /// The host after the attacks is as it was before.
    pub(crate) fn check_untouched(&mut self) {
        assert!(
            self.canary.try_wait().unwrap().is_none(),
            "a process of the host was killed"
        );
        let mut text = String::new();
        std::fs::File::open(self.secret.path())
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "secret");
        let entries: Vec<_> = std::fs::read_dir(self.bound.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(entries, ["file"]);
        assert_eq!(
            std::fs::read_to_string(self.bound.path().join("file")).unwrap(),
            "bound"
        );
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.canary.kill();
        let _ = self.canary.wait();
        let _ = std::fs::remove_file(self.bound.path().with_extension("sock"));
        // SAFETY: a plain system call on the segment that `new` made.
        unsafe { libc::shmctl(self.sysv_id, libc::IPC_RMID, std::ptr::null_mut()) };
    }
}

/// A memory file of a page, filled and then sealed.
fn memory_file(content: &[u8], seals: i32) -> OwnedFd {
    // SAFETY: the name is a C string; the descriptor is checked and owned by nobody else.
    let fd = unsafe {
        let raw = libc::memfd_create(c"shared".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING);
        assert!(raw >= 0);
        OwnedFd::from_raw_fd(raw)
    };
    let mut file = std::fs::File::from(fd);
    file.set_len(4096).unwrap();
    file.write_all(content).unwrap();
    // SAFETY: a plain system call on an open descriptor.
    let sealed = unsafe { libc::fcntl(file.as_fd().as_raw_fd(), libc::F_ADD_SEALS, seals) };
    assert_eq!(sealed, 0);
    file.into()
}
