"""Tries every road out of the sandbox. Loopback of the sandbox itself is no escape."""

import fcntl
import socket
import struct

OUTSIDE = ("1.1.1.1", "8.8.8.8", "169.254.169.254", "2606:4700:4700::1111")
# Ports that a host may serve on its own loopback; 47613 is where a test may put a canary.
LOCAL_PORTS = (22, 25, 53, 80, 443, 631, 2375, 3000, 5000, 5432, 6379, 8000, 8080, 9090, 47613)
ABSTRACT_NAMES = (b"\0prism-redteam-canary", b"\0/containerd-shim", b"\0/tmp/.X11-unix/X0")
SOCKET_PATHS = ("/run/docker.sock", "/var/run/docker.sock", "/run/systemd/private")


def attempt(what, action):
    """Run `action`; anything that it returns is an escape."""
    try:
        result = action()
    except (OSError, OverflowError, ValueError):
        return
    print("ESCAPED", what, repr(result)[:200], flush=True)


def connect(family, kind, address):
    with socket.socket(family, kind) as channel:
        channel.settimeout(0.2)
        channel.connect(address)
        channel.send(b"x")
        return address


def receive_anything(family, kind, protocol=0):
    with socket.socket(family, kind, protocol) as channel:
        return f"a socket of family {family}, kind {kind}, protocol {protocol}"


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def add_address():
    """Give the loopback interface another address by ioctl."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        request = struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, socket.inet_aton("10.9.8.7"))
        fcntl.ioctl(channel, 0x8916, request)  # SIOCSIFADDR
        return "added an address to an interface"


def add_link():
    """Ask netlink for a new interface, which needs CAP_NET_ADMIN; report only an acceptance."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as channel:
        channel.settimeout(0.2)
        name = struct.pack("HH", 8, 3) + b"rt0\0"
        kind = struct.pack("HH", 16, 18) + struct.pack("HH", 10, 1) + b"dummy\0\0\0"
        body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + name + kind
        channel.sendto(struct.pack("IHHII", 16 + len(body), 16, 0x605, 1, 0) + body, (0, 0))
        error = struct.unpack_from("i", channel.recv(4096), 16)[0]
        if error != 0:
            raise OSError(-error, "refused")
        return "added an interface"


def run():
    for address in OUTSIDE:
        family = family_of(address)
        for port in (53, 80, 443):
            attempt("tcp", lambda: connect(family, socket.SOCK_STREAM, (address, port)))
        attempt("udp", lambda: connect(family, socket.SOCK_DGRAM, (address, 53)))
    for host in ("127.0.0.1", "::1"):
        for port in LOCAL_PORTS:
            attempt("loopback", lambda: connect(family_of(host), socket.SOCK_STREAM, (host, port)))
    attempt("dns", lambda: socket.getaddrinfo("example.com", 443))
    for name in (*ABSTRACT_NAMES, *SOCKET_PATHS):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            attempt("unix", lambda: connect(socket.AF_UNIX, kind, name))
    attempt(
        "raw ip", lambda: receive_anything(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    )
    attempt("raw packet", lambda: receive_anything(socket.AF_PACKET, socket.SOCK_RAW, 0x0300))
    for number, name in ((40, "vsock"), (44, "xdp"), (38, "alg"), (31, "bluetooth"), (29, "can")):
        attempt(name, lambda: receive_anything(number, socket.SOCK_RAW))
        attempt(name, lambda: receive_anything(number, socket.SOCK_STREAM))
    attempt("ioctl", add_address)
    attempt("netlink", add_link)
