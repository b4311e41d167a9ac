#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""Sockets, most of them with ULP "smc", to which everything happens in any order: for the kernel's own checks to find fault with.

What programs are told is not looked at, but for one thing: no call may outlast its time limit. Prints `ok NAME` or
`FAIL NAME: why`, and what errors there were.
"""
import argparse
import collections
import ctypes
import errno
import os
import random
import select
import socket
import struct
import sys
import threading
import time

TCP_ULP = 31
HANG = 60               # seconds; each call has a limit of at most five
SEEN = collections.Counter()
SHUTDOWNS = socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR


def chance(percent):
    return random.random() * 100 < percent


def saw(err):
    SEEN['time-out' if isinstance(err, socket.timeout) else errno.errorcode.get(err.errno, str(err))] += 1


def new_socket():
    sock = socket.socket()
    if chance(90):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b'smc')
        except OSError as err:          # switched off at the moment
            if err.errno != errno.EOPNOTSUPP:
                raise
            saw(err)
    return sock


def end(sock):
    """One of the ways in which a program lets go of a socket."""
    try:
        if chance(25):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, random.choice((0, 1))))
        if chance(50):
            sock.shutdown(random.choice(SHUTDOWNS))
        elif chance(20):
            ctypes.CDLL(None).connect(sock.fileno(), bytes(16), 16)     # AF_UNSPEC
    except OSError as err:
        saw(err)
    sock.close()


def use(sock, until):
    """What a program does with a connection."""
    try:
        sock.settimeout(random.choice((0.05, 0.5, 3)))
        if chance(30):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, random.choice((1, 100, 100000)))
        while time.monotonic() < until and not chance(3):
            try:
                what = random.randrange(10)
                if what < 4:
                    sock.send(bytes(random.choice((1, 100, 5000, 70000, 300000))))
                elif what < 8:
                    sock.recv(random.choice((1, 1000, 100000)), random.choice((0, 0, 0, socket.MSG_PEEK)))
                elif what < 9:
                    select.select([sock], [sock], [sock], 0.01)
                    sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 200)
                elif chance(20):
                    sock.shutdown(random.choice(SHUTDOWNS))
            except socket.timeout as err:
                saw(err)
    except OSError as err:
        saw(err)
    end(sock)


def scene(address):
    """A listener, some clients, and a thread for each end that gets so far."""
    listener = new_socket()
    listener.bind((address, 0))
    listener.listen(random.choice((1, 4, 64)))
    listener.settimeout(0.5)
    until = time.monotonic() + random.choice((0.1, 1, 3))
    threads = []

    def start(sock):
        threads.append(threading.Thread(target=use, args=(sock, until), daemon=True))
        threads[-1].start()

    clients = random.choice((1, 3, 8))
    for _ in range(clients):
        sock = new_socket()
        sock.settimeout(random.choice((0, 2, 5)))
        if chance(20):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, random.choice((4096, 1 << 20)))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, random.choice((4096, 1 << 20)))
        try:
            sock.connect(listener.getsockname())
        except BlockingIOError:
            pass
        except OSError as err:
            saw(err)
            sock.close()
            continue
        if chance(10):
            end(sock)
        else:
            start(sock)
    try:
        for _ in range(random.randint(0, clients)):
            start(listener.accept()[0])
    except OSError as err:
        saw(err)
    if chance(30):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(HANG)
    return not any(thread.is_alive() for thread in threads)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--address', default='10.9.9.9', help='of this host, for both ends (default 10.9.9.9)')
    parser.add_argument('--seconds', type=float, default=20, help='for how long (default 20)')
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 30), help='of what is chosen')
    args = parser.parse_args()
    random.seed(args.seed)
    stop = time.monotonic() + args.seconds
    scenes = 0
    while time.monotonic() < stop:
        if not scene(args.address):
            print('FAIL torture, seed %d: a call hangs' % args.seed)
            sys.stdout.flush()
            os._exit(1)
        scenes += 1
    print('ok   torture, seed %d: %d scenes, %s' % (args.seed, scenes, ', '.join('%s %d' % e for e in sorted(SEEN.items()))))
    return 0


if __name__ == '__main__':
    sys.exit(main())
