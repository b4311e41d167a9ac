#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""A peer that announces SMC in its SYN or SYN-ACK and then misbehaves in the handshake.

Plain TCP sockets, whose SYN and SYN-ACK get the SMC option (254, 6, E2D4C3D9) from a sockops BPF program on a cgroup
that only the attacker is in. So no raw sockets and no TCP of our own; the victim may be on the same host.

Each case is one connection. Acceptable ends for the victim:
  tcp    data is carried over TCP in both directions, not a byte of the handshake reaches the program
  error  the connection ends with an error or end of stream
  any    one of the two
  data   error, or plain TCP: what came was no handshake message, so the program gets it as it is
  loose  any, or after a fallback the program gets what the attacker sent behind its message
within --limit seconds. A hang, foreign bytes, or a listener that no longer serves is a failure.
"""
import argparse
import ctypes
import errno
import fnmatch
import os
import platform
import select
import signal
import socket
import struct
import sys
import threading
import time

from cgroup import Cgroup

EYE = bytes.fromhex('e2d4c3d9')
PROPOSAL, ACCEPT, CONFIRM, DECLINE = 1, 2, 3, 4
AF_SMC, TCP_ULP = 43, 31
PAYLOAD = bytes(range(1, 65)) * 4
MAC = bytes.fromhex('020000c0ffee')
PEER_ID = b'\xba\xad' + MAC
LIMIT, UEID, ADDRESS, VICTIM = 15.0, b'', '', 'ulp'
NAME = 'hostile'


# ---- the SMC option on the attacker's SYN and SYN-ACK --------------------------------------------------------

def bpf(cmd, attr):
    number = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    buf = ctypes.create_string_buffer(attr.ljust(128, b'\0'), 128)
    ret = libc.syscall(number, cmd, buf, 128)
    if ret < 0:
        raise OSError(ctypes.get_errno(), 'bpf: ' + os.strerror(ctypes.get_errno()))
    return ret


def option_program():
    """sockops: ask for the header callbacks at connect and listen; reserve and write the option where SYN is set."""
    ctx_op, ctx_flags = 0, 212
    connect, listen, reserve, write = 3, 11, 14, 15
    code = []
    labels, jumps = {}, []

    def insn(op, dst=0, src=0, off=0, imm=0):
        code.append(struct.pack('<BBhi', op, dst | src << 4, off, imm))

    def jump(label, op=0x05, dst=0, imm=0):
        jumps.append((len(code), label))
        insn(op, dst, 0, 0, imm)

    def call(func):
        insn(0xbf, 1, 6)
        insn(0x85, imm=func)
        jump('out')

    def only_syn():
        insn(0x61, 3, 6, ctx_flags)
        insn(0x57, 3, imm=2)
        jump('out', 0x15, 3, 0)

    insn(0xbf, 6, 1)
    insn(0x61, 2, 6, ctx_op)
    for op, label in (connect, 'ask'), (listen, 'ask'), (reserve, 'reserve'), (write, 'write'):
        jump(label, 0x15, 2, op)
    jump('out')
    labels['ask'] = len(code)
    insn(0xb7, 2, imm=1 << 6)           # BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG
    call(59)                            # bpf_sock_ops_cb_flags_set
    labels['reserve'] = len(code)
    only_syn()
    insn(0xb7, 2, imm=6)
    insn(0xb7, 3, imm=0)
    call(144)                           # bpf_reserve_hdr_opt
    labels['write'] = len(code)
    only_syn()
    low, high = struct.unpack('<ii', bytes([254, 6]) + EYE + bytes(2))
    code.append(struct.pack('<BBhiBBhi', 0x18, 2, 0, low, 0, 0, 0, high))
    insn_slots = 2                      # a 64-bit constant takes two
    insn(0x7b, 10, 2, -8)
    insn(0xbf, 2, 10)
    insn(0x07, 2, imm=-8)
    insn(0xb7, 3, imm=6)
    insn(0xb7, 4, imm=0)
    call(143)                           # bpf_store_hdr_opt
    labels['out'] = len(code)
    insn(0xb7, 0, imm=1)
    insn(0x95)

    const = next(i for i, c in enumerate(code) if len(c) == 16)
    slot = [i + (insn_slots - 1 if i > const else 0) for i in range(len(code) + 1)]
    for at, label in jumps:
        off = slot[labels[label]] - slot[at] - 1
        code[at] = code[at][:2] + struct.pack('<h', off) + code[at][4:]
    return b''.join(code)


class AnnouncingCgroup(Cgroup):
    """A cgroup whose sockets announce SMC."""

    def __init__(self):
        super().__init__(NAME)
        try:
            prog = option_program()
            insns, log = ctypes.create_string_buffer(prog, len(prog)), ctypes.create_string_buffer(65536)
            license_ = ctypes.create_string_buffer(b'GPL')
            attr = struct.pack('<IIQQIIQ', 13, len(prog) // 8, ctypes.addressof(insns), ctypes.addressof(license_),
                               1, len(log), ctypes.addressof(log))
            try:
                fd = bpf(5, attr)
            except OSError:
                sys.stderr.write(log.value.decode())
                raise
            dirfd = os.open(self.path, os.O_RDONLY)
            bpf(8, struct.pack('<IIII', dirfd, fd, 3, 0))
            os.close(dirfd)
            os.close(fd)
        except BaseException:
            self.remove()
            raise


# ---- messages ------------------------------------------------------------------------------------------------

def patched(data, *patches):
    data = bytearray(data)
    for offset, new in patches:
        data[offset:offset + len(new)] = new
    return bytes(data)


def message(kind, body, version=2, low=0, length=None):
    total = 8 + len(body) + 4
    return EYE + struct.pack('>BHB', kind, total if length is None else length, version << 4 | low) + body + EYE


def gid(address=None):
    return bytes(10) + b'\xff\xff' + socket.inet_aton(address or ADDRESS)


def eid():
    return UEID.ljust(32)


def proposal(*patches, eids=None, own=None):
    eids = [eid()] if eids is None else eids
    ext = bytes([len(eids), 0, 0, 0x10, 0, 0, 0, 0]) + (own or gid()) + bytes([255, 2, 0, 1]) + bytes(12)
    body = PEER_ID + gid() + MAC + bytes(2) + bytes(10) + struct.pack('>H', 28) + bytes(28) + ext + b''.join(eids)
    return patched(message(PROPOSAL, body, 2, 0x2), *patches)


def proposal_v1():
    body = PEER_ID + gid() + MAC + bytes(2) + socket.inet_aton('10.9.9.9') + bytes([32, 0, 0, 0])
    return message(PROPOSAL, body, 1, 0)


def rmb(own):
    return (PEER_ID + (own or gid()) + MAC + (0x1234).to_bytes(3, 'big') + struct.pack('>I', 0x4d2) + b'\1' +
            struct.pack('>I', 7) + bytes([0x23, 0]) + struct.pack('>Q', 0xffff888012340000) + b'\0' + b'\1\2\3')


def first_contact():
    return bytes([0x80, 0x21, 0, 0]) + b'hostile'.ljust(32) + bytes([255, 1, 0, 1]) + bytes(12)


def accept(*patches, own=None):
    return patched(message(ACCEPT, rmb(own) + eid() + bytes(8) + first_contact(), 2, 8), *patches)


def accept_again():
    return message(ACCEPT, rmb(None) + eid() + bytes(8), 2, 0)


def accept_v1():
    return message(ACCEPT, rmb(None), 1, 8)


def confirm(*patches, own=None):
    body = rmb(own) + eid() + bytes(8) + first_contact() + bytes([1, 0, 0, 0]) + gid()
    return patched(message(CONFIRM, body, 2, 8), *patches)


def decline(version, low=0, code=0x03030000, **kw):
    body = PEER_ID + struct.pack('>I', code) + bytes(4) + (bytes(16) if version > 1 else b'')
    return message(DECLINE, body, version, low, **kw)


# ---- what an attacker does -----------------------------------------------------------------------------------

def read_exactly(sock, length):
    data = b''
    while len(data) < length:
        part = sock.recv(length - len(data))
        if not part:
            raise ConnectionResetError('end of stream')
        data += part
    return data


def read_message(sock):
    head = read_exactly(sock, 8)
    if head[:3] != EYE[:3]:
        raise ValueError('not a CLC message: ' + head.hex())
    return head[4], head + read_exactly(sock, struct.unpack('>H', head[5:7])[0] - 8)


def hold(sock):
    """Keeps the connection open, reading nothing, until the victim has given up or time is over."""
    sock.settimeout(None)
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    poll.poll((LIMIT + 2) * 1000)


def echo(sock):
    while True:
        data = sock.recv(65536)
        if not data:
            return
        sock.sendall(data)


def until_decline(sock):
    while read_message(sock)[0] != DECLINE:
        pass


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def talk(sock, data=PAYLOAD):
    """TCP as it should be after a fallback; raises unless the victim echoes."""
    sock.sendall(data)
    got = read_exactly(sock, len(data))
    if got != data:
        raise ValueError('echo is wrong: ' + got[:16].hex())


def says(data, then=hold, first=False):
    """Reads one message unless @first, then says @data, then does @then. The server of the two."""
    def run(sock):
        if not first:
            read_message(sock)
        sock.sendall(data() if callable(data) else data)
        then(sock)
    return run


def declined_echo(sock):
    until_decline(sock)
    echo(sock)


def dribble(data, then):
    def run(sock):
        read_message(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data():
            sock.sendall(bytes([byte]))
            time.sleep(0.02)            # the attack itself, not a wait
        then(sock)
    return run


def decline_before_reading(sock):
    sock.sendall(decline(2))
    read_message(sock)
    echo(sock)


def live_group():
    """The peer's queue pair of a link group that the victim's host has as client, or one that is nobody's."""
    with open('/proc/net/smc_ulp/links') as links:
        names = links.readline().split()
        for line in links:
            link = dict(zip(names, line.split()))
            if (link['role'], link['state']) == ('client', 'active'):
                return int(link['peer_qpn'])
    return 0x1234


def impostor(then, more=b''):
    """Accepts in the name of a peer with which the victim has a link group; both are this host, whose id the proposal tells."""
    def run(sock):
        said = read_message(sock)[1]
        sock.sendall(patched(accept_again(), (8, said[8:16]), (38, live_group().to_bytes(3, 'big'))) + more)
        then(sock)
    return run


def crossing(then):
    """Waits for the link no longer than the victim, and declines just before it could know."""
    def run(sock):
        until_decline(sock)
        sock.sendall(decline(2))
        then(sock)
    return run


def late(then):
    """Says nothing for longer than a server waits for a proposal."""
    def run(sock):
        time.sleep(7)                   # the attack itself, not a wait
        then(sock)
    return run


JUNK = os.urandom(4096)
GREETING = b'the server speaks first'


def header(kind, length, version=2, low=8):
    return EYE + struct.pack('>BHB', kind, length, version << 4 | low)


def fields(make, *, offsets):
    """One attack for each absurd field of an Accept or Confirm."""
    return {name: (lambda o=off, v=val: make((o, v))) for name, (off, val) in offsets.items()}


ABSURD = {
    'qpn-0': (38, bytes(3)), 'qpn-max': (38, b'\xff' * 3), 'rkey-0': (41, bytes(4)), 'index-0': (45, b'\0'),
    'index-255': (45, b'\xff'), 'token-0': (46, bytes(4)), 'size-max': (50, b'\xf3'), 'mtu-0': (50, b'\x20'),
    'mtu-15': (50, b'\x2f'), 'address-max': (52, b'\xff' * 8), 'address-0': (52, bytes(8)),
    'eid-other': (64, b'SOMETHING-ELSE'.ljust(32)), 'gid-0': (16, bytes(16)), 'indirect': (104, b'\0'),
    'release-15': (105, b'\x2f'), 'conns-0': (140, b'\0'), 'links-0': (141, b'\0'), 'links-255': (141, b'\xff'),
    'smc-d': (7, b'\x29'), 'peer-0': (8, bytes(8)), 'mac-0': (32, bytes(6)),
}

# Attackers that accept the victim's connection: name -> (behaviour, expected end)
SERVER = {
    'impostor': (impostor(declined_echo), 'tcp'),
    'impostor-out-of-sync': (impostor(echo, decline(2, 8)), 'loose'),
    'silence': (hold, 'error'),
    'close': (lambda s: None, 'error'),
    'reset': (reset, 'error'),
    'read-close': (says(b'', lambda s: None), 'error'),
    'garbage': (says(JUNK), 'error'),
    'garbage-8': (says(JUNK[:8]), 'error'),
    'zeros': (says(bytes(4096)), 'error'),
    'half-header': (says(EYE), 'error'),
    'header-only': (says(header(ACCEPT, 160)), 'error'),
    'half-accept': (says(lambda: accept()[:80]), 'error'),
    'half-accept-close': (says(lambda: accept()[:80], lambda s: None), 'error'),
    'length-0': (says(header(ACCEPT, 0) + JUNK), 'error'),
    'length-7': (says(header(ACCEPT, 7) + JUNK), 'error'),
    'length-12': (says(header(ACCEPT, 12) + EYE), 'error'),
    'length-max': (says(header(ACCEPT, 65535) + (JUNK * 16)[:65527], declined_echo), 'any'),
    'length-max-stall': (says(header(ACCEPT, 65535)), 'error'),
    'version-0': (says(lambda: accept((7, b'\x08'))), 'error'),
    'version-15': (says(lambda: accept((7, b'\xf8')), declined_echo), 'any'),
    'type-9': (says(lambda: accept((4, b'\x09'))), 'error'),
    'proposal-back': (says(lambda: proposal()), 'error'),
    'confirm-back': (says(lambda: confirm()), 'error'),
    'bad-trailer': (says(lambda: accept((156, b'\0\0\0\0'))), 'error'),
    'decline-v1': (says(lambda: decline(1), echo), 'tcp'),
    'decline-v2': (says(lambda: decline(2), echo), 'tcp'),
    'decline-sync': (says(lambda: decline(2, 8), echo), 'tcp'),
    'decline-unknown': (says(lambda: decline(2, code=0x12345678), echo), 'tcp'),
    'decline-early': (decline_before_reading, 'tcp'),
    'decline-dribbled': (dribble(lambda: decline(2), echo), 'tcp'),
    'decline-greeting': (says(lambda: decline(2) + GREETING, echo), 'tcp'),
    'decline-short': (says(lambda: decline(2)[:5] + b'\0\x14' + decline(2)[7:20]), 'error'),
    'decline-long': (says(header(DECLINE, 652, 2, 0) + JUNK[:644]), 'error'),
    'accept-v1': (says(accept_v1, declined_echo), 'any'),
    'accept-again': (says(accept_again, declined_echo), 'any'),
    'accept-twice': (says(lambda: accept() * 2, declined_echo), 'loose'),
    'accept-only': (says(lambda: accept(), declined_echo), 'any'),
    'accept-crossing': (says(lambda: accept(), crossing(echo)), 'tcp'),
    'accept-close': (says(lambda: accept(), lambda s: None), 'error'),
    'accept-reset': (says(lambda: accept(), reset), 'error'),
    'accept-garbage': (says(lambda: accept() + JUNK), 'loose'),
    'accept-elsewhere': (says(lambda: accept(own=gid('192.0.2.77')), declined_echo), 'any'),
    **{'accept-' + k: (says(v, declined_echo), 'any') for k, v in fields(accept, offsets=ABSURD).items()},
}


def decline_then_talk(data):
    def run(sock):
        sock.sendall(data())
        talk(sock)
    return run


def proposes(data, then=hold):
    """Says @data and looks no further."""
    return says(data, then, first=True)


def declined_talk(sock):
    until_decline(sock)
    talk(sock)


def confirms(data, then=declined_talk):
    """A good proposal; after the victim's Accept, @data. Where the victim declines, TCP must work."""
    def run(sock):
        sock.sendall(proposal())
        if read_message(sock)[0] == DECLINE:
            return talk(sock)
        sock.sendall(data() if callable(data) else data)
        return then(sock)
    return run


# Attackers that connect to the victim's listener
CLIENT = {
    'silence': (hold, 'error'),
    'close': (lambda s: None, 'error'),
    'reset': (reset, 'error'),
    'garbage': (lambda s: talk(s, JUNK), 'data'),
    'garbage-8': (lambda s: talk(s, JUNK[:8]), 'data'),
    'half-header': (proposes(EYE), 'error'),
    'header-only': (proposes(header(PROPOSAL, 156, 2, 2)), 'error'),
    'half-proposal': (proposes(lambda: proposal()[:70]), 'error'),
    'half-proposal-close': (proposes(lambda: proposal()[:70], lambda s: None), 'error'),
    'length-0': (proposes(header(PROPOSAL, 0, 2, 2) + JUNK), 'error'),
    'length-7': (proposes(header(PROPOSAL, 7, 2, 2) + JUNK), 'error'),
    'length-12': (proposes(header(PROPOSAL, 12, 2, 2) + EYE), 'error'),
    'length-max': (proposes(header(PROPOSAL, 65535, 2, 2) + (JUNK * 16)[:65527]), 'error'),
    'length-more': (proposes(lambda: proposal((5, b'\0\xbc')) + bytes(32)), 'error'),
    'version-0': (proposes(lambda: proposal((7, b'\x02'))), 'error'),
    'version-15': (proposes(lambda: proposal((7, b'\xf2')), declined_talk), 'any'),
    'type-9': (proposes(lambda: proposal((4, b'\x09'))), 'error'),
    'accept-first': (proposes(lambda: accept()), 'error'),
    'confirm-first': (proposes(lambda: confirm()), 'error'),
    'bad-trailer': (proposes(lambda: proposal((152, bytes(4)))), 'error'),
    'decline-v1': (decline_then_talk(lambda: decline(1)), 'tcp'),
    'decline-v2': (decline_then_talk(lambda: decline(2)), 'tcp'),
    'late-proposal': (late(proposes(lambda: proposal())), 'error'),
    'late-data': (late(talk), 'error'),
    'ueids-255': (proposes(lambda: proposal((80, b'\xff'))), 'error'),
    'ueids-8': (proposes(lambda: proposal(eids=[(b'X%d' % i).ljust(32) for i in range(8)]), declined_talk), 'tcp'),
    'ueids-9': (proposes(lambda: proposal(eids=[eid()] * 9)), 'error'),
    'ueids-0': (proposes(lambda: proposal(eids=[]), declined_talk), 'tcp'),
    'ueid-other': (proposes(lambda: proposal(eids=[b'SOMETHING-ELSE'.ljust(32)]), declined_talk), 'tcp'),
    'ism-gids-255': (proposes(lambda: proposal((81, b'\xff')), declined_talk), 'any'),
    'prefixes-255': (proposes(lambda: proposal((47, b'\xff'))), 'error'),
    'ip-area-max': (proposes(lambda: proposal((38, b'\xff\xff'))), 'error'),
    'extension-max': (proposes(lambda: proposal((50, b'\xff\xff'))), 'error'),
    'extension-0': (proposes(lambda: proposal((50, b'\0\0')), declined_talk), 'any'),
    'extension-172': (proposes(lambda: proposal((50, b'\0\xac'))), 'any'),
    'nothing-offered': (proposes(lambda: proposal((7, b'\x2a')), declined_talk), 'any'),
    'smc-d': (proposes(lambda: proposal((7, b'\x26')), declined_talk), 'any'),
    'v1': (proposes(proposal_v1, declined_talk), 'any'),
    'gid-0': (proposes(lambda: proposal(own=bytes(16)), declined_talk), 'any'),
    'gid-elsewhere': (proposes(lambda: proposal(own=gid('192.0.2.77')), declined_talk), 'any'),
    'conns-0': (proposes(lambda: proposal((104, b'\0')), declined_talk), 'any'),
    'links-0': (proposes(lambda: proposal((105, b'\0')), declined_talk), 'any'),
    'release-15': (proposes(lambda: proposal((83, b'\xf0'))), 'any'),
    'proposal-only': (confirms(b'', hold), 'error'),
    'proposal-close': (confirms(b'', lambda s: None), 'error'),
    'proposal-reset': (confirms(b'', reset), 'error'),
    'proposal-garbage': (confirms(JUNK), 'error'),
    'proposal-twice': (confirms(lambda: proposal()), 'error'),
    'half-confirm': (confirms(lambda: confirm()[:80], hold), 'error'),
    'then-decline-v1': (confirms(lambda: decline(1), talk), 'tcp'),
    'then-decline-v2': (confirms(lambda: decline(2), talk), 'tcp'),
    'then-decline-sync': (confirms(lambda: decline(2, 8), talk), 'any'),
    'confirm-only': (confirms(lambda: confirm()), 'any'),
    'confirm-crossing': (confirms(lambda: confirm(), crossing(talk)), 'tcp'),
    'confirm-garbage': (confirms(lambda: confirm() + JUNK), 'loose'),
    'confirm-close': (confirms(lambda: confirm(), lambda s: None), 'error'),
    'confirm-reset': (confirms(lambda: confirm(), reset), 'error'),
    'confirm-v1': (confirms(lambda: message(CONFIRM, rmb(None), 1, 8)), 'any'),
    'confirm-gids-255': (confirms(lambda: confirm((156, b'\xff'))), 'any'),
    **{'confirm-' + k: (confirms(v), 'any') for k, v in fields(confirm, offsets=ABSURD).items()},
}


# ---- victims -------------------------------------------------------------------------------------------------

def victim_socket():
    if VICTIM == 'smc':
        return socket.socket(AF_SMC, socket.SOCK_STREAM, 0)
    sock = socket.socket()
    if VICTIM == 'ulp':
        sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b'smc')
    return sock


def ended(err):
    """The word for a connection that ended by exception @err."""
    if isinstance(err, (TimeoutError, socket.timeout)) and getattr(err, 'errno', None) != errno.ETIMEDOUT:
        return 'hang'
    return 'error'


class Raw:
    """connect, accept, send, recv on AF_SMC sockets, whose addresses Python does not know."""
    libc = ctypes.CDLL(None, use_errno=True)

    @staticmethod
    def sockaddr(port):
        return struct.pack('<H', socket.AF_INET) + struct.pack('>H', port) + socket.inet_aton(ADDRESS) + bytes(8)

    @classmethod
    def call(cls, name, sock, port):
        addr = ctypes.create_string_buffer(cls.sockaddr(port), 16)
        if getattr(cls.libc, name)(sock.fileno(), addr, 16) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    @classmethod
    def accept(cls, sock):
        fd = cls.libc.accept(sock.fileno(), None, None)
        if fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return socket.socket(fileno=fd)


def with_limit(run):
    """Runs @run in a thread; its word, or 'hang' after the limit. The thread is left behind then, and what ends it is no answer."""
    result = ['hang']

    def body():
        try:
            result[0] = run()
        except OSError as err:
            result[0] = ended(err)
            result.append(str(err))
    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(LIMIT)
    return ['hang'] if thread.is_alive() else result


def client_victim(port, greeting):
    """A program that connects, sends, and wants its echo; blocking calls."""
    def run():
        sock = victim_socket()
        Raw.call('connect', sock, port)
        sock.sendall(PAYLOAD)
        want, got = greeting + PAYLOAD, b''
        while len(got) < len(want):
            data = sock.recv(len(want) - len(got))
            if not data:
                return 'the end of the stream'
            got += data
            if not want.startswith(got):
                return 'foreign bytes ' + got[:24].hex()
        return 'tcp'
    return with_limit(run)


class ServerVictim:
    """An echo server, a blocking thread for each connection."""

    def __init__(self):
        self.sock = victim_socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        Raw.call('bind', self.sock, 0)
        self.sock.listen(16)
        self.busy, self.foreign, self.lock = 0, None, threading.Lock()
        threading.Thread(target=self.run, daemon=True).start()

    def port(self):
        addr, length = ctypes.create_string_buffer(28), ctypes.c_int(28)
        Raw.libc.getsockname(self.sock.fileno(), addr, ctypes.byref(length))
        return struct.unpack('>H', addr.raw[2:4])[0]

    def run(self):
        while True:
            try:
                conn = Raw.accept(self.sock)
            except OSError as err:
                if err.errno not in (errno.ECONNABORTED, errno.EINTR, errno.EPROTO, errno.ECONNRESET):
                    return
                continue
            with self.lock:
                self.busy += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            while True:
                data = conn.recv(65536)
                if not data:
                    break
                if data not in PAYLOAD * 257:
                    self.foreign = data
                conn.sendall(data)
        except OSError:
            pass
        conn.close()
        with self.lock:
            self.busy -= 1

    def idle_by(self, deadline):
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.05)            # a poll with a deadline
        return not self.busy


# ---- one case ------------------------------------------------------------------------------------------------

def attacker(cgroup, behave, listener=None, port=None, ready=None):
    """Runs in a process of its own. Exit 0: it did what it wanted; 1: the connection ended; 2: it saw nonsense."""
    os.setpgid(0, 0)
    cgroup.enter()
    try:
        if port is None:
            server = socket.socket()
            server.bind((ADDRESS, 0))
            server.listen(4)
            os.write(ready, struct.pack('<H', server.getsockname()[1]))
            server.settimeout(LIMIT)
            sock = server.accept()[0]
        else:
            sock = socket.socket()
            sock.settimeout(LIMIT)
            sock.connect((ADDRESS, port))
        sock.settimeout(LIMIT)
        behave(sock)
        sock.close()
    except (socket.timeout, TimeoutError):
        return 3
    except OSError:
        return 1
    except ValueError as err:
        print('       attacker: %s' % err)
        sys.stdout.flush()
        return 2
    return 0


def start(*args, **kw):
    pid = os.fork()
    if pid == 0:
        status = 4
        try:
            status = attacker(*args, **kw)
        except Exception as err:        # status 4 says that it was the attacker's fault
            print('       attacker: %r' % err)
            sys.stdout.flush()
        finally:
            os._exit(status)
    return pid


def attack_client(cgroup, name):
    behave, _ = SERVER[name]
    readfd, writefd = os.pipe()
    pid = start(cgroup, behave, ready=writefd)
    os.close(writefd)
    port = os.read(readfd, 2)
    os.close(readfd)
    if len(port) != 2:
        return 'attacker failed', ''
    greeting = GREETING if 'greeting' in name else b''
    result = client_victim(struct.unpack('<H', port)[0], greeting)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return result[0], ' '.join(result[1:])


def attack_server(cgroup, name):
    behave, _ = CLIENT[name]
    begin = time.monotonic()
    victim = ServerVictim()
    pid = start(cgroup, behave, port=victim.port())
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status in (2, 3, 4):
        return {2: 'foreign bytes', 3: 'hang', 4: 'attacker failed'}[status], ''
    # An attacker that held out until its own limit has only now let go of a program that was left with plain TCP.
    if not victim.idle_by(max(begin + LIMIT, time.monotonic() + 5)):
        return 'hang', 'the program still waits in recv'
    if victim.foreign and CLIENT[name][1] not in ('data', 'loose'):
        return 'foreign bytes ' + victim.foreign[:24].hex(), ''
    plain = socket.create_connection((ADDRESS, victim.port()), LIMIT)
    try:
        talk(plain)
    except (OSError, ValueError) as err:
        return 'the listener no longer serves', str(err)
    return ('tcp' if status == 0 and CLIENT[name][1] != 'error' else 'error'), ''


def run_case(cgroup, side, name):
    """One line of output; True if the end is acceptable."""
    table, attack = (SERVER, attack_client) if side == 'server' else (CLIENT, attack_server)
    begin = time.monotonic()
    end, why = attack(cgroup, name)
    took = time.monotonic() - begin
    want = table[name][1]
    good = end == want or (want in ('any', 'data', 'loose') and end in ('tcp', 'error', 'the end of the stream')) or \
        (want == 'loose' and end.startswith('foreign bytes'))
    print('%s %s %s %s: %s%s, %.1f s' % ('ok  ' if good else 'FAIL', NAME, side, name, end if good else
          '%s, wanted %s' % (end, want), ' (%s)' % why if why else '', took))
    sys.stdout.flush()
    return good


def run_all(cgroup, cases, jobs):
    failed, running = 0, set()

    def wait_below(count):
        nonlocal failed
        while len(running) >= count:
            pid, status = os.wait()
            running.discard(pid)
            failed += status != 0

    for side, name in cases:
        wait_below(jobs)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = 0 if run_case(cgroup, side, name) else 1
            except Exception as err:    # a broken case is a failed case
                print('FAIL %s %s %s: %r' % (NAME, side, name, err))
            finally:
                sys.stdout.flush()
                os._exit(status)
        running.add(pid)
    wait_below(1)
    return failed


def main():
    global LIMIT, UEID, ADDRESS, VICTIM
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--victim', choices=('ulp', 'smc', 'tcp'), default='ulp',
                        help='ulp: TCP with ULP "smc"; smc: AF_SMC; tcp: no SMC, to see what reaches the wire')
    parser.add_argument('--address', default='10.9.9.9', help='of this host, for both ends (default 10.9.9.9)')
    parser.add_argument('--ueid', default='SMCTEST01', help='the user EID of the victim')
    parser.add_argument('--limit', type=float, default=15, help='seconds a connection may take (default 15)')
    parser.add_argument('--only', default='*', help='cases whose SIDE/NAME matches, e.g. "server/decline-*"')
    parser.add_argument('--jobs', type=int, default=1, help='connections at once (default 1)')
    parser.add_argument('--list', action='store_true', help='print the cases')
    args = parser.parse_args()
    LIMIT, UEID, ADDRESS, VICTIM = args.limit, args.ueid.encode(), args.address, args.victim

    cases = [(side, name) for side, table in (('server', SERVER), ('client', CLIENT)) for name in table
             if fnmatch.fnmatch(side + '/' + name, args.only)]
    if args.list:
        for side, name in cases:
            print('%s/%s' % (side, name))
        return 0
    cgroup = AnnouncingCgroup()
    try:
        failed = run_all(cgroup, cases, args.jobs)
    finally:
        cgroup.remove()
    print('%s: %d cases, %d failed' % (NAME, len(cases), failed))
    return 1 if failed or not cases else 0


if __name__ == '__main__':
    sys.exit(main())
