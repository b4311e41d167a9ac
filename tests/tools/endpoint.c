// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* Protocol numbers of AF_SMC: over IPv4, over IPv6. */
enum { SMCPROTO_SMC = 0, SMCPROTO_SMC6 = 1 };

bool ep_parse(struct endpoint *ep, enum ep_kind kind, const char *host, int port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ep->addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ep->addr;
	struct sockaddr_un *un = (struct sockaddr_un *)&ep->addr;

	memset(ep, 0, sizeof(*ep));
	ep->kind = kind;
	if (kind == EP_UNIX) {
		un->sun_family = AF_UNIX;
		ep->len = offsetof(struct sockaddr_un, sun_path) + 1 +
			  snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "smcu-%d", port);
		return true;
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		ep->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		ep->len = sizeof(*v6);
		return true;
	}
	return false;
}

int ep_socket(const struct endpoint *ep, int flags)
{
	bool v6 = ep->addr.ss_family == AF_INET6;
	int fd, err;

	if (ep->kind == EP_INTREE)
		return socket(AF_SMC, SOCK_STREAM | flags, v6 ? SMCPROTO_SMC6 : SMCPROTO_SMC);

	fd = socket(ep->addr.ss_family, SOCK_STREAM | flags, 0);
	if (fd < 0 || ep->kind != EP_ULP)
		return fd;
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, SMCU_ULP_NAME, strlen(SMCU_ULP_NAME)) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int ep_listen(const struct endpoint *ep, int flags, int backlog)
{
	int fd = ep_socket(ep, flags), one = 1, err;

	if (fd < 0)
		return -1;
	if ((ep->kind == EP_UNIX || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0) &&
	    bind(fd, (const struct sockaddr *)&ep->addr, ep->len) == 0 && listen(fd, backlog) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int ep_connect(const struct endpoint *ep, int fd)
{
	return connect(fd, (const struct sockaddr *)&ep->addr, ep->len);
}

int ep_nodelay(const struct endpoint *ep, int fd)
{
	int one = 1;

	if (ep->kind == EP_UNIX)
		return 0;
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

bool ep_has_ulp(int fd)
{
	char name[32] = "";
	socklen_t len = sizeof(name) - 1;

	if (getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) < 0)
		return false;
	return strcmp(name, SMCU_ULP_NAME) == 0;
}
