#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""What setsockopt(TCP_ULP, "smc") promises to a program, beyond carrying bytes.

Prints `ok NAME` or `FAIL NAME: why` for each check; exit status 0 if none failed.
"""
import argparse
import array
import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

from cgroup import Cgroup
from synopt import fold

TCP_ULP = 31
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
# Seconds for what takes no time at all. The debug kernel is slow, and shares the machine with others.
LIMIT = 150 if os.path.exists('/sys/kernel/debug/kmemleak') else 30
CHECKS = []


def check(func):
    CHECKS.append(func)
    return func


def ulp(sock, name=b'smc'):
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, name)
    return sock


def expect_errno(wanted, func, *args):
    try:
        func(*args)
    except OSError as err:
        assert err.errno in wanted, 'got %s' % errno.errorcode.get(err.errno, err.errno)
        return
    raise AssertionError('it was allowed')


def listener(family=socket.AF_INET, address=None, with_ulp=False):
    sock = socket.socket(family)
    if with_ulp:
        ulp(sock)
    sock.bind((address or ARGS.address, 0))
    sock.listen(64)
    sock.settimeout(LIMIT)
    return sock


def read_exactly(sock, length):
    data = b''
    while len(data) < length:
        part = sock.recv(length - len(data))
        assert part, 'end of stream after %d of %d' % (len(data), length)
        data += part
    return data


def connected(server_ulp, client_ulp=True):
    """(client, server) connected; the client blocking with a time limit."""
    wait = listener(with_ulp=server_ulp)
    client = socket.socket()
    if client_ulp:
        ulp(client)
    client.settimeout(LIMIT)
    client.connect(wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    wait.close()
    return client, server


def talk(one, other, data=b'0123456789' * 10):
    """Bytes cross both ways; by then the outcome of the handshake is known to both ends."""
    one.sendall(data)
    assert read_exactly(other, len(data)) == data, 'wrong bytes'
    other.sendall(data)
    assert read_exactly(one, len(data)) == data, 'wrong bytes'


@check
def unknown_ulp_name():
    expect_errno((errno.ENOENT,), ulp, socket.socket(), b'smcx')


@check
def connected_socket():
    wait = listener()
    client = socket.create_connection(wait.getsockname())
    expect_errno((errno.EISCONN, errno.EINVAL, errno.ENOTSUPP if hasattr(errno, 'ENOTSUPP') else errno.EOPNOTSUPP,
                  errno.EOPNOTSUPP), ulp, client)
    talk(client, wait.accept()[0])


@check
def udp_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    expect_errno((errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EINVAL), ulp, sock)


@check
def unix_socket():
    sock = socket.socket(socket.AF_UNIX)
    expect_errno((errno.ENOPROTOOPT, errno.EOPNOTSUPP), ulp, sock)


@check
def twice():
    expect_errno((errno.EEXIST,), ulp, ulp(socket.socket()))


@check
def other_ulp_after():
    expect_errno((errno.EEXIST, errno.ENOENT, errno.EBUSY), ulp, ulp(socket.socket()), b'tls')


@check
def name_is_readable():
    sock = ulp(socket.socket())
    got = sock.getsockopt(socket.IPPROTO_TCP, TCP_ULP, 16)
    assert got.rstrip(b'\0') == b'smc', got


@check
def close_unused():
    ulp(socket.socket()).close()
    ulp(socket.socket(socket.AF_INET6)).close()


@check
def refused():
    free = listener()
    port = free.getsockname()[1]
    free.close()
    sock = ulp(socket.socket())
    expect_errno((errno.ECONNREFUSED,), sock.connect, (ARGS.address, port))
    again = listener()
    sock.connect(again.getsockname())
    talk(sock, again.accept()[0])


@check
def names_of_both_ends():
    client, server = connected(ARGS.both)
    assert client.getpeername() == server.getsockname()
    assert client.getsockname() == server.getpeername()
    talk(client, server)
    assert client.getpeername() == server.getsockname()


@check
def inode_stays():
    """Conversion and fallback swap neither file, inode nor struct socket."""
    sock = socket.socket()
    link, info = os.readlink('/proc/self/fd/%d' % sock.fileno()), os.fstat(sock.fileno())
    ulp(sock)
    wait = listener(with_ulp=ARGS.both)
    sock.settimeout(LIMIT)
    sock.connect(wait.getsockname())
    talk(sock, wait.accept()[0])
    assert link == os.readlink('/proc/self/fd/%d' % sock.fileno())
    assert info.st_ino == os.fstat(sock.fileno()).st_ino and info.st_dev == os.fstat(sock.fileno()).st_dev


def wait_epoll(poll, fd, wanted):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        # others than the wanted ones may be there before
        for got, events in poll.poll(1):
            if got == fd and events & wanted:
                return events
        os.sched_yield()
    raise AssertionError('no event in %d s' % LIMIT)


def wait_epoll_for(sock, wanted):
    with select.epoll() as poll:
        poll.register(sock, wanted)
        wait_epoll(poll, sock.fileno(), wanted)


def epoll_before_connect(flags):
    """Registered before the conversion is known to work; each event of the connection's life must come."""
    sock = ulp(socket.socket())
    poll = select.epoll()
    poll.register(sock, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | flags)
    wait = listener(with_ulp=ARGS.both)
    sock.setblocking(False)
    err = sock.connect_ex(wait.getsockname())
    assert err in (0, errno.EINPROGRESS), errno.errorcode[err]
    wait_epoll(poll, sock.fileno(), select.EPOLLOUT)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    sock.send(b'x' * 1000)
    read_exactly(server, 1000)
    for _ in range(3):
        server.sendall(b'y' * 1000)
        wait_epoll(poll, sock.fileno(), select.EPOLLIN)
        got = sock.recv(1000)
        while len(got) < 1000:
            wait_epoll(poll, sock.fileno(), select.EPOLLIN)
            got += sock.recv(1000 - len(got))
    server.close()
    wait_epoll(poll, sock.fileno(), select.EPOLLRDHUP)
    assert sock.recv(1) == b''


@check
def epoll_level():
    epoll_before_connect(0)


@check
def epoll_edge():
    epoll_before_connect(select.EPOLLET)


@check
def dup_before_connect():
    """A dup of before the conversion is the same connection afterwards."""
    sock = socket.socket()
    copy = sock.dup()
    ulp(sock)
    wait = listener(with_ulp=ARGS.both)
    sock.settimeout(LIMIT)
    copy.settimeout(LIMIT)
    sock.connect(wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    talk(copy, server)
    sock.close()
    talk(copy, server)
    assert server.fileno() >= 0


@check
def passed_by_scm_rights():
    left, right = socket.socketpair()
    sock = ulp(socket.socket())
    left.sendmsg([b'f'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [sock.fileno()]))])
    wait = listener(with_ulp=ARGS.both)
    sock.settimeout(LIMIT)
    sock.connect(wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    ancillary = right.recvmsg(1, socket.CMSG_SPACE(4))[1]
    received = socket.socket(fileno=array.array('i', ancillary[0][2])[0])
    received.settimeout(LIMIT)
    sock.close()
    talk(received, server)


@check
def reader_blocked_over_handshake():
    """A thread that blocks in recv before the outcome is known gets its bytes."""
    client, server = connected(ARGS.both)
    got = []
    thread = threading.Thread(target=lambda: got.append(read_exactly(client, 5)), daemon=True)
    thread.start()
    server.sendall(b'hello')
    thread.join(LIMIT)
    assert got == [b'hello'], 'the reader still waits'


@check
def big_early_send():
    """Far more than any buffer, sent before the server has accepted."""
    wait = listener(with_ulp=ARGS.both)
    client = ulp(socket.socket())
    client.settimeout(LIMIT)
    client.connect(wait.getsockname())
    data = os.urandom(1 << 16) * 64
    thread = threading.Thread(target=client.sendall, args=(data,), daemon=True)
    thread.start()
    thread.join(0.3)                    # lets it fill what buffers there are
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    assert read_exactly(server, len(data)) == data, 'wrong bytes'
    thread.join(LIMIT)
    assert not thread.is_alive()


@check
def more_rings_than_memory():
    """Rings may have an eighth of the memory. Who gets none is on TCP and hears nothing of it; and what is on TCP keeps none."""
    ring = 2 << 20
    with open('/proc/meminfo') as f:
        total = int(f.readline().split()[1]) << 10
    kept = []
    try:
        with listener(with_ulp=ARGS.both) as lst:
            for i in range(total // 8 // ring + 20):
                cli = ulp(socket.socket())
                kept.append(cli)
                cli.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, ring)
                cli.settimeout(LIMIT)
                cli.connect(lst.getsockname())
                cli.sendall(b'%d' % i)
                srv, _ = lst.accept()
                kept.append(srv)
                srv.settimeout(LIMIT)
                got = srv.recv(10)
                assert got == b'%d' % i, got
    finally:
        for sock in kept:
            sock.close()


@check
def send_buffer_full_then_room():
    """Nonblocking: EAGAIN, then EPOLLOUT once the other end has read."""
    client, server = connected(ARGS.both)
    client.setblocking(False)
    poll = select.epoll()
    poll.register(client, select.EPOLLOUT | select.EPOLLET)
    sent = 0
    while sent < 1 << 28:
        try:
            sent += client.send(bytes(65536))
        except BlockingIOError:
            # What is under way makes room as long as the other end has some.
            if not poll.poll(0.5):
                break
    read_exactly(server, sent)
    wait_epoll(poll, client.fileno(), select.EPOLLOUT)
    assert client.send(b'z') == 1


@check
def half_close():
    client, server = connected(ARGS.both)
    client.sendall(b'question')
    client.shutdown(socket.SHUT_WR)
    assert read_exactly(server, 8) == b'question' and server.recv(1) == b''
    server.sendall(b'answer')
    server.close()
    assert read_exactly(client, 6) == b'answer' and client.recv(1) == b''


@check
def shutdown_before_data():
    client, server = connected(ARGS.both)
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b''
    expect_errno((errno.EPIPE,), client.send, b'x')
    server.close()
    assert client.recv(1) == b''


@check
def timeout_of_recv():
    client, server = connected(ARGS.both)
    talk(client, server)
    client.setblocking(True)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, (0).to_bytes(8, 'little') + (200000).to_bytes(8, 'little'))
    expect_errno((errno.EAGAIN,), client.recv, 1)


@check
def dontwait_and_waitall():
    client, server = connected(ARGS.both)
    talk(client, server)
    client.setblocking(True)
    expect_errno((errno.EAGAIN,), client.recv, 1, socket.MSG_DONTWAIT)
    thread = threading.Thread(target=lambda: [server.send(b'abc') for _ in range(4)], daemon=True)
    thread.start()
    assert client.recv(12, socket.MSG_WAITALL) == b'abc' * 4


@check
def sendmsg_recvmsg_vectors():
    client, server = connected(ARGS.both)
    assert client.sendmsg([b'ab', b'', b'cde']) == 5
    assert read_exactly(server, 5) == b'abcde'
    server.sendall(b'vwxyz')
    one, two = bytearray(2), bytearray(3)
    got = 0
    while got < 5:
        n = client.recvmsg_into([memoryview(one)[min(got, 2):], memoryview(two)[max(got - 2, 0):]])[0]
        assert n
        got += n
    assert bytes(one + two) == b'vwxyz'


@check
def options_still_work():
    client, server = connected(ARGS.both)
    talk(client, server)
    for level, name, value in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
                               (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)):
        client.setsockopt(level, name, value)
        assert client.getsockopt(level, name) == value
    assert len(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)) >= 100
    talk(client, server)


@check
def fork_shares_it():
    client, server = connected(ARGS.both)
    pid = os.fork()
    if pid == 0:
        try:
            talk(client, server)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    talk(client, server)


@check
def many_opened_and_dropped():
    """Closed at each moment of the handshake."""
    wait = listener(with_ulp=ARGS.both)
    for i in range(30):
        sock = ulp(socket.socket())
        sock.setblocking(False)
        sock.connect_ex(wait.getsockname())
        if i % 3 == 0:
            select.select([], [sock], [], LIMIT)
        if i % 3 == 1:
            select.select([wait], [], [], LIMIT)
            wait.accept()[0].close()
        sock.close()
    wait.close()
    client, server = connected(ARGS.both)
    talk(client, server)


@check
def saved_syn_of_the_program():
    """TCP_SAVE_SYN asked for after the conversion is the program's; what we have saved for ourselves is not for it."""
    save, saved = 27, 28
    for late in (True, False):
        wait = listener(with_ulp=True)
        if late:
            wait.setsockopt(socket.IPPROTO_TCP, save, 1)
        client = socket.socket()
        if ARGS.both:
            ulp(client)
        client.settimeout(LIMIT)
        client.connect(wait.getsockname())
        server = wait.accept()[0]
        server.settimeout(LIMIT)
        talk(client, server)
        got = server.getsockopt(socket.IPPROTO_TCP, saved, 256)
        assert bool(got) == late, 'TCP_SAVED_SYN has %d bytes' % len(got)


@check
def listener_shut_by_several():
    """Threads that end the same listener at once, while its children are in the handshake."""
    for _ in range(5):
        wait = listener(with_ulp=True)
        clients = []
        for _ in range(8):
            sock = ulp(socket.socket()) if ARGS.both else socket.socket()
            sock.setblocking(False)
            sock.connect_ex(wait.getsockname())
            clients.append(sock)

        def shut():
            try:
                wait.shutdown(socket.SHUT_RD)
            except OSError as err:
                assert err.errno == errno.ENOTCONN, err
        threads = [threading.Thread(target=shut, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
            assert not thread.is_alive()
        wait.close()
        for sock in clients:
            sock.close()
    talk(*connected(True))
    # once is enough to listen anew; a second shutdown() would leave its mark, as on TCP
    wait = listener(with_ulp=True)
    wait.shutdown(socket.SHUT_RD)
    wait.listen(8)
    client = ulp(socket.socket())
    client.settimeout(LIMIT)
    client.connect(wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    talk(client, server)


@check
def fast_open_on_a_listener():
    """MSG_FASTOPEN on a listener is refused as on TCP, and the listener's children go on."""
    wait = listener(with_ulp=True)
    client = ulp(socket.socket())
    client.settimeout(LIMIT)
    client.connect(wait.getsockname())
    wait.setblocking(True)
    expect_errno((errno.EISCONN, errno.EOPNOTSUPP, errno.EPIPE), wait.sendto, b'x', socket.MSG_FASTOPEN | socket.MSG_NOSIGNAL,
                 wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    talk(client, server)
    other = ulp(socket.socket())
    other.settimeout(LIMIT)
    other.connect(wait.getsockname())
    wait.close()


@check
def listener_becomes_client():
    """Converted while listening, then disconnected and connected: it is a client."""
    sock = ulp(listener())
    expect_errno((errno.ENOTCONN,), lambda: sock.shutdown(socket.SHUT_RD) or sock.getpeername())
    wait = listener(with_ulp=ARGS.both)
    sock.settimeout(LIMIT)
    sock.connect(wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    talk(sock, server)


@check
def closed_before_the_flush():
    """A server that takes the option, falls back and does not read: what the client has written before it is killed arrives."""
    client, server = connected(ARGS.both)
    client.setblocking(False)
    sent = 0
    try:
        while sent < 1 << 26:
            sent += client.send(b'f' * 65536)
    except BlockingIOError:
        pass
    client.close()
    assert read_exactly(server, sent) == b'f' * sent
    assert server.recv(1) == b''


@check
def converted_under_accept():
    """The listener is converted while a thread waits in accept(): its connection outlives the listener."""
    wait = listener()
    wait.settimeout(None)
    got = []
    thread = threading.Thread(target=lambda: got.append(wait.accept()[0]), daemon=True)
    thread.start()
    while open('/proc/self/task/%d/stat' % thread.native_id).read().split()[2] != 'S':
        os.sched_yield()
    ulp(wait)
    client = ulp(socket.socket()) if ARGS.both else socket.socket()
    client.settimeout(LIMIT)
    client.connect(wait.getsockname())
    thread.join(LIMIT)
    server = got[0]
    server.settimeout(LIMIT)
    talk(client, server)
    wait.close()
    talk(client, server)
    poll = select.epoll()
    poll.register(server, select.EPOLLIN)
    client.sendall(b'more')
    wait_epoll(poll, server.fileno(), select.EPOLLIN)
    assert read_exactly(server, 4) == b'more'


@check
def sigio_when_writable():
    """F_SETFL O_ASYNC: a signal when there is room again."""
    client, server = connected(ARGS.both)
    talk(client, server)
    old = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    try:
        client.setblocking(False)
        sent = 0
        # Full is it when nothing that is on its way to the peer makes room any more.
        while select.select([], [client], [], 1)[1]:
            try:
                sent += client.send(bytes(65536))
            except BlockingIOError:
                pass
        # This thread, which has it blocked; others would die of it. F_SETOWN_EX, F_OWNER_TID
        fcntl.fcntl(client, 15, struct.pack('ii', 0, threading.get_native_id()))
        fcntl.fcntl(client, fcntl.F_SETFL, fcntl.fcntl(client, fcntl.F_GETFL) | os.O_ASYNC)
        expect_errno((errno.EAGAIN,), lambda: [client.send(bytes(65536)) for _ in range(1000)])
        while signal.sigtimedwait([signal.SIGIO], 0):
            pass                        # what the peer's first reads have already caused
        read_exactly(server, sent)
        assert signal.sigtimedwait([signal.SIGIO], LIMIT), 'no signal'
    finally:
        client.close()
        while signal.sigtimedwait([signal.SIGIO], 0):
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


@check
def zerocopy_receive_sees_nothing():
    """TCP_ZEROCOPY_RECEIVE with a copy buffer reads TCP's queue: not where that holds a handshake's messages."""
    wait = listener(with_ulp=ARGS.both)
    client = ulp(socket.socket())
    client.settimeout(LIMIT)
    client.connect(wait.getsockname())
    server = wait.accept()[0]
    server.settimeout(LIMIT)
    buf = ctypes.create_string_buffer(4096)
    for sock in (client, server):
        for _ in range(50):
            # struct tcp_zerocopy_receive: address, length, recv_skip_hint, inq, err, copybuf_address, copybuf_len, flags, ...
            arg = struct.pack('=QIIIiQiI', 0, 0, 0, 0, 0, ctypes.addressof(buf), len(buf), 0) + bytes(24)
            opt, size = ctypes.create_string_buffer(arg, 64), ctypes.c_int(64)
            ctypes.CDLL(None).getsockopt(sock.fileno(), socket.IPPROTO_TCP, 35, opt, ctypes.byref(size))
            assert bytes(buf[:4]) != bytes.fromhex('e2d4c3d9'), 'a handshake message was read'
    talk(client, server)


def ends_of(sock):
    """As /proc/net/smc_ulp/sockets names it."""
    return ['%s:%d' % sock.getsockname(), '%s:%d' % sock.getpeername()]


def modes_of(ends):
    """As the module shows it: one, or none where it is no socket of ours."""
    with open('/proc/net/smc_ulp/sockets') as lines:
        return [words[2] for words in map(str.split, lines) if words[:2] == ends]


def mode_of(sock):
    return modes_of(ends_of(sock))[0]


def wait_gone(ends, seconds):
    end = time.monotonic() + seconds
    while modes_of(ends):
        assert time.monotonic() < end, 'it still waits'
        time.sleep(0.05)


@check
def rings_are_memory_of_the_program():
    """Both ends' rings are charged to their cgroups, although it is a worker of the kernel that asks for them."""
    if not ARGS.both or not os.path.exists('/sys/class/infiniband/rxe0'):
        return
    # A group keeps 16 rings of those that were there before; those are charged already.
    ring, count, kept_rings = 512 << 10, 24, 16
    groups = [Cgroup('client'), Cgroup('server')]
    children = []

    def child(group, run):
        pid = os.fork()
        if not pid:
            try:
                group.enter()
                run()
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        children.append(pid)

    def forced(option):
        sock = ulp(socket.socket())
        sock.setsockopt(socket.SOL_SOCKET, option, ring)
        sock.settimeout(LIMIT)
        return sock

    def serve(out):
        with forced(SO_RCVBUFFORCE) as wait:
            wait.bind((ARGS.address, 0))
            wait.listen(count)
            os.write(out, struct.pack('=H', wait.getsockname()[1]))
            kept = []
            while True:
                kept.append(wait.accept()[0])
                kept[-1].sendall(kept[-1].recv(1))

    def connect(port, out):
        kept = [forced(SO_SNDBUFFORCE) for _ in range(count)]
        os.write(out, b'0')
        for sock in kept:
            sock.connect((ARGS.address, port))
            sock.sendall(b'1')
            sock.recv(1)
            os.write(out, mode_of(sock)[:1].encode())
        signal.pause()

    here, there = os.pipe()
    try:
        child(groups[1], lambda: serve(there))
        port, = struct.unpack('=H', os.read(here, 2))
        before = [groups[1].memory()]
        child(groups[0], lambda: connect(port, there))
        assert os.read(here, 1) == b'0'
        before.insert(0, groups[0].memory())
        modes = [os.read(here, 1) for _ in range(count)]
        took = [group.memory() - was for group, was in zip(groups, before)]
        assert set(modes) == {b'S'}, modes
        assert min(took) > ring * (count - kept_rings), 'client and server were charged %d and %d' % tuple(took)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for group in groups:
            group.remove(LIMIT)
        os.close(here)
        os.close(there)


def newest_segment(tap, ports, ours, last):
    """Of what @tap has seen with these @ports in network order, but for segments of @ours; @last where there was none."""
    try:
        while True:
            packet = tap.recv(65536)
            head = (packet[0] & 15) * 4
            packet = packet[:struct.unpack('!H', packet[2:4])[0]]
            if packet[9] == socket.IPPROTO_TCP and packet[head:head + 4] == ports and not packet.endswith(ours):
                last = packet
    except BlockingIOError:
        return last


def say_behind(last, data):
    """@data as the next segment of who has sent @last."""
    tcp = last[(last[0] & 15) * 4:]
    ports, (seq, ack) = tcp[:4], struct.unpack('!II', tcp[4:12])
    options = tcp[20:(tcp[12] >> 4) * 4]        # time stamps as they were
    seq = seq + len(tcp) - 20 - len(options) & 0xffffffff
    tcp = ports + struct.pack('!IIBBHHH', seq, ack, (20 + len(options)) << 2, 0x18, 512, 0, 0) + options + data
    sums = last[12:20] + struct.pack('!HH', socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack('!H', ~fold(sums + tcp) & 0xffff) + tcp[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, socket.IPPROTO_TCP, 0) + last[12:20] + tcp,
                   (socket.inet_ntoa(last[16:20]), 0))


@check
def spoken_to_over_tcp_after_the_handshake():
    """A server that could not finish the handshake declines when the client is through with it: an error, not a hang."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    # The adapter's packets pass here too, of connections that end just now as well: none of the segments may be missing.
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    client, server = connected(ARGS.both)
    talk(client, server)
    if not ARGS.both or mode_of(client) != 'SMC':
        return
    ports = struct.pack('!HH', server.getsockname()[1], client.getsockname()[1])
    tap.setblocking(False)
    eye = bytes.fromhex('e2d4c3d9')
    said = eye + bytes([4, 0, 44, 0x20]) + bytes(8) + b'\3\3\0\0' + bytes(20) + eye
    last, end = None, time.monotonic() + LIMIT
    client.settimeout(1)
    while True:
        # A delayed acknowledgement that comes between the two makes ours older than what was there, and TCP drops it.
        last = newest_segment(tap, ports, said, last)
        say_behind(last, said)
        try:
            client.recv(1)
        except ConnectionResetError:
            return
        except socket.timeout:
            assert time.monotonic() < end, 'it hangs'
        else:
            raise AssertionError('it goes on')


@check
def closed_with_unread_data():
    """A reset, as of TCP: what has come before can be read, then an error, once; there is no peer any more."""
    client, server = connected(ARGS.both)
    talk(client, server)
    server.sendall(b'never read')
    wait_epoll_for(client, select.EPOLLIN)
    client.sendall(b'last')
    wait_epoll_for(server, select.EPOLLIN)
    client.close()
    wait_epoll_for(server, select.EPOLLERR)
    assert read_exactly(server, 4) == b'last'
    expect_errno((errno.ECONNRESET,), server.recv, 1)
    end = time.monotonic() + LIMIT
    while True:
        try:
            server.getpeername()
        except OSError as err:
            assert err.errno == errno.ENOTCONN
            break
        assert time.monotonic() < end, 'it still has a peer'
        time.sleep(0.01)
    assert server.recv(1) == b''
    expect_errno((errno.EPIPE,), server.send, b'x')


@check
def reset_of_a_socket_that_closes():
    """It waits for the last word of a peer whose socket is destroyed: no longer than until that is known."""
    client, server = connected(ARGS.both)
    talk(client, server)
    ends = ends_of(client)
    client.close()
    assert server.recv(1) == b''
    subprocess.run(['ss', '-K', 'src', ends[1], 'dst', ends[0]], check=True, stdout=subprocess.DEVNULL)
    wait_gone(ends, 30)     # half of what it waits for a peer that is there


@check
def orderly_end_stays_one():
    """A peer that has closed waits for our close no longer than tcp_fin_timeout. Who holds on to the connection sees no error."""
    client, server = connected(ARGS.both)
    talk(client, server)
    server.sendall(b'last')
    ends = ends_of(server)
    with open('/proc/sys/net/ipv4/tcp_fin_timeout', 'r+') as sysctl:
        before = sysctl.read()
        sysctl.seek(0)
        sysctl.write('1')
        sysctl.flush()
        try:
            server.close()
            wait_gone(ends, LIMIT)
        finally:
            sysctl.seek(0)
            sysctl.write(before)
    poll = select.poll()
    poll.register(client, select.POLLIN | select.EPOLLRDHUP)
    events = poll.poll(LIMIT * 1000)[0][1]
    assert events == select.POLLIN | select.EPOLLRDHUP, 'poll says %#x' % events
    assert not client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 'SO_ERROR'
    assert read_exactly(client, 4) == b'last' and client.recv(1) == b'', 'not the end'


@check
def ended_by_the_administrator():
    """ss -K: TCP's reason is the program's."""
    client, server = connected(ARGS.both)
    talk(client, server)
    subprocess.run(['ss', '-K', 'sport', '=', ':%d' % client.getsockname()[1]], check=True, stdout=subprocess.DEVNULL)
    expect_errno((errno.ECONNABORTED,), client.recv, 1)
    assert client.recv(1) == b'', 'told twice'


@check
def zerocopy_without_locked_memory():
    """Nothing is pinned, so nothing is charged: a send that succeeds is told of."""
    client, server = connected(ARGS.both)
    talk(client, server)
    client.setsockopt(socket.SOL_SOCKET, 60, 1)     # SO_ZEROCOPY
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, limit[1]))
    os.seteuid(65534)
    try:
        for _ in range(3):
            client.send(b'z' * 5000, 0x4000000)     # MSG_ZEROCOPY
    except OSError as err:
        assert err.errno == errno.ENOBUFS and (not ARGS.both or mode_of(client) != 'SMC'), str(err)
        return
    finally:
        os.seteuid(0)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, limit)
    assert read_exactly(server, 15000) == b'z' * 15000, 'wrong bytes'
    told, poll = set(), select.poll()
    poll.register(client, 0)
    while len(told) < 3:
        assert poll.poll(LIMIT * 1000), 'only %s' % told
        _, control, _, _ = client.recvmsg(1, 1024, socket.MSG_ERRQUEUE)
        _, origin, _, _, _, low, high = struct.unpack('=IBBBBII', control[0][2][:16])
        assert origin == 5, 'not from MSG_ZEROCOPY'
        told.update(range(low, high + 1))
    assert told == {0, 1, 2}, told


def on_alarm(signum, frame):
    raise TimeoutError('hangs')


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--address', default='10.9.9.9', help='of this host, for both ends (default 10.9.9.9)')
    parser.add_argument('--both', action='store_true', help='the server has the ULP too; without, clients fall back')
    parser.add_argument('names', nargs='*', help='only these checks')
    ARGS = parser.parse_args()
    failed = 0
    signal.signal(signal.SIGALRM, on_alarm)
    for func in CHECKS:
        if ARGS.names and func.__name__ not in ARGS.names:
            continue
        try:
            signal.alarm(2 * LIMIT)
            func()
            signal.alarm(0)
            print('ok   api %s' % func.__name__)
        except Exception as err:        # whatever it is, the check has failed
            print('FAIL api %s: %s %s' % (func.__name__, type(err).__name__, err))
            failed += 1
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
