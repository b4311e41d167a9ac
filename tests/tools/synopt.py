#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""The SMC option on the wire: which SYN and SYN-ACK carry it, byte for byte, and that everything else about them is right.

Needs root, two network namespaces joined by a veth pair, whose names and addresses option.sh gives, and nft(8). Prints `ok NAME`
or `FAIL NAME: why` for each check; exit status 0 if none failed.
"""
import argparse
import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
import traceback

OPTION = bytes.fromhex('0101fe06e2d4c3d9')
TCP_MD5SIG, TCP_ULP, TCP_AO_ADD_KEY, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 14, 31, 38, 23, 30
MSG_FASTOPEN, ETH_P_ALL, PACKET_OUTGOING = 0x20000000, 3, 4
CLONE_NEWNET, SIOCETHTOOL, ETHTOOL_STXCSUM = 0x40000000, 0x8946, 0x17
SYN, ACK = 2, 16
LIMIT = 30
V4, V6, AF_SMC = socket.AF_INET, socket.AF_INET6, 43
LIBC = ctypes.CDLL(None, use_errno=True)
CHECKS = []


def check(func):
    CHECKS.append(func)
    return func


@contextlib.contextmanager
def inside(netns):
    """What is created in here belongs to that namespace."""
    back = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    there = os.open('/run/netns/' + netns, os.O_RDONLY)
    try:
        if LIBC.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'setns ' + netns)
        yield
    finally:
        LIBC.setns(back, CLONE_NEWNET)
        os.close(there)
        os.close(back)


def sysctl(netns, name, value):
    with inside(netns), open('/proc/sys/' + name, 'r+') as fp:
        old = fp.read()
        fp.seek(0)
        fp.write(str(value))
    return old


def stat(netns, name):
    with inside(netns), open('/proc/thread-self/net/smc_ulp/stats') as fp:
        return dict(line.split() for line in fp).get(name)


def nft(netns, *rules):
    subprocess.run(['ip', 'netns', 'exec', netns, 'nft', '-f', '-'], input='\n'.join(rules), text=True, check=True)


@contextlib.contextmanager
def dropped(netns, flags, only=''):
    """In that namespace, after the tap has seen them, packets with these TCP flags vanish; only: a further match."""
    mask = 'psh' if flags == 'psh' else '(syn | ack)'
    nft(netns, 'add table inet t', 'add chain inet t in { type filter hook input priority 0; }',
        'add rule inet t in tcp flags & %s == %s %s drop' % (mask, flags, only))
    try:
        yield
    finally:
        nft(netns, 'delete table inet t')


def tx_checksum(netns, device, enabled):
    """Does the device claim to compute checksums? veth passes on what is not computed."""
    value = ctypes.create_string_buffer(struct.pack('II', ETHTOOL_STXCSUM, enabled))
    with inside(netns), socket.socket() as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack('16sP8x', device.encode(), ctypes.addressof(value)))


def until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, 'it did not come to that'
        time.sleep(0.01)


def fold(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


class Segment:
    """A TCP segment as the tap has seen it."""

    def __init__(self, frame, outgoing):
        self.outgoing = outgoing
        packet = frame[14:]
        self.v6 = packet[0] >> 4 == 6
        if self.v6:
            length, self.next = struct.unpack('!HB', packet[4:7])
            end, start, addresses = 40 + length, 40, packet[8:40]
            self.header_ok = True
        else:
            start, self.next, addresses = (packet[0] & 15) * 4, packet[9], packet[12:20]
            end = struct.unpack('!H', packet[2:4])[0]
            self.header_ok = fold(packet[:start]) == 0xffff
        self.tcp = tcp = packet[start:end]
        self.length_ok = end <= len(packet) and (end == len(packet) or len(frame) == 60)
        if self.next != socket.IPPROTO_TCP or len(tcp) < 20:
            self.flags = 0
            return
        self.sport, self.dport = struct.unpack('!HH', tcp[:4])
        self.flags = tcp[13]
        header = (tcp[12] >> 4) * 4
        self.options, self.data = tcp[20:header], tcp[header:]
        self.pseudo = addresses + struct.pack('!II', len(tcp), socket.IPPROTO_TCP)
        self.checksum = struct.unpack('!H', tcp[16:18])[0]

    def checksum_ok(self):
        return fold(self.pseudo + self.tcp) == 0xffff

    def checksum_is_partial(self):
        """The sum of the pseudo header only, for the device to complete."""
        return self.checksum == fold(self.pseudo)

    def kinds(self):
        found, i = [], 0
        while i < len(self.options) and self.options[i]:
            found.append(self.options[i])
            i += 1 if self.options[i] == 1 else self.options[i + 1]
        return found


class Tap:
    """Sees what arrives at the server's namespace and what leaves it."""

    def __init__(self):
        with inside(ARGS.server):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.sock.bind((ARGS.server_dev, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def next(self, flags, seconds=LIMIT):
        """The next segment whose SYN and ACK are these."""
        end = time.monotonic() + seconds
        while True:
            if not select.select([self.sock], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError('no segment with flags %d came' % flags)
            frame, address = self.sock.recvfrom(65536)
            if frame[12:14] not in (b'\x08\x00', b'\x86\xdd'):
                continue
            seg = Segment(frame, address[2] == PACKET_OUTGOING)
            if seg.flags & (SYN | ACK) == flags and seg.flags & SYN:
                return seg


def has_option(seg, wanted, what, complete=True):
    count = seg.options.count(OPTION)
    assert count == wanted, '%s carries the option %d times, not %d: %s' % (what, count, wanted, seg.options.hex())
    if not wanted:
        assert b'\xe2\xd4\xc3\xd9' not in seg.options, '%s: %s' % (what, seg.options.hex())
    assert not wanted or 254 in seg.kinds(), '%s: what is before it hides it: %s' % (what, seg.options.hex())
    assert seg.length_ok, '%s: its length is not what the IP header says' % what
    assert seg.header_ok, '%s: checksum of the IP header' % what
    if complete:
        assert seg.checksum_ok(), '%s: checksum %04x' % (what, seg.checksum)


def address(family):
    return ARGS.address if family == V4 else ARGS.address6


def ulp(sock):
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b'smc')


def name_of_ulp(sock):
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, TCP_ULP, 16).rstrip(b'\0')
    except OSError as err:
        if err.errno == errno.EOPNOTSUPP:
            return b''
        raise


def listener(family=V4, with_ulp=True, setup=None):
    with inside(ARGS.server):
        sock = socket.socket(family)
    sock.settimeout(LIMIT)
    if setup:
        setup(sock)
    if with_ulp:
        ulp(sock)
    if family == V6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(('' if family == V4 else '::', 0))
    sock.listen(16)
    return sock


def client(family=V4, with_ulp=True, setup=None):
    with inside(ARGS.client):
        sock = socket.socket(family)
    sock.settimeout(LIMIT)
    if setup:
        setup(sock)
    if with_ulp:
        ulp(sock)
    return sock


def connect(sock, addr):
    """Begun, not finished: the tap has the first word."""
    sock.setblocking(False)
    assert sock.connect_ex(addr) in (0, errno.EINPROGRESS)


def carries_data(cli, srv):
    """Both ways, and nothing comes that was not sent, such as a CLC message."""
    for sock in (cli, srv):
        sock.settimeout(LIMIT)
    for sender, receiver in ((cli, srv), (srv, cli)):
        sender.sendall(b'0123456789' * 100)
        got = b''
        while len(got) < 1000:
            part = receiver.recv(1001 - len(got))
            assert part, 'the stream ended after %d bytes' % len(got)
            got += part
        assert got == b'0123456789' * 100, 'other bytes came: %r' % got[:40]


def exchange(syn=1, synack=1, family=V4, to=None, server_ulp=True, client_ulp=True, setup_server=None, setup_client=None,
             server_family=None, complete=True):
    """One connection: what its SYN and SYN-ACK carried; data. Returns both segments."""
    with Tap() as tap, listener(server_family or family, server_ulp, setup_server) as lst, \
            client(family, client_ulp, setup_client) as cli:
        connect(cli, (to or address(family), lst.getsockname()[1]))
        first, second = tap.next(SYN), tap.next(SYN | ACK)
        has_option(first, syn, 'SYN', complete)
        has_option(second, synack, 'SYN-ACK', complete)
        srv, _ = lst.accept()
        with srv:
            carries_data(cli, srv)
            if not synack:
                assert name_of_ulp(srv) == b'', 'the accepted socket has a ULP'
        return first, second


@check
def ipv4():
    exchange()


@check
def ipv6():
    exchange(family=V6)


@check
def v4_mapped():
    first, _ = exchange(family=V6, to='::ffff:' + ARGS.address)
    assert not first.v6, 'it is IPv6'


@check
def v4_client_of_v6_listener():
    exchange(family=V4, server_family=V6)


@check
def plain_client():
    exchange(syn=0, synack=0, client_ulp=False)


@check
def plain_listener():
    exchange(synack=0, server_ulp=False)


@check
def nobody():
    exchange(syn=0, synack=0, client_ulp=False, server_ulp=False)


@check
def disabled():
    """net.smc_ulp.enable=0 refuses the ULP; sockets that have it go on."""
    old = sysctl(ARGS.client, 'net/smc_ulp/enable', 0)
    try:
        with client(with_ulp=False) as sock:
            try:
                ulp(sock)
            except OSError as err:
                assert err.errno == errno.EOPNOTSUPP, err
            else:
                raise AssertionError('it was allowed')
    finally:
        sysctl(ARGS.client, 'net/smc_ulp/enable', old)


@check
def counters():
    before = [int(stat(ARGS.client, 'syn_sent')), int(stat(ARGS.server, 'synack_sent'))]
    exchange()
    after = [int(stat(ARGS.client, 'syn_sent')), int(stat(ARGS.server, 'synack_sent'))]
    assert after == [n + 1 for n in before], '%s, then %s' % (before, after)


@check
def checksums_left_to_the_device():
    for ns, dev in ((ARGS.client, ARGS.client_dev), (ARGS.server, ARGS.server_dev)):
        tx_checksum(ns, dev, 1)
    try:
        for family in (V4, V6):
            for seg in exchange(family=family, complete=False):
                assert seg.checksum_is_partial(), 'checksum %04x, the pseudo header has %04x' % (seg.checksum, fold(seg.pseudo))
    finally:
        for ns, dev in ((ARGS.client, ARGS.client_dev), (ARGS.server, ARGS.server_dev)):
            tx_checksum(ns, dev, 0)


@check
def retransmitted_syn():
    for family in (V4, V6):
        with Tap() as tap, listener(family) as lst, client(family) as cli:
            # One SYN, by its bytes: the third one carries no option, however long a rule takes to be removed.
            with dropped(ARGS.server, 'syn', 'quota until 100 bytes'):
                connect(cli, (address(family), lst.getsockname()[1]))
                has_option(tap.next(SYN), 1, 'first SYN')
                has_option(tap.next(SYN), 1, 'second SYN')
                has_option(tap.next(SYN | ACK), 1, 'SYN-ACK')
            srv, _ = lst.accept()
            with srv:
                carries_data(cli, srv)


@check
def retransmitted_synack():
    with Tap() as tap, listener() as lst, client() as cli:
        with dropped(ARGS.client, '(syn | ack)'):
            connect(cli, (ARGS.address, lst.getsockname()[1]))
            has_option(tap.next(SYN | ACK), 1, 'first SYN-ACK')
        has_option(tap.next(SYN | ACK), 1, 'second SYN-ACK')
        srv, _ = lst.accept()
        with srv:
            carries_data(cli, srv)


@check
def too_many_handshakes():
    """A SYN whose option was ignored is answered without it, and so is its retransmission, whatever has changed since."""
    old = sysctl(ARGS.server, 'net/smc_ulp/max_handshakes', 1)
    try:
        with Tap() as tap, listener() as lst, client() as one, client() as two:
            addr = (ARGS.address, lst.getsockname()[1])
            two.bind((ARGS.client_address, 0))
            # Whoever waits for the client's first word is in the handshake, and after 6 s it is reset: two packets of 96 bytes vanish,
            # the third comes after 0.6 s. It is a decline, as there is no adapter.
            with dropped(ARGS.server, 'psh', 'quota until 200 bytes'), \
                    dropped(ARGS.client, '(syn | ack)', 'tcp dport %d quota until 100 bytes' % two.getsockname()[1]):
                connect(one, addr)
                has_option(tap.next(SYN | ACK), 1, 'SYN-ACK')
                until(lambda: stat(ARGS.server, 'handshakes_now') == '1')
                connect(two, addr)
                has_option(tap.next(SYN), 1, 'SYN')
                has_option(tap.next(SYN | ACK), 0, 'SYN-ACK beyond the limit')
                sysctl(ARGS.server, 'net/smc_ulp/max_handshakes', old)
                has_option(tap.next(SYN | ACK), 0, 'second SYN-ACK')
            for cli in (one, two):
                srv, _ = lst.accept()
                with srv:
                    carries_data(cli, srv)
    finally:
        sysctl(ARGS.server, 'net/smc_ulp/max_handshakes', old)


def storage(family, host):
    if family == V4:
        return struct.pack('=HH4s120x', V4, 0, socket.inet_aton(host))
    return struct.pack('=HHI16s104x', V6, 0, 0, socket.inet_pton(V6, host))


def md5(family, peer):
    def setup(sock):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, storage(family, peer) + struct.pack('=BBHi80s', 0, 0, 4, 0, b'key!'))
    return setup


@check
def signed_md5():
    """A signature covers the header's length: nothing is added behind it."""
    for family, server, client_addr in ((V4, ARGS.address, ARGS.client_address), (V6, ARGS.address6, ARGS.client_address6)):
        first, second = exchange(syn=0, synack=0, family=family, setup_server=md5(family, client_addr),
                                 setup_client=md5(family, server))
        assert 19 in first.kinds() and 19 in second.kinds(), 'they are not signed'


def ao(peer):
    def setup(sock):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_AO_ADD_KEY,
                        storage(V4, peer) + struct.pack('=64siIHBBBBBB80s', b'hmac(sha1)', 0, 3, 0, 32, 100, 100, 0, 0, 4, b'key!'))
    return setup


@check
def signed_ao():
    try:
        with client(with_ulp=False, setup=ao(ARGS.address)):
            pass
    except OSError as err:
        if err.errno == errno.ENOPROTOOPT:
            return 'this kernel has no TCP-AO'
        raise
    first, second = exchange(syn=0, synack=0, setup_server=ao(ARGS.client_address), setup_client=ao(ARGS.address))
    assert 29 in first.kinds() and 29 in second.kinds(), 'they are not signed'
    return None


@check
def fast_open():
    """Data in the SYN, where a CLC message would have to come first: plain TCP."""
    for ns in (ARGS.client, ARGS.server):
        sysctl(ns, 'net/ipv4/tcp_fastopen', 3)
    with listener(setup=lambda s: s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)) as lst:
        for way in ('cookie', 'sendto', 'connect'):
            with Tap() as tap, client() as cli:
                # A time limit makes Python's sockets non-blocking, and this sendto() is a connect.
                cli.settimeout(None)
                if way == 'connect':
                    cli.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
                    cli.connect((ARGS.address, lst.getsockname()[1]))
                    cli.sendall(b'early')
                else:
                    cli.sendto(b'early', MSG_FASTOPEN, (ARGS.address, lst.getsockname()[1]))
                first, second = tap.next(SYN), tap.next(SYN | ACK)
                assert (first.data == b'early') == (way != 'cookie'), '%s: data in the SYN: %r' % (way, first.data)
                has_option(first, 0, way + ': SYN')
                has_option(second, 0, way + ': SYN-ACK')
                srv, _ = lst.accept()
                with srv:
                    srv.settimeout(LIMIT)
                    assert srv.recv(5, socket.MSG_WAITALL) == b'early'
                    carries_data(cli, srv)


@check
def syncookies():
    """No request is kept, so nobody could remember the option: the answer does not carry it."""
    old = sysctl(ARGS.server, 'net/ipv4/tcp_syncookies', 2)
    try:
        for family in (V4, V6):
            exchange(syn=1, synack=0, family=family)
    finally:
        sysctl(ARGS.server, 'net/ipv4/tcp_syncookies', old)


def in_tree():
    """With the kernel's own SMC in place of ours: does it write the same bytes?"""
    def raw(call, sock, port):
        # Python knows no addresses for this family; they are IPv4's.
        addr = struct.pack('=H', V4) + struct.pack('!H4s8x', port, socket.inet_aton(ARGS.address))
        return call(sock.fileno(), addr, len(addr))

    with inside(ARGS.server):
        lst = socket.socket(AF_SMC)
    with inside(ARGS.client):
        cli = socket.socket(AF_SMC)
    with Tap() as tap, lst, cli:
        assert not raw(LIBC.bind, lst, 7000), 'bind: errno %d' % ctypes.get_errno()
        lst.listen(4)
        cli.setblocking(False)
        raw(LIBC.connect, cli, 7000)
        for flags in (SYN, SYN | ACK):
            has_option(tap.next(flags), 1, 'SYN-ACK' if flags & ACK else 'SYN')


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--server', default='s', metavar='NETNS')
    parser.add_argument('--client', default='c', metavar='NETNS')
    parser.add_argument('--server-dev', default='vs')
    parser.add_argument('--client-dev', default='vc')
    parser.add_argument('--address', default='10.88.0.1', help="the server's")
    parser.add_argument('--address6', default='fd88::1')
    parser.add_argument('--client-address', default='10.88.0.2')
    parser.add_argument('--client-address6', default='fd88::2')
    parser.add_argument('--in-tree', action='store_true', help="look at the kernel's own SMC")
    parser.add_argument('--only', metavar='NAME')
    ARGS = parser.parse_args()
    failed = False
    # What the tap sees is then what goes over a wire.
    for ns, dev in ((ARGS.client, ARGS.client_dev), (ARGS.server, ARGS.server_dev)):
        tx_checksum(ns, dev, 0)
    for func in [in_tree] if ARGS.in_tree else CHECKS:
        if ARGS.only and func.__name__ != ARGS.only:
            continue
        try:
            note = func()
        except Exception as err:    # pylint: disable=broad-except
            failed = True
            where = traceback.extract_tb(err.__traceback__)[-1]
            print('FAIL %s: %s (line %d)' % (func.__name__, err or type(err).__name__, where.lineno), flush=True)
        else:
            print('%s %s%s' % ('note' if note else 'ok', func.__name__, ': ' + note if note else ''), flush=True)
    return failed


if __name__ == '__main__':
    sys.exit(main())
