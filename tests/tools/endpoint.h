/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/* One address and the kind of socket that is to be used on it; shared by smcu_io and bench. */
#ifndef SMCU_ENDPOINT_H
#define SMCU_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#ifndef AF_SMC
#define AF_SMC 43
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#define SMCU_ULP_NAME "smc"

enum ep_kind {
	EP_TCP,		/* AF_INET, AF_INET6: the baseline */
	EP_ULP,		/* the same, then setsockopt(TCP_ULP, "smc") */
	EP_INTREE,	/* AF_SMC of the kernel's own net/smc */
	EP_UNIX,	/* AF_UNIX stream, abstract name */
};

struct endpoint {
	enum ep_kind kind;
	struct sockaddr_storage addr;
	socklen_t len;
};

/* Numeric address and port (for EP_UNIX only the port counts). False: not an address. */
bool ep_parse(struct endpoint *ep, enum ep_kind kind, const char *host, int port);

/* The functions below return a descriptor or 0, or -1 with errno set. @flags: SOCK_NONBLOCK or 0. */
int ep_socket(const struct endpoint *ep, int flags);
int ep_listen(const struct endpoint *ep, int flags, int backlog);
int ep_connect(const struct endpoint *ep, int fd);

int ep_nodelay(const struct endpoint *ep, int fd);

/* Is the ULP attached now? Says "no" for a socket that fell back, and for AF_SMC. */
bool ep_has_ulp(int fd);

#endif
