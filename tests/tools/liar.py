#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""A peer that makes an honest handshake, with a queue pair of its own on soft-RoCE, and then lies over RDMA.

In CDC messages, in LLC messages, in where it writes. The handshake's messages, victims and options are hostile.py's; so are the
words for the end of a case, but that here
  tcp    means that the connection still carries data in both directions, over RDMA, after the lie
  error  means that the victim told the liar that this connection is over
Whatever it was: the program hears of it and the listener serves the next client.
"""
import copy
import itertools
import os
import select
import socket
import struct
import sys
import time

sys.path.append('/usr/lib/python3/dist-packages')   # Debian's Python has pyverbs; the one that runs us may be another

import pyverbs.enums as e                           # noqa: E402
from pyverbs.addr import GID, AHAttr, GlobalRoute   # noqa: E402
from pyverbs.cq import CQ                           # noqa: E402
from pyverbs.device import Context                  # noqa: E402
from pyverbs.mr import MR                           # noqa: E402
from pyverbs.pd import PD                           # noqa: E402
from pyverbs.pyverbs_error import PyverbsRDMAError  # noqa: E402
from pyverbs.qp import QP, QPAttr, QPCap, QPInitAttr    # noqa: E402
from pyverbs.wr import SGE, RecvWR, SendWR          # noqa: E402

import hostile as h                                 # noqa: E402

CONFIRM_LINK, ADD_LINK, DELETE_LINK, REQ_ADD_LINK, CONFIRM_RKEY, TEST_LINK, DELETE_RKEY = 1, 2, 4, 5, 6, 7, 9
DONE, CLOSED, ABORT = 0x80, 0x40, 0x20
RESPONSE = 0x80
RING, SLOT, SLOTS, TOKEN = 1 << 16, 512, 64, 0x11a11a
LONGEST = 16384
QPN, RKEY, TOKEN_AT, SIZE_MTU, ADDR, PSN = 38, 41, 46, 50, 52, 61   # in Accept and Confirm


def gid_index():
    want = h.gid().hex()
    for index in range(16):
        with open('/sys/class/infiniband/rxe0/ports/1/gids/%d' % index) as gid:
            if gid.read().replace(':', '').strip() == want:
                return index
    raise ValueError('rxe0 has no GID of ' + h.ADDRESS)


class Over(OSError):
    """The victim has ended the connection, or the link."""


class Declined(ValueError):
    """The victim speaks TCP. Nonsense, but where a link was not confirmed in time or in truth."""

    def __init__(self):
        super().__init__('the victim speaks TCP')


class Link:
    """Our end of a link with one connection."""

    def __init__(self, sock):
        # Each process is a peer of its own: none is told of a link group that another one has.
        h.PEER_ID = struct.pack('>H', os.getpid() & 0xffff) + h.MAC
        self.sock, self.tcp = sock, select.poll()
        self.tcp.register(sock, select.POLLIN)
        self.gid_index = gid_index()
        self.device = Context(name='rxe0')
        self.pd, self.cq = PD(self.device), CQ(self.device, 4 * SLOTS)
        access = e.IBV_ACCESS_LOCAL_WRITE | e.IBV_ACCESS_REMOTE_WRITE
        self.ring, self.out = MR(self.pd, RING, access), MR(self.pd, RING + LONGEST, access)
        self.slots = MR(self.pd, SLOT * SLOTS, access)
        self.qp = QP(self.pd, QPInitAttr(qp_type=e.IBV_QPT_RC, scq=self.cq, rcq=self.cq,
                                         cap=QPCap(max_send_wr=SLOTS, max_recv_wr=SLOTS)), self.attr())
        for slot in range(SLOTS):
            self.post(slot)
        self.queue, self.done, self.numbers = [], {}, itertools.count(SLOTS)
        self.begin(TOKEN)

    def begin(self, token):
        self.own_token = token
        self.seq = self.sent = self.read = self.peer_wrote = 0

    @staticmethod
    def attr():
        attr = QPAttr(port_num=1)
        attr.qp_access_flags = e.IBV_ACCESS_LOCAL_WRITE | e.IBV_ACCESS_REMOTE_WRITE
        return attr

    def post(self, slot):
        self.qp.post_recv(RecvWR(wr_id=slot, num_sge=1, sg=[SGE(self.slots.buf + slot * SLOT, SLOT, self.slots.lkey)]))

    def own(self, data):
        """@data, an Accept or Confirm, with what is true of our end."""
        return h.patched(data, (QPN, self.qp.qp_num.to_bytes(3, 'big')), (RKEY, struct.pack('>I', self.ring.rkey)),
                         (TOKEN_AT, struct.pack('>I', self.own_token)), (ADDR, struct.pack('>Q', self.ring.buf)),
                         (PSN, (77).to_bytes(3, 'big')))

    def learn(self, data):
        """The connection's part of the victim's Accept or Confirm."""
        self.rkey, self.token = struct.unpack('>I', data[RKEY:RKEY + 4])[0], struct.unpack('>I', data[TOKEN_AT:TOKEN_AT + 4])[0]
        self.addr, self.size = struct.unpack('>Q', data[ADDR:ADDR + 8])[0], 1 << (14 + (data[SIZE_MTU] >> 4))

    def connect(self, data):
        """The victim's Accept or Confirm of a first contact. Sends work from here."""
        self.learn(data)
        dgid = ':'.join(data[i:i + 2].hex() for i in range(16, 32, 2))
        attr = self.attr()
        attr.ah_attr = AHAttr(is_global=1, port_num=1, gr=GlobalRoute(dgid=GID(dgid), sgid_index=self.gid_index, hop_limit=64))
        attr.path_mtu, attr.dest_qp_num, attr.rq_psn, attr.sq_psn = e.IBV_MTU_1024, \
            int.from_bytes(data[QPN:QPN + 3], 'big'), int.from_bytes(data[PSN:PSN + 3], 'big'), 77
        attr.min_rnr_timer, attr.timeout, attr.retry_cnt, attr.rnr_retry = 12, 14, 7, 7
        attr.max_dest_rd_atomic = attr.max_rd_atomic = 1
        self.qp.to_rts(attr)

    # ---- work requests ----

    def poll(self, until, what, end=None):
        """Takes what comes until @until() holds or the victim speaks TCP, or gives up, before the victim is thought to hang."""
        end = end or time.monotonic() + h.LIMIT / 2
        while not until():
            count, entries = self.cq.poll(16)
            for wc in entries:
                if wc.wr_id < SLOTS:
                    if wc.status != e.IBV_WC_SUCCESS:
                        raise Over('receive: status %d' % wc.status)
                    self.queue.append(self.slots.read(wc.byte_len, wc.wr_id * SLOT))
                    self.post(wc.wr_id)
                else:
                    self.done[wc.wr_id] = wc.status
            if not count:
                if time.monotonic() > end:
                    raise TimeoutError(what)
                if self.tcp.poll(5):
                    if self.sock.recv(1, socket.MSG_PEEK):
                        raise Declined()
                    raise Over('the victim has closed the TCP connection')

    def work(self, opcode, data, remote=None):
        number = next(self.numbers)
        offset = 0 if remote else RING
        self.out.write(data, len(data), offset)
        wr = SendWR(wr_id=number, opcode=opcode, num_sge=1, sg=[SGE(self.out.buf + offset, len(data), self.out.lkey)],
                    send_flags=e.IBV_SEND_SIGNALED)
        if remote:
            wr.set_wr_rdma(*remote)
        try:
            self.qp.post_send(wr)
        except PyverbsRDMAError as err:
            raise Over(str(err)) from err
        self.poll(lambda: number in self.done, 'a completion')
        if self.done.pop(number) != e.IBV_WC_SUCCESS:
            raise Over('a send failed')

    def send(self, data):
        self.work(e.IBV_WR_SEND, data)

    def write(self, data, offset=0, rkey=None, opcode=e.IBV_WR_RDMA_WRITE):
        self.work(opcode, data, (self.rkey if rkey is None else rkey, self.addr + offset))

    # ---- messages ----

    def llc(self, kind, body=b'', flags=0, v2=True):
        self.send(struct.pack('BBBB', kind | (0x20 if v2 else 0), 44, 0, flags) + body.ljust(40, b'\0'))

    def cdc(self, prod=None, cons=None, pflags=0, cflags=0, seq=None, token=None):
        """What is not given is the truth. A cursor is a pair (wrap, count)."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        prod = prod or divmod(self.sent, self.size)
        cons = cons or divmod(self.read, RING)
        self.send(struct.pack('>BBHI', 0xfe, 44, seq & 0xffff, self.token if token is None else token) +
                  b''.join(struct.pack('>HHI', 0, wrap & 0xffff, count & 0xffffffff) for wrap, count in (prod, cons)) +
                  bytes([pflags, cflags]) + bytes(18))

    def next(self, wanted, what):
        """The next message that @wanted likes; honest answers to the rest. An abort is the end."""
        end = time.monotonic() + h.LIMIT / 2
        while True:
            self.poll(lambda: self.queue, what, end)
            data = self.queue.pop(0)
            if data[0] == 0xfe and data[4:8] == struct.pack('>I', self.own_token):
                wrap, count = struct.unpack('>HI', data[10:16])
                self.peer_wrote = self.read + ((wrap * RING + count) - self.read) % (RING << 16)
                if data[25] & (ABORT | CLOSED):
                    raise Over('the victim has ended the connection')
            elif data[0] & 15 == TEST_LINK and not data[3] & RESPONSE:
                self.send(data[:3] + bytes([RESPONSE]) + data[4:44])
            if wanted(data):
                return data

    def llc_of(self, kind, response=False):
        return self.next(lambda data: data[0] & 15 == kind and data[0] != 0xfe and bool(data[3] & RESPONSE) == response,
                         'LLC message %d' % kind)

    def confirm_link(self, request=None, flags=RESPONSE | 3, **but):
        end = {'mac': h.MAC, 'gid': h.gid(), 'qpn': self.qp.qp_num, 'number': request[29] if request else 1, **but}
        body = end['mac'] + end['gid'] + end['qpn'].to_bytes(3, 'big') + bytes([end['number']]) + b'liar' + bytes([1, 255])
        self.llc(CONFIRM_LINK, body, flags)

    def leave(self):
        """Something that each victim understands."""
        try:
            self.cdc(cflags=ABORT)
        except Over:
            pass                        # it was quick

    def talk(self, data=h.PAYLOAD):
        """The victim echoes."""
        at = self.sent % self.size
        first = min(len(data), self.size - at)
        self.write(data[:first], at)
        if first < len(data):
            self.write(data[first:], 0)
        self.sent += len(data)
        self.cdc()
        end = self.read + len(data)
        self.next(lambda _: self.peer_wrote >= end, 'the echo')
        at = self.read % RING
        got = self.ring.read(min(len(data), RING - at), at)
        got += self.ring.read(len(data) - len(got), 0) if len(got) < len(data) else b''
        if got != data:
            raise ValueError('echo is wrong: ' + got[:16].hex())
        self.read = end
        self.cdc()


# ---- honest beginnings -----------------------------------------------------------------------------------------

# What takes time is done first: a link that is not confirmed within seconds is declined.

def propose(sock):
    """Proposal and Accept; our end is ready, the Confirm is not said."""
    link = Link(sock)
    sock.sendall(h.proposal())
    kind, said = h.read_message(sock)
    if kind != h.ACCEPT or not said[7] & 8:
        raise ValueError('no accept with first contact: %d' % kind)
    link.connect(said)
    return link


def client(sock):
    link = propose(sock)
    sock.sendall(link.own(h.confirm()))
    link.confirm_link(link.llc_of(CONFIRM_LINK))
    return link


def accept(sock):
    """Proposal, Accept, Confirm; the link is not confirmed."""
    link = Link(sock)
    h.read_message(sock)
    sock.sendall(link.own(h.accept()))
    kind, said = h.read_message(sock)
    if kind != h.CONFIRM:
        raise ValueError('no confirm: %d' % kind)
    link.connect(said)
    return link


def server(sock):
    link = accept(sock)
    link.confirm_link(flags=3)
    link.llc_of(CONFIRM_LINK, response=True)
    return link


def echoes(link):
    """What the victim's program says comes back until it ends."""
    while True:
        link.next(lambda _: link.peer_wrote > link.read, 'something to echo')
        at, length = link.read % RING, min(link.peer_wrote - link.read, RING - link.read % RING)
        data = link.ring.read(length, at)
        link.write(data, link.sent % link.size)
        link.sent += length
        link.read += length
        link.cdc()


# ---- lies ------------------------------------------------------------------------------------------------------

def after(*lies):
    """As a client, in a connection that works: each lie, and then an echo."""
    def run(sock):
        link = client(sock)
        link.talk()
        for lie in lies:
            lie(link)
            link.talk()
        link.leave()
    return run


def cdc(**fields):
    """A message with false @fields; values may depend on the link."""
    return lambda link: link.cdc(**{k: v(link) if callable(v) else v for k, v in fields.items()})


def llc(*args, **kw):
    return lambda link: link.llc(*args, **kw)


def times(count, lie):
    def run(link):
        for _ in range(count):
            lie(link)
    return run


def then_wait(lie):
    """After it nothing but the end is right, so it is waited for."""
    def run(link):
        lie(link)
        link.next(lambda _: False, 'the end')
    return run


def keys(count):
    """Rings without end."""
    def run(link):
        for i in range(count):
            link.llc(CONFIRM_RKEY, struct.pack('>BIQ', 0, 0x5000 + i, i << 16))
            link.llc_of(CONFIRM_RKEY, response=True)
    return run


def kinds(link):
    """Each type of message there is or is not, in both forms, with nothing in it, but for the one that ends the group."""
    for kind in range(256):
        if kind & 15 != DELETE_LINK and kind != 0xfe:
            link.send(bytes([kind, 44]) + bytes(42))
            link.send(bytes([kind, 44, 0, RESPONSE]) + bytes(40))


def lengths(link):
    for kind in (0xfe, 0x21, 0x26, 0x27, 0x29, 0x06):
        for length in range(1, 44):
            link.send((bytes([kind, 44]) + bytes(42))[:length])


def noise(count):
    def run(link):
        for i in range(count):
            link.send(os.urandom(1 + i % 44))
    return run


def goes(link):
    link.qp.close()
    raise Over('we are gone')


def never_reads(link):
    """Fills the victim's program until it can't send, and leaves."""
    data = h.PAYLOAD * 64
    for _ in range(3 * RING // len(data)):
        at = link.sent % link.size
        link.write(data, at)
        link.sent += len(data)
        link.cdc()
        end = min(link.sent, RING)
        link.next(lambda _: link.peer_wrote >= end, 'the echo')
        if link.peer_wrote >= RING:
            break


ONES = b'\xff' * 40
LIES = {
    # name: (behaviour, expected end)
    'honest': (after(lambda link: None), 'tcp'),
    'honest-wraps': (after(*[lambda link: link.talk(h.PAYLOAD * 60)] * 12), 'tcp'),
    # CDC: the producer's cursor
    'prod-beyond-window': (after(then_wait(cdc(prod=lambda l: divmod(l.sent + l.size + 1, l.size)))), 'error'),
    'prod-behind': (after(cdc(prod=(0, 1))), 'tcp'),
    'prod-count-max': (after(then_wait(cdc(prod=(0, 0xffffffff)))), 'error'),
    'prod-count-size': (after(then_wait(cdc(prod=lambda l: (0, l.size)))), 'any'),
    'prod-wrap-max': (after(then_wait(cdc(prod=(0xffff, 0)))), 'error'),
    'prod-nothing-written': (after(cdc(prod=lambda l: divmod(l.sent + 100, l.size))), 'loose'),
    # CDC: the consumer's
    'cons-ahead': (after(then_wait(cdc(cons=lambda l: divmod(l.read + 1, RING)))), 'error'),
    'cons-behind': (after(then_wait(cdc(cons=(0xffff, 5)))), 'error'),
    'cons-count-max': (after(then_wait(cdc(cons=(0, 0xffffffff)))), 'error'),
    # CDC: everything else
    'token-of-nobody': (after(*[cdc(token=t) for t in (0, 1, 0xffffffff, TOKEN)], times(50, cdc(token=0x1234))), 'tcp'),
    'sequence-old': (after(cdc(seq=lambda l: l.seq - 1, prod=(9, 9)), cdc(seq=lambda l: l.seq + 0x8000, prod=(9, 9))), 'tcp'),
    'failover': (after(cdc(pflags=0x08, prod=(9, 9), cons=(9, 9))), 'tcp'),
    'flags-of-producer': (after(*[cdc(pflags=f) for f in (0x80, 0x40, 0x20, 0x10, 0x07, 0xf7)]), 'tcp'),
    'flags-reserved': (after(cdc(cflags=0x1f)), 'tcp'),
    'flags-all': (after(then_wait(cdc(cflags=0xff))), 'any'),
    'abort-then-speaks': (after(cdc(cflags=ABORT)), 'any'),
    'closed-then-speaks': (after(cdc(cflags=CLOSED)), 'any'),
    'done-then-speaks': (after(cdc(cflags=DONE)), 'any'),
    'done-taken-back': (after(cdc(cflags=DONE), cdc(cflags=0)), 'any'),
    'update-flood': (after(times(1500, cdc(pflags=0x90))), 'tcp'),
    'never-reads': (after(never_reads), 'any'),
    'goes': (after(then_wait(goes)), 'error'),
    # RDMA
    'write-behind-ring': (after(then_wait(lambda l: l.write(b'x' * 64, l.size - 63))), 'error'),
    'write-before-ring': (after(then_wait(lambda l: l.write(b'x' * 64, -1))), 'error'),
    'write-key': (after(then_wait(lambda l: l.write(b'x', 0, rkey=0xdeadbeef))), 'error'),
    'write-with-immediate': (after(then_wait(lambda l: l.write(b'x', opcode=e.IBV_WR_RDMA_WRITE_WITH_IMM))), 'error'),
    'reads': (after(then_wait(lambda l: l.write(b'x' * 64, opcode=e.IBV_WR_RDMA_READ))), 'error'),
    'message-long': (after(lambda l: l.send(bytes([0x21, 44]) + bytes(8190))), 'tcp'),      # as long as version 2 has them
    'message-too-long': (after(then_wait(lambda l: l.send(bytes([0x21, 44]) + bytes(LONGEST - 2)))), 'error'),
    'lengths': (after(lengths), 'tcp'),
    'noise': (after(noise(600)), 'any'),
    # LLC
    'kinds': (after(kinds), 'any'),
    'confirm-link-again': (after(*[lambda l, f=f: l.confirm_link(flags=f) for f in (RESPONSE | 3, 3, RESPONSE)]), 'any'),
    'add-link': (after(llc(ADD_LINK), *[llc(ADD_LINK, ONES, f, v2=v) for f in (0, RESPONSE) for v in (True, False)]), 'tcp'),
    'request-add-link': (after(times(100, llc(REQ_ADD_LINK, ONES))), 'tcp'),
    'keys-without-end': (after(keys(600)), 'tcp'),
    'keys-many-links': (after(llc(CONFIRM_RKEY, ONES), llc(CONFIRM_RKEY, ONES, v2=False)), 'tcp'),
    'keys-answers-unasked': (after(*[llc(k, ONES, RESPONSE | f) for k in (CONFIRM_RKEY, DELETE_RKEY) for f in (0, 0x20, 0x30)]), 'tcp'),
    'delete-keys-of-nobody': (after(llc(DELETE_RKEY, ONES), llc(DELETE_RKEY, b'\x09' + ONES[1:]), llc(DELETE_RKEY)), 'tcp'),
    'delete-own-key': (after(lambda l: l.llc(DELETE_RKEY, struct.pack('>BBHI', 1, 0, 0, l.ring.rkey))), 'any'),
    'test-link-flood': (after(times(800, llc(TEST_LINK, b'0123456789abcdef'))), 'tcp'),
    'test-link-answers': (after(times(100, llc(TEST_LINK, b'0123456789abcdef', RESPONSE))), 'tcp'),
    'delete-link': (after(then_wait(llc(DELETE_LINK, b'\x01' + bytes(4), 0x40))), 'error'),
    'delete-link-orderly': (after(then_wait(llc(DELETE_LINK, b'\x01' + bytes(4), 0x60))), 'any'),
    'delete-link-other': (after(llc(DELETE_LINK, b'\x77\xff\xff\xff\xff')), 'any'),
    'delete-link-answer': (after(llc(DELETE_LINK, ONES, RESPONSE | 0x60)), 'any'),
}


def confirms(say, works=False):
    """As a client, at the moment in which CONFIRM_LINK is asked for. Unless that @works the victim may decline."""
    def run(sock):
        link = propose(sock)
        sock.sendall(link.own(h.confirm()))
        request = link.llc_of(CONFIRM_LINK)
        try:
            say(link, request)
            link.talk()
            link.leave()
        except Declined:
            if works:
                raise
            h.declined_talk(sock)
    return run


LIES.update({
    'confirm-other-qpn': (confirms(lambda l, r: l.confirm_link(r, qpn=1)), 'any'),
    'confirm-other-gid': (confirms(lambda l, r: l.confirm_link(r, gid=bytes(16))), 'any'),
    'confirm-eyecatcher': (confirms(lambda l, r: l.confirm_link(r, flags=RESPONSE)), 'any'),
    'confirm-number': (confirms(lambda l, r: l.confirm_link(r, number=0)), 'any'),
    'confirm-twice': (confirms(lambda l, r: (l.confirm_link(r), l.confirm_link(r)), works=True), 'tcp'),
    'confirm-asks-back': (confirms(lambda l, r: (l.confirm_link(r, flags=3), l.confirm_link(r))), 'any'),
    'confirm-after-data': (confirms(lambda l, r: (l.cdc(), l.confirm_link(r))), 'any'),
    'confirm-after-lies': (confirms(lambda l, r: (l.cdc(prod=(7, 7)), l.llc(TEST_LINK), l.confirm_link(r))), 'any'),
    'deletes-instead': (confirms(lambda l, r: l.llc(DELETE_LINK, b'\x01' + bytes(4), 0x40)), 'any'),
    'goes-instead': (confirms(lambda l, r: goes(l)), 'any'),
})


def joins(answer, confirm=None, works=False):
    """As a client, a second connection on the link: the victim tells a ring of its own by CONFIRM_RKEY, or knows that we know."""
    def run(sock):
        link = client(sock)
        link.talk()
        other = socket.create_connection(sock.getpeername(), h.LIMIT)
        other.sendall(h.proposal())
        second = copy.copy(link)
        second.sock, second.tcp = other, select.poll()
        second.begin(TOKEN + 1)
        answer(second, second.llc_of(CONFIRM_RKEY))
        kind, said = h.read_message(other)
        second.tcp.register(other, select.POLLIN)
        if kind == h.DECLINE:
            h.talk(other)
        elif confirm:
            second.learn(said)
            other.sendall(confirm(second))
        if works:
            second.talk()
            second.leave()
        link.talk()
        link.leave()
    return run


def answers(flags=0, *patches):
    """CONFIRM_RKEY's answer, with @patches."""
    return lambda link, request: link.send(h.patched(request[:44], (3, bytes([RESPONSE | flags])), *patches))


def other_key_first(link, request):
    answers(0, (5, b'abcd'))(link, request)
    answers()(link, request)


def confirm_again(*patches):
    return lambda link: h.patched(link.own(h.message(h.CONFIRM, h.rmb(None) + h.eid() + bytes(8), 2, 0)), *patches)


LIES.update({
    'join': (joins(answers(), confirm_again(), works=True), 'tcp'),
    'join-refused': (joins(answers(0x20)), 'any'),
    'join-later': (joins(answers(0x30)), 'any'),
    'join-other-key': (joins(other_key_first, confirm_again(), works=True), 'any'),
    'join-silence': (joins(lambda l, r: None), 'any'),
    'join-ring-of-nobody': (joins(answers(), confirm_again((RKEY, b'abcd'))), 'any'),
    'join-address-of-nobody': (joins(answers(), confirm_again((ADDR, b'abcdabcd'))), 'any'),
    'join-size-max': (joins(answers(), confirm_again((SIZE_MTU, b'\xf3'))), 'any'),
    'join-token-of-the-first': (joins(answers(), confirm_again((TOKEN_AT, struct.pack('>I', TOKEN)))), 'any'),
    'join-other-qpn': (joins(answers(), confirm_again((QPN, b'abc'))), 'any'),
    'join-out-of-sync': (joins(answers(), lambda link: h.decline(2, 8)), 'any'),
    'join-deletes-link': (joins(lambda l, r: l.llc(DELETE_LINK, b'\x01' + bytes(4), 0x40)), 'any'),
})


def serves(say):
    """As a server, before the link is confirmed. The victim may decline."""
    def run(sock):
        link = accept(sock)
        try:
            say(link)
            link.confirm_link(flags=3)
            link.llc_of(CONFIRM_LINK, response=True)
        except Declined:
            return h.declined_echo(sock)
        return echoes(link)
    return run


def served_then(lie):
    """As a server, in a connection that works."""
    def run(sock):
        link = server(sock)
        link.next(lambda _: link.peer_wrote, 'what the program says')
        lie(link)
        echoes(link)
    return run


SERVER = {
    'honest': (served_then(lambda link: None), 'tcp'),
    'speaks-first': (serves(lambda l: (l.cdc(), l.llc(TEST_LINK), l.llc(CONFIRM_RKEY, ONES))), 'any'),
    'confirms-itself': (serves(lambda l: l.confirm_link()), 'any'),
    'deletes': (serves(lambda l: l.llc(DELETE_LINK, b'\x01' + bytes(4), 0x40)), 'any'),
    'noise-first': (serves(noise(200)), 'any'),
    'cons-ahead': (served_then(lambda l: l.cdc(cons=divmod(l.read + 60000, RING))), 'error'),
    'prod-beyond-window': (served_then(lambda l: l.cdc(prod=divmod(l.size + 1, l.size))), 'error'),
    'write-key': (served_then(lambda l: l.write(b'x', 0, rkey=0xdeadbeef)), 'error'),
    'goes': (served_then(goes), 'error'),
    'aborts': (served_then(cdc(cflags=ABORT)), 'error'),
    'deletes-link': (served_then(llc(DELETE_LINK, b'\x01' + bytes(4), 0x40)), 'error'),
    'kinds': (served_then(kinds), 'any'),
    'noise': (served_then(noise(300)), 'any'),
}

if __name__ == '__main__':
    h.NAME, h.CLIENT, h.SERVER, h.__doc__ = 'liar', LIES, SERVER, __doc__
    sys.exit(h.main())
