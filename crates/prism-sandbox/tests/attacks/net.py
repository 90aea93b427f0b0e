"""Attacks through the network. Addresses are those reserved for documentation: should one get out, it reaches nobody."""

import fcntl
import socket
import struct

from kit import HOST, attack, main, syscall, tried, tried_each


def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect(address)


@attack
def net_tcp_out():
    return tried(
        v4=lambda: connect(socket.AF_INET, ("192.0.2.1", 443)),
        v4_other=lambda: connect(socket.AF_INET, ("198.51.100.7", 80)),
        v6=lambda: connect(socket.AF_INET6, ("2001:db8::1", 443)),
    )


@attack
def net_dns():
    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"\0" * 12, ("192.0.2.53", 53))

    # A name that exists, unlike those reserved for tests: outside it would be found.
    return tried(udp=send, resolver=lambda: socket.getaddrinfo("example.com", 80), servers=lambda: open("/etc/resolv.conf"))


@attack
def net_host_loopback():
    return tried(
        v4=lambda: connect(socket.AF_INET, ("127.0.0.1", HOST["tcp_port"])),
        any_address=lambda: connect(socket.AF_INET, ("0.0.0.0", HOST["tcp_port"])),
    )


@attack
def net_abstract_unix():
    return tried(abstract=lambda: connect(socket.AF_UNIX, "\0" + HOST["abstract_name"]))


@attack
def net_path_unix():
    paths = [HOST["unix_path"], "/run/dbus/system_bus_socket", "/var/run/docker.sock"]
    return tried_each((path, lambda path=path: connect(socket.AF_UNIX, path)) for path in paths)


@attack
def net_raw_packet():
    return tried(
        packet=lambda: socket.socket(17, socket.SOCK_RAW, 0),
        raw_tcp=lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
        raw_icmp=lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    )


@attack
def net_vsock():
    return tried(
        vsock=lambda: socket.socket(40, socket.SOCK_STREAM, 0),
        high_bits=lambda: syscall("socket", 40 | 1 << 32, 1, 0),
        pair=lambda: socket.socketpair(socket.AF_INET, socket.SOCK_STREAM),
    )


@attack
def net_exotic_families():
    families = dict(ax25=3, key=15, rds=21, can=29, tipc=30, bluetooth=31, alg=38, nfc=39, xdp=44, smc=43)
    protocols = dict(sctp=(2, 1, 132), mptcp=(2, 1, 262), dccp=(2, 6, 33), netfilter=(16, 3, 12), audit=(16, 3, 9), generic=(16, 3, 16))
    tries = [(name, lambda n=number: socket.socket(n, socket.SOCK_DGRAM, 0)) for name, number in families.items()]
    tries += [(name, lambda a=arguments: socket.socket(*a)) for name, arguments in protocols.items()]
    return tried_each(tries)


@attack
def net_config_iface():
    def change(request, payload):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, request, payload)

    down = struct.pack("16sh", b"lo", 0) + bytes(14)
    address = struct.pack("16sHH4s", b"lo", socket.AF_INET, 0, socket.inet_aton("192.0.2.9")) + bytes(8)
    return tried(set_flags=lambda: change(0x8914, down), set_address=lambda: change(0x8916, address))


if __name__ == "__main__":
    main()
