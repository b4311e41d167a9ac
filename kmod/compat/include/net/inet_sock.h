/* SPDX-License-Identifier: GPL-2.0 */
/* 6.6, "inet: introduce inet->inet_flags" and "inet: move inet->defer_connect to inet->inet_flags": bitfields became atomic bits. */
#ifndef SMCU_COMPAT_NET_INET_SOCK_H
#define SMCU_COMPAT_NET_INET_SOCK_H

#include_next <net/inet_sock.h>

#ifndef SMCU_HAVE_INET_TEST_BIT
#define SMCU_INET_BIT_DEFER_CONNECT(sk) inet_sk(sk)->defer_connect
#define inet_test_bit(bit, sk) SMCU_INET_BIT_##bit(sk)
#endif

#endif
