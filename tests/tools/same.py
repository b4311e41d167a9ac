#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""Does a converted socket behave as the plain one?

Each scene is played twice, on plain TCP sockets and on sockets with the ULP, and notes what the system calls answered. Both
lists must be equal, but for the differences that DIFFERS names and docs/programs.md explains. So nobody had to know what TCP does.

Carriers: `smc` (both ends have the ULP), `no-option` (the server has not), `declined` (both have it and the address has no adapter).
Prints `ok NAME` or `FAIL NAME: what differs`; exit status 0 if nothing differed.
"""
import argparse
import array
import contextlib
import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import termios
import threading
import time

TCP, TCP_ULP = socket.IPPROTO_TCP, 31
SIOCOUTQ, SIOCINQ, SIOCATMARK, FIOASYNC = termios.TIOCOUTQ, termios.FIONREAD, 0x8905, 0x5452
MSG_MORE, MSG_ZEROCOPY = 0x8000, 0x4000000
LIMIT = 15
SCENES = []
LIBC = ctypes.CDLL(None, use_errno=True)
PAYLOAD = bytes(range(256)) * 4

# scene -> {label: carriers} that may differ, and docs/programs.md says why.
DIFFERS = {
    # TCP goes on idle below an SMC connection until both ends have closed.
    'tcp_info_state': {'after shutdown': 'smc', 'of its peer': 'smc'},
    'names_at_the_end': {'peer of the client': 'smc', 'peer of the server': 'smc', 'shutdown again': 'smc',
                         'shutdown of the server again': 'smc'},
    'reset_by_linger': {'getpeername': 'smc', 'shutdown': 'smc'},
    # The tables of a converted socket are not TCP's; both ends of ::1 have an adapter whatever the carrier.
    'ipv6_and_mapped': {'::1 addrform': 'smc declined', '::ffff:127.0.0.1 addrform': 'smc declined'},
    'no_zero_copy_receive': {'mmap': 'smc'},
    # Not in SMC-R as we speak it.
    'urgent': {'send': 'smc'},
}


def scene(func):
    SCENES.append(func)
    return func


def call(func, *args):
    """What the call answered, comparable between runs."""
    try:
        got = func(*args)
    except OSError as err:
        if isinstance(err, TimeoutError) and err.errno is None:
            return 'timed out'
        return errno.errorcode.get(err.errno, str(err))
    if isinstance(got, socket.socket):
        return 'socket'
    if isinstance(got, (bytes, bytearray)) and len(got) > 16:
        return '%d bytes, sum %d' % (len(got), sum(got))
    return got


def poll_of(sock, timeout=0):
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLOUT | select.POLLPRI | select.POLLRDHUP)
    names = 'IN PRI OUT ERR HUP NVAL RDHUP'.split()
    got = poll.poll(timeout)
    return ' '.join(n for n in names if got and got[0][1] & getattr(select, 'POLL' + n)) if got else '-'


def wait_poll(sock, mask):
    poll = select.poll()
    poll.register(sock, mask)
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        got = poll.poll(1000 * LIMIT)
        if got and got[0][1] & mask:
            return
    raise TimeoutError('poll')


def wait_true(func):
    deadline = time.monotonic() + LIMIT
    while not func():
        if time.monotonic() > deadline:
            raise TimeoutError('wait_true')
        time.sleep(0.002)


def ioctl_int(sock, request):
    buf = array.array('i', [-1])
    try:
        fcntl.ioctl(sock, request, buf)
    except OSError as err:
        return errno.errorcode[err.errno]
    return buf[0]


def reset(sock):
    """Closed so that the peer gets an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def timeval(seconds):
    return struct.pack('ll', int(seconds), int(seconds % 1 * 1e6))


def read_exactly(sock, length):
    data = bytearray()
    while len(data) < length:
        part = sock.recv(min(length - len(data), 1 << 20))
        if not part:
            raise AssertionError('end of stream after %d of %d' % (len(data), length))
        data += part
    return bytes(data)


def is_blocked(task):
    """A thread that sleeps in the kernel: the only way to know that a call waits."""
    try:
        with open('/proc/self/task/%d/stat' % task) as f:
            return f.read().rpartition(')')[2].split()[0] == 'S'
    except (FileNotFoundError, ProcessLookupError):     # it has ended, before or after the file was opened
        return True


class Blocked:
    """func() in a thread of its own, which sleeps in it when this returns."""

    def __init__(self, func, *args):
        self.answer, started = None, threading.Event()

        def run():
            started.set()
            self.answer = call(func, *args)
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        started.wait()
        count = 0
        for _ in range(2000):
            count = count + 1 if is_blocked(self.thread.native_id) else 0
            if count == 20 or not self.thread.is_alive():
                break
            time.sleep(0.002)

    def get(self):
        self.thread.join(LIMIT)
        return 'hangs' if self.thread.is_alive() else self.answer


class Stage:
    """The sockets of a scene and its notes."""

    def __init__(self, client_ulp, server_ulp, address):
        self.client_ulp, self.server_ulp, self.address = client_ulp, server_ulp, address
        self.notes, self.open = [], []

    def say(self, label, what):
        self.notes.append((label, what))

    def keep(self, sock):
        self.open.append(sock)
        return sock

    def convert(self, sock, wanted):
        if wanted:
            sock.setsockopt(TCP, TCP_ULP, b'smc')
        return self.keep(sock)

    def client(self, family=socket.AF_INET):
        sock = self.convert(socket.socket(family), self.client_ulp)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(LIMIT))
        return sock

    def server(self, family=socket.AF_INET):
        return self.convert(socket.socket(family), self.server_ulp)

    def listener(self, backlog=16):
        sock = self.server()
        sock.bind((self.address, 0))
        sock.listen(backlog)
        return sock

    def pair(self, settle=True):
        wait = self.listener()
        client = self.client()
        client.connect(wait.getsockname())
        server = self.keep(wait.accept()[0])
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(LIMIT))
        wait.close()
        if settle:
            self.talk(client, server)
        return client, server

    def talk(self, one, other):
        """By then both ends know how the handshake ended."""
        for sender, receiver in ((one, other), (other, one)):
            sender.sendall(PAYLOAD)
            assert read_exactly(receiver, len(PAYLOAD)) == PAYLOAD, 'wrong bytes'

    def close(self):
        for sock in self.open:
            try:
                sock.close()
            except OSError:
                pass


def exchange_works(t, one, other):
    try:
        t.talk(one, other)
        return 'works'
    except (OSError, AssertionError) as err:
        return 'does not: %s' % err


# ---- not connected -------------------------------------------------------------------------------------------------------

@scene
def fresh_socket(t):
    sock = t.client()
    sock.setblocking(False)
    t.say('poll', poll_of(sock))
    t.say('recv', call(sock.recv, 10))
    t.say('peek', call(sock.recv, 10, socket.MSG_PEEK))
    t.say('recv oob', call(sock.recv, 1, socket.MSG_OOB))
    t.say('errqueue', call(sock.recvmsg, 10, 100, socket.MSG_ERRQUEUE))
    t.say('send', call(sock.send, b'x'))
    t.say('send nothing', call(sock.send, b''))
    t.say('getpeername', call(sock.getpeername))
    t.say('getsockname', call(sock.getsockname))
    t.say('shutdown', call(sock.shutdown, socket.SHUT_RDWR))
    t.say('accept', call(sock.accept))
    t.say('error', call(sock.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR))
    t.say('inq', ioctl_int(sock, SIOCINQ))
    t.say('outq', ioctl_int(sock, SIOCOUTQ))
    t.say('atmark', ioctl_int(sock, SIOCATMARK))
    t.say('poll after', poll_of(sock))
    t.say('recv after', call(sock.recv, 10))
    t.say('send after', call(sock.send, b'x'))


@scene
def listening_socket(t):
    sock = t.listener()
    sock.setblocking(False)
    t.say('poll', poll_of(sock))
    t.say('recv', call(sock.recv, 10))
    t.say('send', call(sock.send, b'x'))
    t.say('getpeername', call(sock.getpeername))
    t.say('accept', call(sock.accept))
    t.say('connect', call(sock.connect, (t.address, 1)))
    t.say('bind', call(sock.bind, (t.address, 0)))
    t.say('listen again', call(sock.listen, 3))
    t.say('inq', ioctl_int(sock, SIOCINQ))
    t.say('outq', ioctl_int(sock, SIOCOUTQ))
    t.say('acceptconn', sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    client = t.client()
    client.connect(sock.getsockname())
    wait_poll(sock, select.POLLIN)
    t.say('poll with a client', poll_of(sock))
    server = t.keep(sock.accept()[0])
    server.setblocking(True)
    t.say('exchange', exchange_works(t, client, server))


@scene
def bind_listen_connect_errors(t):
    sock = t.listener()
    other = t.server()
    t.say('bind in use', call(other.bind, sock.getsockname()))
    t.say('bind foreign', call(other.bind, ('10.1.2.3', 0)))
    other.bind((t.address, 0))
    t.say('bind again', call(other.bind, (t.address, 0)))
    client = t.client()
    t.say('connect to 0', call(client.connect, (t.address, 0)))
    t.say('connect broadcast', call(t.client().connect, ('255.255.255.255', 9)))
    t.say('connect multicast', call(t.client().connect, ('224.0.0.1', 9)))
    client = t.client()
    client.connect(sock.getsockname())
    t.say('listen connected', call(client.listen))
    t.say('connect again', call(client.connect, sock.getsockname()))
    t.say('bind connected', call(client.bind, (t.address, 0)))


@scene
def refused(t):
    free = t.listener()
    name = free.getsockname()
    free.close()
    sock = t.client()
    t.say('connect', call(sock.connect, name))
    t.say('poll', poll_of(sock))
    t.say('error', sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    t.say('recv', call(sock.recv, 1))
    t.say('send', call(sock.send, b'x'))
    t.say('again', call(sock.connect, name))
    wait = t.listener()
    t.say('then another', call(sock.connect, wait.getsockname()))
    server = t.keep(wait.accept()[0])
    t.say('exchange', exchange_works(t, sock, server))


@scene
def refused_nonblocking(t):
    free = t.listener()
    name = free.getsockname()
    free.close()
    sock = t.client()
    sock.setblocking(False)
    t.say('connect', call(sock.connect, name))
    wait_poll(sock, select.POLLOUT)
    t.say('poll', poll_of(sock))
    t.say('select', [len(x) for x in select.select([sock], [sock], [sock], 0)])
    t.say('recv', call(sock.recv, 1))
    t.say('error', sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    t.say('poll after', poll_of(sock))
    t.say('again', call(sock.connect, name))


@scene
def refused_error_first(t):
    free = t.listener()
    name = free.getsockname()
    free.close()
    for how in ('SO_ERROR', 'connect', 'send', 'recv'):
        sock = t.client()
        sock.setblocking(False)
        sock.connect_ex(name)
        wait_poll(sock, select.POLLOUT)
        if how == 'SO_ERROR':
            t.say(how, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        elif how == 'connect':
            t.say(how, call(sock.connect, name))
        elif how == 'send':
            t.say(how, call(sock.send, b'x'))
        else:
            t.say(how, call(sock.recv, 1))
        t.say(how + ': connect', call(sock.connect, name))
        t.say(how + ': getpeername', call(sock.getpeername))


@scene
def connect_nonblocking(t):
    wait = t.listener()
    sock = t.client()
    sock.setblocking(False)
    t.say('connect', call(sock.connect, wait.getsockname()) in ('EINPROGRESS', None))
    wait_poll(sock, select.POLLOUT)
    t.say('poll', poll_of(sock))
    t.say('connect when done', call(sock.connect, wait.getsockname()))
    t.say('connect again', call(sock.connect, wait.getsockname()))
    t.say('error', sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    t.say('recv', call(sock.recv, 1))
    t.say('getpeername', call(sock.getpeername) == wait.getsockname())


@scene
def connect_in_progress(t):
    """To an address that does not answer: the second connect says EALREADY."""
    sock = t.client()
    sock.setblocking(False)
    t.say('connect', call(sock.connect, ('192.0.2.1', 9)))
    t.say('poll', poll_of(sock))
    t.say('connect again', call(sock.connect, ('192.0.2.1', 9)))
    t.say('send', call(sock.send, b'x'))
    t.say('recv', call(sock.recv, 1))
    t.say('getpeername', call(sock.getpeername))
    t.say('listen', call(sock.listen))
    t.say('inq', ioctl_int(sock, SIOCINQ))
    t.say('shutdown', call(sock.shutdown, socket.SHUT_RDWR))
    t.say('poll after', poll_of(sock))
    t.say('recv after', call(sock.recv, 1))
    t.say('send after', call(sock.send, b'x'))
    t.say('connect after', call(sock.connect, ('192.0.2.1', 9)))


@scene
def connect_timeout(t):
    sock = t.client()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(0.1))
    t.say('connect', call(sock.connect, ('192.0.2.1', 9)))
    t.say('connect again', call(sock.connect, ('192.0.2.1', 9)))
    t.say('send', call(sock.send, b'x'))
    t.say('disconnect', disconnect(sock))
    wait = t.listener()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(0))
    t.say('connect elsewhere', call(sock.connect, wait.getsockname()))
    t.say('exchange', exchange_works(t, sock, t.keep(wait.accept()[0])))


def disconnect(sock):
    addr = struct.pack('H14x', socket.AF_UNSPEC)
    if LIBC.connect(sock.fileno(), addr, len(addr)) == 0:
        return 0
    return errno.errorcode[ctypes.get_errno()]


@scene
def disconnect_and_reuse(t):
    client, server = t.pair()
    t.say('disconnect', disconnect(client))
    t.say('poll', poll_of(client))
    t.say('getpeername', call(client.getpeername))
    t.say('peer reads', call(server.recv, 1))
    t.say('peer polls', poll_of(server))
    t.say('send', call(client.send, b'x'))
    wait = t.listener()
    t.say('connect', call(client.connect, wait.getsockname()))
    again = t.keep(wait.accept()[0])
    t.say('exchange', exchange_works(t, client, again))
    t.say('disconnect 2', disconnect(client))
    t.say('bind', call(client.bind, (t.address, 0)))
    t.say('listen', call(client.listen))
    other = t.client()
    t.say('connect to it', call(other.connect, client.getsockname()))
    t.say('exchange with it', exchange_works(t, other, t.keep(client.accept()[0])))


@scene
def disconnect_the_accepted(t):
    client, server = t.pair()
    t.say('disconnect', disconnect(server))
    t.say('peer reads', call(client.recv, 1))
    wait = t.listener()
    t.say('connect', call(server.connect, wait.getsockname()))
    again = t.keep(wait.accept()[0])
    t.say('exchange', exchange_works(t, server, again))


@scene
def disconnect_listener(t):
    wait = t.listener()
    clients = [t.client() for _ in range(3)]
    for client in clients:
        client.connect(wait.getsockname())
    t.say('disconnect', disconnect(wait))
    t.say('accept', call(wait.accept))
    for client in clients:
        t.say('client reads', call(client.recv, 1))
    t.say('listen', call(wait.listen))
    client = t.client()
    t.say('connect', call(client.connect, wait.getsockname()))
    t.say('exchange', exchange_works(t, client, t.keep(wait.accept()[0])))


@scene
def shutdown_listener(t):
    wait = t.listener()
    name = wait.getsockname()
    client = t.client()
    client.connect(name)
    t.say('shutdown wr', call(wait.shutdown, socket.SHUT_WR))
    t.say('poll', poll_of(wait))
    t.say('shutdown rd', call(wait.shutdown, socket.SHUT_RD))
    t.say('poll after', poll_of(wait))
    t.say('accept', call(wait.accept))
    t.say('client', call(client.recv, 1))
    t.say('connect', call(t.client().connect, name))
    t.say('listen', call(wait.listen))
    client = t.client()
    t.say('connect again', call(client.connect, wait.getsockname()))
    t.say('exchange', exchange_works(t, client, t.keep(wait.accept()[0])))


@scene
def shutdown_wakes_accept(t):
    wait = t.listener()
    blocked = Blocked(wait.accept)
    t.say('shutdown', call(wait.shutdown, socket.SHUT_RDWR))
    t.say('accept', blocked.get())


@scene
def accept_timeout(t):
    wait = t.listener()
    wait.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0.05))
    t.say('accept', call(wait.accept))


@scene
def close_listener_with_clients(t):
    wait = t.listener()
    clients = [t.client() for _ in range(3)]
    for client in clients:
        client.connect(wait.getsockname())
    clients[0].send(b'early')
    wait.close()
    for client in clients:
        t.say('recv', call(client.recv, 1))
        t.say('send', call(client.send, b'x'))


@scene
def accept_after_client_closed(t):
    wait = t.listener()
    client = t.client()
    client.connect(wait.getsockname())
    client.sendall(b'farewell')
    client.close()
    server, name = wait.accept()
    t.keep(server)
    t.say('name', len(name))
    t.say('recv', call(server.recv, 100))
    t.say('eof', call(server.recv, 100))
    t.say('send', call(server.send, b'x'))


@scene
def accept_after_client_reset(t):
    wait = t.listener()
    client = t.client()
    client.connect(wait.getsockname())
    reset(client)
    got = call(wait.accept)
    t.say('accept', got if isinstance(got, str) else 'a socket')
    if isinstance(got, tuple):
        t.keep(got[0])
        t.say('recv', call(got[0].recv, 1))


@scene
def accept_flags(t):
    wait = t.listener()
    for flags in (0, socket.SOCK_NONBLOCK, socket.SOCK_CLOEXEC):
        client = t.client()
        client.connect(wait.getsockname())
        fd = LIBC.accept4(wait.fileno(), None, None, flags)
        t.say('O_NONBLOCK', bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK))
        t.say('CLOEXEC', bool(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC))
        os.close(fd)


@scene
def options_are_inherited(t):
    wait = t.server()
    for level, name, value in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (TCP, socket.TCP_NODELAY, 1),
                               (TCP, socket.TCP_KEEPIDLE, 33), (socket.SOL_SOCKET, socket.SO_PRIORITY, 3),
                               (socket.SOL_SOCKET, socket.SO_RCVBUF, 30000), (socket.SOL_SOCKET, socket.SO_SNDBUF, 40000),
                               (socket.IPPROTO_IP, socket.IP_TOS, 0x10), (socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1),
                               (socket.SOL_SOCKET, socket.SO_OOBINLINE, 1), (TCP, socket.TCP_USER_TIMEOUT, 12345)):
        wait.setsockopt(level, name, value)
    wait.bind((t.address, 0))
    wait.listen()
    client = t.client()
    client.connect(wait.getsockname())
    server = t.keep(wait.accept()[0])
    for level, name in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), (TCP, socket.TCP_NODELAY), (TCP, socket.TCP_KEEPIDLE),
                        (socket.SOL_SOCKET, socket.SO_PRIORITY), (socket.SOL_SOCKET, socket.SO_RCVBUF),
                        (socket.SOL_SOCKET, socket.SO_SNDBUF), (socket.IPPROTO_IP, socket.IP_TOS),
                        (socket.SOL_SOCKET, socket.SO_RCVLOWAT), (socket.SOL_SOCKET, socket.SO_OOBINLINE),
                        (TCP, socket.TCP_USER_TIMEOUT)):
        t.say('%d %d' % (level, name), server.getsockopt(level, name))
    t.say('exchange', exchange_works(t, client, server))


@scene
def options_set_when_connected(t):
    client, server = t.pair()
    linger = struct.pack('ii', 1, 3)
    for level, name, value in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (TCP, socket.TCP_NODELAY, 1),
                               (TCP, socket.TCP_CORK, 1), (TCP, socket.TCP_CORK, 0), (TCP, socket.TCP_QUICKACK, 1),
                               (TCP, socket.TCP_KEEPIDLE, 33), (TCP, socket.TCP_KEEPINTVL, 3), (TCP, socket.TCP_KEEPCNT, 4),
                               (TCP, socket.TCP_SYNCNT, 2), (TCP, socket.TCP_LINGER2, 5), (TCP, socket.TCP_WINDOW_CLAMP, 20000),
                               (TCP, socket.TCP_USER_TIMEOUT, 12345), (TCP, socket.TCP_NOTSENT_LOWAT, 20000),
                               (TCP, socket.TCP_CONGESTION, b'reno'),
                               (TCP, socket.TCP_DEFER_ACCEPT, 3), (TCP, 36, 1),
                               (socket.SOL_SOCKET, socket.SO_PRIORITY, 3), (socket.SOL_SOCKET, socket.SO_MARK, 7),
                               (socket.SOL_SOCKET, socket.SO_SNDBUF, 30000), (socket.SOL_SOCKET, socket.SO_RCVBUF, 30000),
                               (socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(5)), (socket.SOL_SOCKET, socket.SO_LINGER, linger),
                               (socket.SOL_SOCKET, socket.SO_OOBINLINE, 1), (socket.SOL_SOCKET, 46, 50),
                               (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'lo'), (socket.SOL_SOCKET, 60, 1),
                               (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
                               (socket.SOL_SOCKET, 29, 1), (socket.SOL_SOCKET, 35, 1), (socket.SOL_SOCKET, 47, 1000000),
                               (socket.IPPROTO_IP, socket.IP_TOS, 0x10), (socket.IPPROTO_IP, socket.IP_TTL, 9),
                               (socket.IPPROTO_IP, 11, 1), (TCP, socket.TCP_FASTOPEN, 5)):
        t.say('set %d %d' % (level, name), call(client.setsockopt, level, name, value))
        t.say('get %d %d' % (level, name), call(client.getsockopt, level, name, 16))
    for name in (socket.SO_TYPE, socket.SO_DOMAIN, socket.SO_PROTOCOL, socket.SO_ACCEPTCONN, socket.SO_ERROR, 48):
        t.say('SOL_SOCKET %d' % name, call(client.getsockopt, socket.SOL_SOCKET, name))
    t.say('peercred', call(client.getsockopt, socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    t.say('TCP_INFO', len(client.getsockopt(TCP, socket.TCP_INFO, 240)))
    t.say('exchange', exchange_works(t, client, server))


@scene
def tcp_info_state(t):
    client, server = t.pair()
    t.say('established', client.getsockopt(TCP, socket.TCP_INFO, 8)[0])
    client.shutdown(socket.SHUT_WR)
    server.recv(1)
    t.say('after shutdown', client.getsockopt(TCP, socket.TCP_INFO, 8)[0])
    t.say('of its peer', server.getsockopt(TCP, socket.TCP_INFO, 8)[0])


# ---- data ----------------------------------------------------------------------------------------------------------------

@scene
def early_answers(t):
    """Asked right after connect: what the handshake has not yet decided must not be seen."""
    client, server = t.pair(settle=False)
    client.setblocking(False)
    t.say('poll', poll_of(client))
    t.say('recv', call(client.recv, 10))
    t.say('peek', call(client.recv, 10, socket.MSG_PEEK))
    t.say('errqueue', call(client.recvmsg, 10, 100, socket.MSG_ERRQUEUE))
    t.say('inq', ioctl_int(client, SIOCINQ))
    t.say('inq of the server', ioctl_int(server, SIOCINQ))
    t.say('atmark', ioctl_int(client, SIOCATMARK))
    t.say('send', call(client.send, b'early'))
    t.say('read', call(read_exactly, server, 5))
    client.setblocking(True)
    t.say('exchange', exchange_works(t, client, server))


@scene
def empty_calls(t):
    client, server = t.pair()
    client.setblocking(False)
    # Python itself answers recv(0).
    t.say('recvmsg none, nothing there', call(client.recvmsg_into, []))
    t.say('send 0', call(client.send, b''))
    t.say('sendmsg none', call(client.sendmsg, []))
    t.say('write 0', call(os.write, client.fileno(), b''))
    server.send(b'abc')
    wait_poll(client, select.POLLIN)
    t.say('recv 0', call(client.recv, 0))
    t.say('recvmsg none', call(client.recvmsg_into, []))
    t.say('peek 0', call(client.recv, 0, socket.MSG_PEEK))
    t.say('recv', call(client.recv, 10))
    server.close()
    wait_poll(client, select.POLLRDHUP)
    t.say('recvmsg none at the end', call(client.recvmsg_into, []))
    client.shutdown(socket.SHUT_WR)
    t.say('send 0 after shutdown', call(client.send, b''))


@scene
def empty_calls_after_a_reset(t):
    client, server = t.pair()
    reset(server)
    wait_poll(client, select.POLLERR)
    t.say('send 0', call(client.send, b''))
    t.say('send 0 again', call(client.send, b''))
    t.say('recvmsg none', call(client.recvmsg_into, []))


@scene
def addresses_of_recv(t):
    client, server = t.pair()
    server.send(b'abc')
    t.say('recvfrom', call(client.recvfrom, 10))
    t.say('sendto', call(client.sendto, b'abc', (t.address, 9)))
    t.say('sendmsg', call(client.sendmsg, [b'def'], [], 0, (t.address, 9)))
    t.say('read', call(read_exactly, server, 6))
    server.send(b'abc')
    t.say('recvmsg', call(client.recvmsg, 10, 100))
    t.say('cmsg', call(client.sendmsg, [b'x'], [(socket.SOL_SOCKET, socket.SO_MARK, b'\1\0\0\0')]))


@scene
def bad_memory(t):
    client, server = t.pair()
    LIBC.recv.argtypes = LIBC.send.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    server.send(b'abcdef')
    wait_poll(client, select.POLLIN)
    t.say('recv', (LIBC.recv(client.fileno(), 16, 3, 0), errno.errorcode[ctypes.get_errno()]))
    t.say('recv after', call(client.recv, 10))
    t.say('send', (LIBC.send(client.fileno(), 16, 3, 0), errno.errorcode[ctypes.get_errno()]))
    t.say('exchange', exchange_works(t, client, server))


@scene
def flags_of_recv(t):
    client, server = t.pair()
    server.sendall(b'0123456789')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 10)
    t.say('inq', ioctl_int(client, SIOCINQ))
    t.say('peek', call(client.recv, 4, socket.MSG_PEEK))
    t.say('peek again', call(client.recv, 100, socket.MSG_PEEK))
    t.say('peek trunc', call(client.recv, 2, socket.MSG_PEEK | socket.MSG_TRUNC))
    t.say('trunc', call(client.recv_into, bytearray(3), 3, socket.MSG_TRUNC))
    t.say('rest', call(client.recv, 100))
    t.say('dontwait', call(client.recv, 1, socket.MSG_DONTWAIT))
    t.say('dontwait peek', call(client.recv, 1, socket.MSG_DONTWAIT | socket.MSG_PEEK))
    t.say('dontwait waitall', call(client.recv, 1, socket.MSG_DONTWAIT | socket.MSG_WAITALL))
    server.send(b'abc')
    wait_poll(client, select.POLLIN)
    t.say('dontwait waitall, some', call(client.recv, 10, socket.MSG_DONTWAIT | socket.MSG_WAITALL))
    t.say('oob', call(client.recv, 1, socket.MSG_OOB))
    t.say('cmsg_cloexec', call(client.recv, 1, socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT))


@scene
def waitall(t):
    client, server = t.pair()
    blocked = Blocked(client.recv, 10, socket.MSG_WAITALL)
    server.send(b'abc')
    server.send(b'defghij')
    t.say('all', blocked.get())
    blocked = Blocked(client.recv, 10, socket.MSG_WAITALL)
    server.send(b'abc')
    server.shutdown(socket.SHUT_WR)
    t.say('at the end', blocked.get())


@scene
def waitall_peek(t):
    client, server = t.pair()
    blocked = Blocked(client.recv, 10, socket.MSG_WAITALL | socket.MSG_PEEK)
    server.send(b'abc')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 3)
    server.send(b'defghij')
    t.say('all', blocked.get())
    t.say('still there', call(client.recv, 20))


@scene
def waitall_with_timeout(t):
    client, server = t.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0.2))
    server.send(b'abc')
    t.say('some', call(client.recv, 10, socket.MSG_WAITALL))
    t.say('none', call(client.recv, 10, socket.MSG_WAITALL))


@scene
def waitall_more_than_the_buffer(t):
    client, server = t.pair()
    data = os.urandom(1 << 16) * 48
    thread = threading.Thread(target=server.sendall, args=(data,), daemon=True)
    thread.start()
    t.say('same', client.recv(len(data), socket.MSG_WAITALL) == data)
    thread.join()


@scene
def low_water_mark(t):
    client, server = t.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 8)
    server.send(b'abcd')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 4)
    t.say('poll', poll_of(client))
    t.say('dontwait', call(client.recv, 100, socket.MSG_DONTWAIT))
    blocked = Blocked(client.recv, 100)
    server.send(b'efghijkl')
    first = blocked.get()
    t.say('recv', first)
    server.send(b'0123')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 4)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 2)
    t.say('poll after', poll_of(client))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 100)
    server.close()
    wait_poll(client, select.POLLRDHUP)
    t.say('poll at the end', poll_of(client))
    t.say('recv at the end', call(client.recv, 100))


@scene
def low_water_mark_beyond_the_buffer(t):
    client, server = t.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 << 30)
    server.setblocking(False)
    t.say('poll', poll_of(client))
    poll = select.poll()
    poll.register(client, select.POLLIN)
    sent = 0
    deadline = time.monotonic() + 10
    while not poll.poll(0) and time.monotonic() < deadline and sent < 1 << 26:
        try:
            sent += server.send(bytes(65536))
        except BlockingIOError:
            time.sleep(0.01)
    t.say('readable when full', bool(poll.poll(0)))


@scene
def peek_offset(t):
    client, server = t.pair()
    so_peek_off = 42
    server.sendall(b'0123456789')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 10)
    t.say('set', call(client.setsockopt, socket.SOL_SOCKET, so_peek_off, 2))
    t.say('peek', call(client.recv, 3, socket.MSG_PEEK))
    t.say('offset', client.getsockopt(socket.SOL_SOCKET, so_peek_off))
    t.say('peek 2', call(client.recv, 3, socket.MSG_PEEK))
    t.say('recv', call(client.recv, 4))
    t.say('offset after', client.getsockopt(socket.SOL_SOCKET, so_peek_off))
    t.say('peek 3', call(client.recv, 3, socket.MSG_PEEK))
    t.say('off', call(client.setsockopt, socket.SOL_SOCKET, so_peek_off, -1))
    t.say('peek 4', call(client.recv, 3, socket.MSG_PEEK))


@scene
def queue_ioctls(t):
    client, server = t.pair()
    server.send(b'x' * 1000)
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 1000)
    wait_true(lambda: ioctl_int(server, SIOCOUTQ) == 0)
    t.say('outq', ioctl_int(server, SIOCOUTQ))
    t.say('outqnsd', ioctl_int(server, 0x894b))
    t.say('atmark', ioctl_int(client, SIOCATMARK))
    client.recv(400)
    t.say('inq', ioctl_int(client, SIOCINQ))
    server.shutdown(socket.SHUT_WR)
    wait_poll(client, select.POLLRDHUP)
    t.say('inq with the end', ioctl_int(client, SIOCINQ))
    client.recv(600)
    t.say('inq at the end', ioctl_int(client, SIOCINQ))
    wait_true(lambda: ioctl_int(server, SIOCOUTQ) == 0)
    t.say('outq after shutdown', ioctl_int(server, SIOCOUTQ))


@scene
def inq_message(t):
    """TCP_INQ: how much is left, said with each recvmsg."""
    client, server = t.pair()
    t.say('set', call(client.setsockopt, TCP, 36, 1))
    server.send(b'x' * 1000)
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 1000)
    t.say('recvmsg', call(client.recvmsg, 10, 100)[1])
    t.say('recvmsg 2', call(client.recvmsg, 990, 100)[1])
    server.close()
    t.say('at the end', call(client.recvmsg, 10, 100)[1])


@scene
def many_messages_at_once(t):
    client, server = t.pair()

    class Iovec(ctypes.Structure):
        _fields_ = [('base', ctypes.c_char_p), ('len', ctypes.c_size_t)]

    class Msghdr(ctypes.Structure):
        _fields_ = [('name', ctypes.c_void_p), ('namelen', ctypes.c_uint), ('iov', ctypes.POINTER(Iovec)),
                    ('iovlen', ctypes.c_size_t), ('control', ctypes.c_void_p), ('controllen', ctypes.c_size_t),
                    ('flags', ctypes.c_int)]

    class Mmsghdr(ctypes.Structure):
        _fields_ = [('hdr', Msghdr), ('len', ctypes.c_uint)]

    def messages(parts):
        msgs = (Mmsghdr * len(parts))()
        keep = []
        for msg, part in zip(msgs, parts):
            iov = (Iovec * 1)(Iovec(part, len(part)))
            keep.append(iov)
            msg.hdr.iov, msg.hdr.iovlen = iov, 1
        return msgs, keep
    out, keep = messages([b'abc', b'', b'defgh', b'i'])
    t.say('sendmmsg', LIBC.sendmmsg(client.fileno(), out, 4, 0))
    t.say('lengths', [m.len for m in out])
    wait_true(lambda: ioctl_int(server, SIOCINQ) == 9)
    bufs = [ctypes.create_string_buffer(4) for _ in range(4)]
    got, keep2 = messages([b.raw for b in bufs])
    t.say('recvmmsg', LIBC.recvmmsg(server.fileno(), got, 4, socket.MSG_DONTWAIT, None))
    t.say('lengths got', [m.len for m in got])
    t.say('none left', (LIBC.recvmmsg(server.fileno(), got, 4, socket.MSG_DONTWAIT, None),
                        errno.errorcode[ctypes.get_errno()]))
    client.close()
    wait_poll(server, select.POLLRDHUP)
    t.say('at the end', LIBC.recvmmsg(server.fileno(), got, 4, 0x10000, None))


@scene
def vectors(t):
    client, server = t.pair()
    t.say('writev', os.writev(client.fileno(), [b'ab', b'', b'cdef', b'g' * 5000]))
    t.say('read', call(read_exactly, server, 5006))
    server.sendall(b'0123456789')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 10)
    parts = [bytearray(3), bytearray(0), bytearray(4), bytearray(9)]
    t.say('readv', os.readv(client.fileno(), parts))
    t.say('parts', [bytes(p) for p in parts])
    t.say('pread', call(os.pread, client.fileno(), 1, 0))
    t.say('pwrite', call(os.pwrite, client.fileno(), b'x', 0))
    t.say('lseek', call(os.lseek, client.fileno(), 0, 0))
    t.say('ftruncate', call(os.ftruncate, client.fileno(), 0))
    t.say('fsync', call(os.fsync, client.fileno()))
    t.say('mode', oct(os.fstat(client.fileno()).st_mode))
    t.say('size', os.fstat(client.fileno()).st_size)


@scene
def more_and_cork(t):
    """What a cork holds back goes when it is pulled, or when the program says that no more comes."""
    client, server = t.pair()
    client.send(b'head', MSG_MORE)
    client.send(b'tail')
    t.say('more', call(read_exactly, server, 8))
    client.setsockopt(TCP, socket.TCP_CORK, 1)
    client.send(b'head')
    client.send(b'tail')
    client.setsockopt(TCP, socket.TCP_CORK, 0)
    t.say('uncorked', call(read_exactly, server, 8))
    client.send(b'alone', MSG_MORE)
    t.say('more and nothing', call(read_exactly, server, 5))
    client.send(b'alone', MSG_MORE)
    client.shutdown(socket.SHUT_WR)
    t.say('more and shutdown', call(read_exactly, server, 5))
    t.say('end', call(server.recv, 1))


@scene
def urgent(t):
    client, server = t.pair()
    t.say('send', call(client.send, b'abc', socket.MSG_OOB))


@scene
def zerocopy(t):
    client, server = t.pair()
    t.say('set', call(client.setsockopt, socket.SOL_SOCKET, 60, 1))
    t.say('send', call(client.send, b'z' * 100000, MSG_ZEROCOPY))
    t.say('send 2', call(client.send, b'z' * 10, MSG_ZEROCOPY))
    t.say('read', call(read_exactly, server, 100010))
    wait_poll(client, select.POLLERR)
    seen = set()
    deadline = time.monotonic() + LIMIT
    while len(seen) < 2 and time.monotonic() < deadline:
        wait_poll(client, select.POLLERR)
        _, ancillary, flags, _ = client.recvmsg(1, 200, socket.MSG_ERRQUEUE)
        _, _, data = ancillary[0]
        err, origin, _, _, _, low, high = struct.unpack('IBBBBII', data[:16])
        seen.update(range(low, high + 1))
        t.say('origin', (err, origin, bool(flags & socket.MSG_ERRQUEUE)))
    t.say('notified', sorted(seen))
    t.say('poll after', poll_of(client))


@scene
def pieces_of_files(t):
    client, server = t.pair()
    name = '/tmp/same.%d' % os.getpid()
    data = os.urandom(200000)
    with open(name, 'wb') as f:
        f.write(data)
    try:
        with open(name, 'rb') as f:
            got = []
            thread = threading.Thread(target=lambda: got.append(read_exactly(server, 200000)), daemon=True)
            thread.start()
            sent = 0
            while sent < 200000:
                sent += os.sendfile(client.fileno(), f.fileno(), sent, 200000 - sent)
            thread.join(LIMIT)
            t.say('sendfile', got == [data])
            t.say('sendfile at the end', call(os.sendfile, client.fileno(), f.fileno(), 200000, 100))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0.1))
            t.say('sendfile from a socket', call(os.sendfile, 1, client.fileno(), None, 100))
            t.say('copy_file_range', call(os.copy_file_range, f.fileno(), client.fileno(), 10, 0))
    finally:
        os.unlink(name)


@scene
def splices(t):
    client, server = t.pair()
    reader, writer = os.pipe()
    server.send(b'0123456789')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 10)
    t.say('out of the socket', call(os.splice, client.fileno(), writer, 4))
    t.say('rest', call(os.splice, client.fileno(), writer, 100))
    t.say('read', os.read(reader, 100))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0.1))
    t.say('nothing there', call(os.splice, client.fileno(), writer, 100, None, None, os.SPLICE_F_NONBLOCK))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(LIMIT))
    fcntl.fcntl(client, fcntl.F_SETFL, os.O_NONBLOCK)
    t.say('nothing there, O_NONBLOCK', call(os.splice, client.fileno(), writer, 100))
    fcntl.fcntl(client, fcntl.F_SETFL, 0)
    os.write(writer, b'abcdef')
    t.say('into the socket', call(os.splice, reader, client.fileno(), 100))
    t.say('arrives', call(read_exactly, server, 6))
    os.write(writer, b'abcdef')
    t.say('into, with more', call(os.splice, reader, client.fileno(), 100, None, None, os.SPLICE_F_MORE))
    t.say('arrives too', call(read_exactly, server, 6))
    server.shutdown(socket.SHUT_WR)
    t.say('at the end', call(os.splice, client.fileno(), writer, 100))
    server.close()
    os.close(reader)
    os.close(writer)


@scene
def splice_into_closed(t):
    client, server = t.pair()
    reader, writer = os.pipe()
    client.shutdown(socket.SHUT_WR)
    os.write(writer, b'abcdef')
    t.say('into the socket', call(os.splice, reader, client.fileno(), 100))
    os.close(reader)
    os.close(writer)


@scene
def timeouts(t):
    client, server = t.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0.1))
    t.say('recv', call(client.recv, 1))
    t.say('peek', call(client.recv, 1, socket.MSG_PEEK))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(0.3))
    sent = 0
    while sent < 1 << 28:
        n = call(client.send, bytes(1 << 20))
        if isinstance(n, str):
            break
        sent += n
    t.say('send', n)
    t.say('send again', call(client.send, b'x'))
    read_exactly(server, sent)
    t.say('room again', call(client.send, b'x'))


@scene
def nonblocking_full(t):
    client, server = t.pair()
    client.setblocking(False)
    sent = 0
    while sent < 1 << 28:
        n = call(client.send, bytes(1 << 16))
        if not isinstance(n, str):
            sent += n
        # What is on its way to the peer makes room when it is there.
        elif not select.select([], [client], [], 1)[1]:
            break
    t.say('send', n)
    t.say('send one byte', call(client.send, b'x') in ('EAGAIN', 1))
    t.say('poll', poll_of(client))
    client.setblocking(True)
    blocked = Blocked(client.send, b'y' * 100000)
    read_exactly(server, sent)
    t.say('blocked send', blocked.get())
    t.say('poll after', 'OUT' in poll_of(client))


# ---- end of a connection -------------------------------------------------------------------------------------------------

def look(t, label, sock):
    sock.setblocking(False)
    t.say(label + ': poll', poll_of(sock))
    t.say(label + ': peek', call(sock.recv, 1, socket.MSG_PEEK))
    t.say(label + ': recv', call(sock.recv, 1))
    t.say(label + ': error', sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    sock.setblocking(True)


@scene
def half_close(t):
    client, server = t.pair()
    client.shutdown(socket.SHUT_WR)
    wait_poll(server, select.POLLRDHUP)
    look(t, 'server', server)
    look(t, 'client', client)
    t.say('client sends', call(client.send, b'x'))
    t.say('again', call(client.shutdown, socket.SHUT_WR))
    t.say('server sends', call(server.send, b'back'))
    t.say('client reads', call(client.recv, 10))
    t.say('server shuts', call(server.shutdown, socket.SHUT_WR))
    wait_poll(client, select.POLLHUP)
    look(t, 'client at the end', client)
    look(t, 'server at the end', server)
    t.say('client sends at the end', call(client.send, b'x'))
    t.say('server sends at the end', call(server.send, b'x'))


@scene
def names_at_the_end(t):
    client, server = t.pair()
    t.say('client first', call(client.shutdown, socket.SHUT_RDWR))
    wait_poll(server, select.POLLRDHUP)
    t.say('getpeername', len(call(client.getpeername)))
    t.say('server', call(server.shutdown, socket.SHUT_RDWR))
    wait_poll(client, select.POLLHUP)
    wait_poll(server, select.POLLHUP)
    t.say('peer of the client', call(client.getpeername))
    t.say('peer of the server', call(server.getpeername))
    t.say('name', call(server.getsockname)[0] == t.address)
    t.say('shutdown again', call(client.shutdown, socket.SHUT_RDWR))
    t.say('shutdown of the server again', call(server.shutdown, socket.SHUT_RDWR))
    t.say('connect', call(client.connect, (t.address, 9)))


@scene
def shut_reading(t):
    client, server = t.pair()
    server.send(b'before')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 6)
    t.say('shutdown', call(client.shutdown, socket.SHUT_RD))
    t.say('poll', poll_of(client))
    t.say('recv', call(client.recv, 100))
    t.say('recv end', call(client.recv, 100))
    t.say('server poll', poll_of(server))
    t.say('server sends', call(server.send, b'after'))
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 5)
    t.say('recv after', call(client.recv, 100))
    t.say('waitall', call(client.recv, 100, socket.MSG_WAITALL))
    t.say('client sends', call(client.send, b'still'))
    t.say('server reads', call(server.recv, 100))
    t.say('shutdown wr', call(client.shutdown, socket.SHUT_WR))
    t.say('poll at the end', poll_of(client))
    wait_poll(server, select.POLLRDHUP)
    t.say('server reads the end', call(server.recv, 1))


@scene
def shut_reading_wakes(t):
    client, server = t.pair()
    blocked = Blocked(client.recv, 10)
    client.shutdown(socket.SHUT_RD)
    t.say('recv', blocked.get())
    blocked = Blocked(server.recv, 10)
    server.shutdown(socket.SHUT_RDWR)
    t.say('recv of the server', blocked.get())


@scene
def shut_writing_wakes(t):
    client, server = t.pair()
    blocked = Blocked(client.sendall, bytes(1 << 24))
    client.shutdown(socket.SHUT_WR)
    t.say('sendall', blocked.get())


@scene
def peer_closed(t):
    client, server = t.pair()
    server.close()
    wait_poll(client, select.POLLRDHUP)
    look(t, 'client', client)
    t.say('getpeername', call(client.getpeername)[0] == t.address)
    t.say('inq', ioctl_int(client, SIOCINQ))


@scene
def peer_closed_with_data(t):
    client, server = t.pair()
    server.send(b'rest')
    server.close()
    wait_poll(client, select.POLLRDHUP)
    t.say('poll', poll_of(client))
    t.say('recv', call(client.recv, 2))
    t.say('poll 2', poll_of(client))
    t.say('recv 2', call(client.recv, 10))
    t.say('recv 3', call(client.recv, 10))
    t.say('poll 3', poll_of(client))


@scene
def write_to_closed_peer(t):
    client, server = t.pair()
    server.close()
    wait_poll(client, select.POLLRDHUP)
    t.say('first', call(client.send, b'x'))
    wait_poll(client, select.POLLHUP | select.POLLERR)
    t.say('poll', poll_of(client))
    t.say('second', call(client.send, b'x'))
    look(t, 'then', client)


@scene
def reset_by_linger(t):
    client, server = t.pair()
    reset(server)
    wait_poll(client, select.POLLHUP)
    t.say('poll', poll_of(client))
    t.say('select', [len(x) for x in select.select([client], [client], [client], 0)])
    t.say('recv', call(client.recv, 1))
    t.say('poll after', poll_of(client))
    t.say('recv after', call(client.recv, 1))
    t.say('send', call(client.send, b'x'))
    t.say('getpeername', call(client.getpeername))
    t.say('shutdown', call(client.shutdown, socket.SHUT_RDWR))
    t.say('error', client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


@scene
def reset_and_write_first(t):
    client, server = t.pair()
    reset(server)
    wait_poll(client, select.POLLHUP)
    t.say('send', call(client.send, b'x'))
    t.say('send again', call(client.send, b'x'))
    t.say('recv', call(client.recv, 1))
    t.say('poll', poll_of(client))


@scene
def reset_with_data_unread(t):
    client, server = t.pair()
    server.send(b'unread')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 6)
    reset(server)
    wait_poll(client, select.POLLHUP)
    t.say('poll', poll_of(client))
    t.say('recv', call(client.recv, 100))
    t.say('recv 2', call(client.recv, 100))
    t.say('recv 3', call(client.recv, 100))


@scene
def reset_since_unread(t):
    """Closing with bytes unread resets the peer."""
    client, server = t.pair()
    client.send(b'nobody reads this')
    wait_true(lambda: ioctl_int(server, SIOCINQ) == 17)
    server.close()
    wait_poll(client, select.POLLHUP)
    t.say('poll', poll_of(client))
    t.say('recv', call(client.recv, 1))
    t.say('recv 2', call(client.recv, 1))
    t.say('send', call(client.send, b'x'))


@scene
def reset_wakes(t):
    for what in ('recv', 'send', 'poll'):
        client, server = t.pair()
        if what == 'recv':
            blocked = Blocked(client.recv, 10)
        elif what == 'send':
            blocked = Blocked(client.sendall, bytes(1 << 24))
        else:
            blocked = Blocked(poll_pri, client)
        reset(server)
        t.say(what, blocked.get())


def poll_pri(sock):
    poll = select.poll()
    poll.register(sock, select.POLLPRI)
    return [events for _, events in poll.poll(1000 * LIMIT)]


@scene
def close_wakes_the_peer(t):
    client, server = t.pair()
    blocked = Blocked(client.recv, 10)
    server.close()
    t.say('recv', blocked.get())


@scene
def linger_waits(t):
    client, server = t.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 10))
    client.send(b'x' * 1000)
    client.close()
    t.say('read', call(read_exactly, server, 1000))
    t.say('end', call(server.recv, 1))


@scene
def closed_with_data_on_the_way(t):
    client, server = t.pair()
    data = os.urandom(1 << 20)
    thread = threading.Thread(target=lambda: (client.sendall(data), client.close()), daemon=True)
    thread.start()
    t.say('read', read_exactly(server, len(data)) == data)
    t.say('end', call(server.recv, 1))
    thread.join()


@scene
def close_while_reading(t):
    """close() of a descriptor does not wake who reads from it; the peer is told when the last use ends."""
    client, server = t.pair()
    blocked = Blocked(client.recv, 10)
    client.close()
    server.send(b'late')
    t.say('recv', blocked.get())
    t.say('server', call(server.recv, 1))


# ---- events --------------------------------------------------------------------------------------------------------------

def names_of(events):
    return ' '.join(n for n in 'IN OUT PRI ERR HUP RDHUP'.split() if events & getattr(select, 'EPOLL' + n))


@scene
def edges(t):
    client, server = t.pair()
    poll = select.epoll()
    poll.register(client, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)

    def events():
        return [names_of(e) for _, e in poll.poll(0)]
    t.say('first', events())
    t.say('no news', events())
    server.send(b'abc')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 3)
    t.say('data', events())
    t.say('no news 2', events())
    server.send(b'def')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 6)
    t.say('more data', events())
    client.recv(2)
    t.say('partly read', events())
    client.recv(100)
    t.say('read', events())
    server.shutdown(socket.SHUT_WR)
    wait_poll(client, select.POLLRDHUP)
    t.say('end', events())
    t.say('no news 3', events())
    client.shutdown(socket.SHUT_WR)
    wait_poll(client, select.POLLHUP)
    t.say('hup', events())


@scene
def waits_for_nothing_but_the_end(t):
    for wanted in (select.POLLRDHUP, select.POLLHUP):
        client, server = t.pair()
        client.send(b'not yet read')
        if wanted == select.POLLHUP:
            client.shutdown(socket.SHUT_WR)
        poll = select.poll()
        poll.register(client, wanted)
        blocked = Blocked(poll.poll, 1000 * LIMIT)
        server.shutdown(socket.SHUT_WR)
        t.say('events', [events for _, events in blocked.get()])


@scene
def oneshot(t):
    client, server = t.pair()
    poll = select.epoll()
    poll.register(client, select.EPOLLIN | select.EPOLLONESHOT)
    server.send(b'abc')
    t.say('once', [names_of(e) for _, e in poll.poll(LIMIT)])
    server.send(b'abc')
    wait_true(lambda: ioctl_int(client, SIOCINQ) == 6)
    t.say('not twice', [names_of(e) for _, e in poll.poll(0)])
    poll.modify(client, select.EPOLLIN | select.EPOLLONESHOT)
    t.say('armed again', [names_of(e) for _, e in poll.poll(0)])


@scene
def exclusive_listeners(t):
    wait = t.listener()
    wait.setblocking(False)
    polls = []
    for _ in range(3):
        poll = select.epoll()
        poll.register(wait, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        polls.append(poll)
    client = t.client()
    client.connect(wait.getsockname())
    wait_poll(wait, select.POLLIN)
    t.say('seen', any(p.poll(0) for p in polls))
    server = t.keep(wait.accept()[0])
    server.setblocking(True)
    t.say('exchange', exchange_works(t, client, server))
    t.say('none', [p.poll(0) for p in polls])


@scene
def nested_epoll(t):
    client, server = t.pair()
    inner, outer = select.epoll(), select.epoll()
    inner.register(client, select.EPOLLIN)
    outer.register(inner, select.EPOLLIN)
    t.say('nothing', outer.poll(0))
    blocked = Blocked(lambda: [names_of(e) for _, e in outer.poll(LIMIT)])
    server.send(b'x')
    t.say('woken', blocked.get())


@scene
def select_sets(t):
    client, server = t.pair()
    t.say('idle', [len(x) for x in select.select([client], [client], [client], 0)])
    server.send(b'x')
    wait_poll(client, select.POLLIN)
    t.say('data', [len(x) for x in select.select([client], [client], [client], 0)])
    server.close()
    wait_poll(client, select.POLLRDHUP)
    client.recv(1)
    t.say('end', [len(x) for x in select.select([client], [client], [client], 0)])


@scene
def signals_interrupt(t):
    """SO_RCVTIMEO makes it EINTR; without, a handler with SA_RESTART goes on."""
    client, server = t.pair()
    got = []

    def handler(signum, frame):
        got.append(signum)
        raise InterruptedError(errno.EINTR, 'signal')
    old = signal.signal(signal.SIGUSR1, handler)
    main = threading.get_ident()
    try:
        for what in ('recv', 'send', 'accept'):
            wait = t.listener()
            timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGUSR1))
            timer.start()
            if what == 'recv':
                t.say(what, call(client.recv, 1))
            elif what == 'send':
                t.say(what, call(client.sendall, bytes(1 << 24)))
            else:
                t.say(what, call(wait.accept))
            timer.join()
        t.say('signals', len(got))
    finally:
        signal.signal(signal.SIGUSR1, old)


@scene
def raw_eintr(t):
    client, server = t.pair()
    buf = ctypes.create_string_buffer(10)
    signal.signal(signal.SIGUSR2, lambda *args: server.send(b'late'))
    main = threading.get_ident()
    for restart in (True, False):
        signal.siginterrupt(signal.SIGUSR2, not restart)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(0))
        timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGUSR2))
        extra = threading.Timer(1.0, server.send, (b'more',))
        timer.start()
        if restart:
            extra.start()
        n = LIBC.recv(client.fileno(), buf, 10, 0)
        t.say('restart %s' % restart, n if n >= 0 else errno.errorcode[ctypes.get_errno()])
        timer.join()
        if restart:
            extra.join()
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)


@scene
def sigpipe(t):
    client, server = t.pair()
    client.shutdown(socket.SHUT_WR)
    got = []
    old = signal.signal(signal.SIGPIPE, lambda *args: got.append(1))
    try:
        t.say('send', call(client.send, b'x'))
        t.say('signalled', len(got))
        t.say('nosignal', call(client.send, b'x', socket.MSG_NOSIGNAL))
        t.say('not signalled', len(got))
        t.say('write', call(os.write, client.fileno(), b'x'))
        t.say('signalled again', len(got))
    finally:
        signal.signal(signal.SIGPIPE, old)


@contextlib.contextmanager
def sigio_of(sock):
    """A list that grows by each SIGIO of the socket. None comes later, when it would kill."""
    got = []
    old = signal.signal(signal.SIGIO, lambda *args: got.append(1))
    flags = fcntl.fcntl(sock, fcntl.F_GETFL)
    fcntl.fcntl(sock, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sock, fcntl.F_SETFL, flags | os.O_ASYNC)
    try:
        yield got
    finally:
        fcntl.fcntl(sock, fcntl.F_SETFL, flags)
        signal.signal(signal.SIGIO, old)


@scene
def sigio(t):
    client, server = t.pair()
    with sigio_of(client) as got:
        server.send(b'x')
        wait_true(lambda: got)
        t.say('data', bool(got))
        client.recv(1)
        del got[:]
        server.close()
        wait_true(lambda: got)
        t.say('end', bool(got))


@scene
def sigio_of_listener(t):
    wait = t.listener()
    with sigio_of(wait) as got:
        client = t.client()
        client.connect(wait.getsockname())
        wait_true(lambda: got)
        t.say('connection', bool(got))


# ---- processes and threads -----------------------------------------------------------------------------------------------

@scene
def forked_server(t):
    """Prefork: children accept from one listener, the parent closes it."""
    wait = t.listener()
    name = wait.getsockname()
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                for _ in range(2):
                    conn = wait.accept()[0]
                    data = b''
                    while True:
                        part = conn.recv(1000)
                        if not part:
                            break
                        data += part
                    conn.sendall(data[::-1])
                    conn.close()
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(pid)
    wait.close()
    for i in range(6):
        client = t.client()
        client.connect(name)
        client.sendall(b'question')
        client.shutdown(socket.SHUT_WR)
        t.say('answer', call(read_exactly, client, 8))
        t.say('end', call(client.recv, 1))
    for pid in children:
        t.say('child', os.waitpid(pid, 0)[1])


@scene
def fork_shares_connection(t):
    client, server = t.pair()
    pid = os.fork()
    if pid == 0:
        try:
            client.sendall(b'child')
            client.close()
            server.close()
        except BaseException:
            os._exit(1)
        os._exit(0)
    t.say('child', os.waitpid(pid, 0)[1])
    t.say('read', call(read_exactly, server, 5))
    t.say('exchange', exchange_works(t, client, server))
    client.close()
    t.say('end', call(server.recv, 1))


@scene
def exec_shares_connection(t):
    client, server = t.pair()
    pid = os.fork()
    if pid == 0:
        os.dup2(client.fileno(), 0)
        os.dup2(client.fileno(), 1)
        os.execvp('sh', ['sh', '-c', 'head -c 5 | tr a-e A-E; exec head -c 3'])
    server.sendall(b'abcdexyz')
    t.say('answer', call(read_exactly, server, 8))
    t.say('child', os.waitpid(pid, 0)[1])
    t.say('exchange', exchange_works(t, client, server))


@scene
def killed_peer(t):
    wait = t.listener()
    pid = os.fork()
    if pid == 0:
        client = socket.socket()
        if t.client_ulp:
            client.setsockopt(TCP, TCP_ULP, b'smc')
        client.connect(wait.getsockname())
        client.sendall(b'last words')
        os.kill(os.getpid(), signal.SIGKILL)
    server = t.keep(wait.accept()[0])
    t.say('read', call(read_exactly, server, 10))
    t.say('end', call(server.recv, 1))
    os.waitpid(pid, 0)


@scene
def many_threads_accept(t):
    wait = t.listener(64)
    answers = []

    def serve():
        for _ in range(5):
            conn = wait.accept()[0]
            answers.append(read_exactly(conn, 4))
            conn.close()
    threads = [threading.Thread(target=serve, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(20):
        client = t.client()
        client.connect(wait.getsockname())
        client.sendall(b'%04d' % i)
        t.say('end', call(client.recv, 1))
        client.close()
    for thread in threads:
        thread.join(LIMIT)
    t.say('served', sorted(answers) == [b'%04d' % i for i in range(20)])


@scene
def two_readers_two_writers(t):
    client, server = t.pair()
    read, lock = [0], threading.Lock()

    def reader():
        while True:
            part = server.recv(5000)
            if not part:
                break
            with lock:
                read[0] += len(part)

    def writer():
        for _ in range(30):
            client.sendall(bytes(7777))
    threads = [threading.Thread(target=f, daemon=True) for f in (reader, reader, writer, writer)]
    for thread in threads:
        thread.start()
    for thread in threads[2:]:
        thread.join(LIMIT)
    client.shutdown(socket.SHUT_WR)
    for thread in threads[:2]:
        thread.join(LIMIT)
    t.say('bytes', read[0])


@scene
def passed_descriptor(t):
    client, server = t.pair()
    left, right = socket.socketpair()
    socket.send_fds(left, [b'x'], [client.fileno()])
    client.close()
    _, fds, _, _ = socket.recv_fds(right, 1, 1)
    received = t.keep(socket.socket(fileno=fds[0]))
    t.say('exchange', exchange_works(t, received, server))
    t.say('family', received.family.name)


@scene
def proc_knows_it(t):
    client, server = t.pair()
    inode = str(os.fstat(client.fileno()).st_ino)
    with open('/proc/net/tcp') as f:
        lines = [line.split() for line in f]
    t.say('in /proc/net/tcp', [line[3] for line in lines if line[9] == inode])
    t.say('link', os.readlink('/proc/self/fd/%d' % client.fileno()) == 'socket:[%s]' % inode)


@scene
def reuseport(t):
    first = t.server()
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    first.bind((t.address, 0))
    first.listen()
    second = t.server()
    second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    second.bind(first.getsockname())
    second.listen()
    works = []
    for _ in range(12):
        client = t.client()
        client.connect(first.getsockname())
        ready = select.select([first, second], [], [], LIMIT)[0]
        server = t.keep(ready[0].accept()[0])
        works.append(exchange_works(t, client, server))
    t.say('exchange', works)
    first.close()
    client = t.client()
    client.connect(second.getsockname())
    t.say('the other', exchange_works(t, client, t.keep(second.accept()[0])))


@scene
def ipv6_and_mapped(t):
    wait = t.server(socket.AF_INET6)
    wait.bind(('::', 0))
    wait.listen()
    port = wait.getsockname()[1]
    for family, address in ((socket.AF_INET6, '::1'), (socket.AF_INET6, '::ffff:127.0.0.1'), (socket.AF_INET, '127.0.0.1')):
        client = t.client(family)
        client.connect((address, port))
        server, name = wait.accept()
        t.keep(server)
        t.say(address, exchange_works(t, client, server))
        t.say(address + ' name', name[0])
        t.say(address + ' peer', client.getpeername()[0])
        t.say(address + ' addrform', call(client.setsockopt, socket.IPPROTO_IPV6, 1, socket.AF_INET) if family == socket.AF_INET6
              else None)
        t.say(address + ' still', exchange_works(t, client, server))


@scene
def defer_accept(t):
    wait = t.server()
    wait.setsockopt(TCP, socket.TCP_DEFER_ACCEPT, 5)
    wait.bind((t.address, 0))
    wait.listen()
    client = t.client()
    client.connect(wait.getsockname())
    client.send(b'first')
    server = t.keep(wait.accept()[0])
    t.say('data there', call(read_exactly, server, 5))
    t.say('exchange', exchange_works(t, client, server))


@scene
def fast_open_options(t):
    wait = t.server()
    t.say('listener', call(wait.setsockopt, TCP, socket.TCP_FASTOPEN, 5))
    wait.bind((t.address, 0))
    wait.listen()
    client = t.client()
    t.say('connect', call(client.setsockopt, TCP, 30, 1))
    t.say('connects', call(client.connect, wait.getsockname()))
    t.say('sends', call(client.send, b'first'))
    server = t.keep(wait.accept()[0])
    t.say('read', call(read_exactly, server, 5))
    t.say('exchange', exchange_works(t, client, server))
    client = t.client()
    t.say('MSG_FASTOPEN', call(client.sendto, b'second', 0x20000000, wait.getsockname()))
    server = t.keep(wait.accept()[0])
    t.say('read 2', call(read_exactly, server, 6))
    t.say('exchange 2', exchange_works(t, client, server))


@scene
def no_zero_copy_receive(t):
    client, server = t.pair()
    t.say('mmap', call(try_mmap, client))


def try_mmap(sock):
    import mmap
    with mmap.mmap(sock.fileno(), 4096, mmap.MAP_SHARED, mmap.PROT_READ):
        return 'mapped'


# ---- the play ------------------------------------------------------------------------------------------------------------

def on_alarm(signum, frame):
    raise TimeoutError('hangs')


def play(func, *stage):
    t = Stage(*stage)
    signal.alarm(3 * LIMIT)
    try:
        func(t)
    except Exception as err:        # whatever it is: it is compared, too
        t.say('ends with', '%s %s' % (type(err).__name__, err))
    finally:
        signal.alarm(0)
        t.close()
    return t.notes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--address', default='127.0.0.1', help='that an adapter has (default 127.0.0.1)')
    parser.add_argument('--bare-address', default='10.8.8.8', help='that none has, for "declined" (default 10.8.8.8)')
    parser.add_argument('--carriers', default='smc,no-option,declined')
    parser.add_argument('names', nargs='*', help='only these scenes')
    args = parser.parse_args()
    carriers = {'smc': (True, True, args.address), 'no-option': (True, False, args.address),
                'declined': (True, True, args.bare_address)}
    signal.signal(signal.SIGALRM, on_alarm)
    failed = 0
    for func in SCENES:
        name = func.__name__
        if args.names and name not in args.names:
            continue
        want = {}
        for carrier in args.carriers.split(','):
            stage = carriers[carrier]
            if stage[2] not in want:
                want[stage[2]] = play(func, False, False, stage[2])
            begin = time.monotonic()
            got = play(func, *stage)
            allowed = DIFFERS.get(name, {})
            bad = []
            tcp, smc = dict(), dict()
            for notes, table in ((want[stage[2]], tcp), (got, smc)):
                for label, what in notes:
                    table.setdefault(label, []).append(what)
            for label in list(tcp) + [x for x in smc if x not in tcp]:
                if tcp.get(label) != smc.get(label) and carrier not in allowed.get(label, '').split():
                    bad.append('%s: %s, TCP: %s' % (label, smc.get(label), tcp.get(label)))
            spent = time.monotonic() - begin
            if spent > LIMIT - 1:
                bad.append('it took %.0f s: a wakeup was lost' % spent)
            failed += bool(bad)
            print('%s same %s (%s)%s' % ('FAIL' if bad else 'ok  ', name, carrier, ': ' + '; '.join(bad) if bad else ''))
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
