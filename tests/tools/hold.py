#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""Holds a socket with ULP "smc" in a given state: prints `ready`, waits for a line on stdin, then closes.

A connection must still carry data in both directions when the line has come; exit status 0 if it does.
"""
import argparse
import socket
import sys

TCP_ULP, LIMIT, MESSAGE = 31, 20, b'still here' * 100


def make(with_ulp=True):
    sock = socket.socket()
    sock.settimeout(LIMIT)
    if with_ulp:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b'smc')
    return sock


def listener(address, with_ulp=True):
    sock = make(with_ulp)
    sock.bind((address, 0))
    sock.listen(4)
    return sock


def talk(one, other):
    for sender, receiver in (one, other), (other, one):
        sender.sendall(MESSAGE)
        got = b''
        while len(got) < len(MESSAGE):
            part = receiver.recv(len(MESSAGE) - len(got))
            assert part, 'end of stream'
            got += part
        assert got == MESSAGE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=('unconnected', 'listener', 'smc', 'fallback'))
    parser.add_argument('--address', default='10.9.9.9', help='of this host (default 10.9.9.9)')
    args = parser.parse_args()

    client = server = None
    if args.kind == 'unconnected':
        keep = [make()]
    else:
        keep = [listener(args.address, args.kind != 'fallback')]
    if args.kind in ('smc', 'fallback'):
        client = make()
        client.connect(keep[0].getsockname())
        server = keep[0].accept()[0]
        server.settimeout(LIMIT)
        keep.pop().close()
        talk(client, server)
    print('ready', flush=True)
    sys.stdin.readline()
    if client:
        talk(client, server)
    return 0


if __name__ == '__main__':
    sys.exit(main())
