// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * LD_PRELOAD for peers that speak the kernel's own SMC: socket(AF_INET or AF_INET6, SOCK_STREAM) becomes AF_SMC,
 * as smc_run of smc-tools does. A socket that AF_SMC cannot give stays what it was asked to be.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#ifndef AF_SMC
#define AF_SMC 43
#endif

int socket(int family, int type, int protocol)
{
	static int (*next)(int, int, int);
	int fd = -1;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "socket");
	if ((family == AF_INET || family == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
	    (protocol == 0 || protocol == IPPROTO_TCP))
		fd = next(AF_SMC, type, family == AF_INET6);
	return fd >= 0 ? fd : next(family, type, protocol);
}
