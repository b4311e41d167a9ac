/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.19, "net: Add struct sockaddr_unsized for sockaddr of unknown length" and "net: Convert proto callbacks from sockaddr to
 * sockaddr_unsized": connect and bind take an address of a type of its own. The same bytes, so one name for both.
 */
#ifndef SMCU_COMPAT_LINUX_SOCKET_H
#define SMCU_COMPAT_LINUX_SOCKET_H

#include_next <linux/socket.h>

#ifndef SMCU_HAVE_SOCKADDR_UNSIZED
#define sockaddr_unsized sockaddr
#endif

#endif
