// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * A TCP client that asks for SMC itself: one setsockopt() between socket() and connect(). Everything after is as on TCP; if the peer
 * or this host cannot do SMC, the connection is TCP. No privilege is needed once the module is loaded.
 *
 *	smc_client HOST PORT
 *
 * Sends standard input's first line and prints what comes back. A server does the same between socket() and listen().
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

/* Worth a message, not worth failing: a program that wants its bytes across takes TCP too. */
static void ask_for_smc(int fd)
{
	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, "smc", sizeof("smc")))
		return;
	if (errno == ENOENT)
		fprintf(stderr, "smc_client: module smc_ulp is not loaded, continuing on TCP\n");
	else
		fprintf(stderr, "smc_client: no SMC: %s, continuing on TCP\n", strerror(errno));
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found, *a;
	char line[4096];
	int fd = -1, err;
	ssize_t n;

	if (argc != 3) {
		fprintf(stderr, "usage: smc_client HOST PORT\n");
		return 2;
	}
	err = getaddrinfo(argv[1], argv[2], &hints, &found);
	if (err) {
		fprintf(stderr, "smc_client: %s: %s\n", argv[1], gai_strerror(err));
		return 1;
	}
	for (a = found; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
		if (fd < 0)
			continue;
		ask_for_smc(fd);
		if (connect(fd, a->ai_addr, a->ai_addrlen)) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	if (fd < 0) {
		fprintf(stderr, "smc_client: %s:%s: %s\n", argv[1], argv[2], strerror(errno));
		return 1;
	}

	if (fgets(line, sizeof(line), stdin) && send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		fprintf(stderr, "smc_client: send: %s\n", strerror(errno));
		return 1;
	}
	shutdown(fd, SHUT_WR);
	while ((n = read(fd, line, sizeof(line))) > 0)
		fwrite(line, 1, n, stdout);
	close(fd);
	return n < 0;
}
