// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Does smc_ulp_bpf.ko change what it says, and nothing else? Every name and option is asked for by BPF programs in a cgroup, and
 * the answers are compared with what an untouched kernel gives.
 *
 *	redirect CGROUP with|without
 *	redirect has-sock-create
 *
 * "with": smc_ulp_bpf is loaded. Prints PASS and FAIL lines. The other form succeeds where cgroup/sock_create programs are
 * tried, too.
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redirect.skel.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static bool any_failed, row_failed;
static int cgroup;

/* One line for each wrong answer; a row that has none passes as a whole. */
static void check(bool ok, const char *test, const char *where, int got, int want)
{
	if (ok)
		return;
	printf("FAIL redirect.%s: %s: %d (%s), not %d\n", test, where, got, strerror(abs(got)), want);
	any_failed = row_failed = true;
}

static void row_ends(const char *test)
{
	if (!row_failed)
		printf("PASS redirect.%s\n", test);
	row_failed = false;
	fflush(stdout);
}

/* What the kernel answers where nothing is redirected, and by which calls it can be asked. */
static const struct row {
	const char *test;
	int level;
	int optname;
	const char *val;
	unsigned int len;
	int without;
	bool is_ours;
} rows[] = {
	{ "smc_3", SOL_TCP, TCP_ULP, "smc", 3, -EINVAL, true },
	{ "smc_4", SOL_TCP, TCP_ULP, "smc", 4, -EINVAL, true },
	{ "smc_16", SOL_TCP, TCP_ULP, "smc\0\0\0\0\0\0\0\0\0\0\0\0", 16, -EINVAL, true },
	{ "smc_17_is_too_long", SOL_TCP, TCP_ULP, "smc\0\0\0\0\0\0\0\0\0\0\0\0\0", 17, -EINVAL, false },
	{ "sm", SOL_TCP, TCP_ULP, "sm", 2, -EINVAL, false },
	{ "smcd", SOL_TCP, TCP_ULP, "smcd", 4, -EINVAL, false },
	{ "smc_with_a_tail", SOL_TCP, TCP_ULP, "smc\0x", 5, -EINVAL, false },
	{ "tls", SOL_TCP, TCP_ULP, "tls", 4, -EINVAL, false },
	{ "unknown", SOL_TCP, TCP_ULP, "nonesuch", 9, -EINVAL, false },
	{ "other_level", SOL_SOCKET, TCP_ULP, "smc", 4, -EINVAL, false },
	{ "other_option", SOL_TCP, TCP_DEFER_ACCEPT, "smc", 4, -EINVAL, false },
	{ "nodelay", SOL_TCP, TCP_NODELAY, "\1\0\0", 4, 0, false },
	{ "rcvbuf", SOL_SOCKET, SO_RCVBUF, "\0\0\1", 4, 0, false },
};

static void set_call(struct redirect *skel, const struct row *row)
{
	skel->bss->level = row->level;
	skel->bss->optname = row->optname;
	skel->bss->optlen = row->len;
	memset(skel->bss->optval, 0, sizeof(skel->bss->optval));
	memcpy(skel->bss->optval, row->val, row->len);
	skel->data->from_connect = 1;
	skel->data->from_bind = 1;
	skel->data->from_sockopt = 1;
	skel->data->from_listen = 1;
	skel->data->from_sockops_else = 1;
	skel->data->from_create = 1;
}

/* A row that asks in other programs must not find that this one was first. */
static void in_create(struct redirect *skel, bool enable)
{
	if (enable)
		skel->links.from_sock_create = bpf_program__attach_cgroup(skel->progs.from_sock_create, cgroup);
	else
		bpf_link__destroy(skel->links.from_sock_create);
	if (!enable || !skel->links.from_sock_create)
		skel->links.from_sock_create = NULL;
}

/* Sockets that got the ULP when they were made, on both ends, carry bytes. */
static bool carries(int one, int other)
{
	char buf[5];

	return send(one, "hello", 5, 0) == 5 && recv(other, buf, 5, MSG_WAITALL) == 5 && !memcmp(buf, "hello", 5);
}

static void try_create(struct redirect *skel, const struct row *row, bool is_with)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int want = is_with && row->is_ours ? 0 : row->without;
	int listener, client, child;
	char ulp[16] = "";
	socklen_t len = sizeof(ulp), addr_len = sizeof(addr);

	set_call(skel, row);
	in_create(skel, true);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	in_create(skel, false);
	check(skel->data->from_create == want, row->test, "sock_create", skel->data->from_create, want);
	getsockopt(client, SOL_TCP, TCP_ULP, ulp, &len);
	check(!strcmp(ulp, is_with && row->is_ours ? "smc" : ""), row->test, "sock_create, then getsockopt(TCP_ULP)", ulp[0], want);
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&addr, &addr_len) ||
	    connect(client, (struct sockaddr *)&addr, sizeof(addr)) || (child = accept(listener, NULL, NULL)) < 0) {
		check(false, row->test, "sock_create, then connect", -errno, 0);
	} else {
		check(carries(client, child) && carries(child, client), row->test, "sock_create, then data", -errno, 0);
		close(child);
	}
	close(client);
	close(listener);
}

/* A name of the loopback device, with a port that nobody listens on. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union address loopback(int family)
{
	union address a = { .any.sa_family = family };

	if (family == AF_INET) {
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.v4.sin_port = htons(1);
	} else {
		a.v6.sin6_addr = in6addr_loopback;
		a.v6.sin6_port = htons(1);
	}
	return a;
}

/* A ULP may be set once, so each call gets a socket of its own. */
static void try_addresses(struct redirect *skel, const struct row *row, int want, int family)
{
	union address addr = loopback(family);
	socklen_t len = family == AF_INET ? sizeof(addr.v4) : sizeof(addr.v6);
	int fd = socket(family, SOCK_STREAM, 0);

	set_call(skel, row);
	if (!connect(fd, &addr.any, len) || errno != ECONNREFUSED)
		check(false, row->test, "connect is not refused", -errno, -ECONNREFUSED);
	check(skel->data->from_connect == want, row->test, family == AF_INET ? "connect4" : "connect6", skel->data->from_connect, want);
	close(fd);

	set_call(skel, row);
	fd = socket(family, SOCK_STREAM, 0);
	if (bind(fd, &addr.any, len))
		check(false, row->test, "bind", -errno, 0);
	check(skel->data->from_bind == want, row->test, family == AF_INET ? "bind4" : "bind6", skel->data->from_bind, want);
	close(fd);
}

static void try(struct redirect *skel, const struct row *row, bool is_with)
{
	int want = is_with && row->is_ours ? 0 : row->without, one = 1;
	char ulp[16] = "";
	socklen_t len = sizeof(ulp);
	int fd;

	try_addresses(skel, row, want, AF_INET);
	try_addresses(skel, row, want, AF_INET6);

	set_call(skel, row);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, IPPROTO_IP, IP_TTL, &one, sizeof(one));
	check(skel->data->from_sockopt == want, row->test, "setsockopt", skel->data->from_sockopt, want);
	getsockopt(fd, SOL_TCP, TCP_ULP, ulp, &len);
	check(!strcmp(ulp, is_with && row->is_ours ? "smc" : ""), row->test, "getsockopt(TCP_ULP)", ulp[0], want);
	close(fd);

	set_call(skel, row);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	listen(fd, 1);
	check(skel->data->from_listen == want, row->test, "listen", skel->data->from_listen, want);
	close(fd);

	/* Past the states in which a ULP may be set: refused as ever. */
	if (row->is_ours)
		check(skel->data->from_sockops_else == 1 || skel->data->from_sockops_else < 0, row->test, "other sockops",
		      skel->data->from_sockops_else, -EINVAL);
}

/* UDP comes through the same hooks, with the same helper. */
static void try_udp(struct redirect *skel)
{
	union address addr = loopback(AF_INET);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	set_call(skel, &rows[1]);
	connect(fd, &addr.any, sizeof(addr.v4));
	check(skel->data->from_connect == -EINVAL, "udp", "connect4", skel->data->from_connect, -EINVAL);
	close(fd);
}

/* libbpf's probe of helpers does not understand 6.12's answer, so loading is the question. */
static struct redirect *load(bool with_create)
{
	struct redirect *skel = redirect__open();

	if (!skel)
		return NULL;
	bpf_program__set_autoload(skel->progs.from_sock_create, with_create);
	if (!redirect__load(skel))
		return skel;
	redirect__destroy(skel);
	return NULL;
}

int main(int argc, char **argv)
{
	struct redirect *skel;
	char path[4096];
	unsigned int i;
	bool has_create;
	FILE *procs;

	libbpf_set_print(NULL);
	skel = load(true);
	has_create = skel;
	if (argc == 2 && !strcmp(argv[1], "has-sock-create"))
		return !has_create;
	if (argc != 3)
		return 2;
	cgroup = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (!skel)
		skel = load(false);
	if (!skel || cgroup < 0) {
		printf("FAIL redirect: %s: %s\n", cgroup < 0 ? argv[1] : "the programs were not loaded", strerror(errno));
		return 1;
	}
	skel->links.from_connect4 = bpf_program__attach_cgroup(skel->progs.from_connect4, cgroup);
	skel->links.from_connect6 = bpf_program__attach_cgroup(skel->progs.from_connect6, cgroup);
	skel->links.from_bind4 = bpf_program__attach_cgroup(skel->progs.from_bind4, cgroup);
	skel->links.from_bind6 = bpf_program__attach_cgroup(skel->progs.from_bind6, cgroup);
	skel->links.from_setsockopt = bpf_program__attach_cgroup(skel->progs.from_setsockopt, cgroup);
	skel->links.from_sockops = bpf_program__attach_cgroup(skel->progs.from_sockops, cgroup);
	snprintf(path, sizeof(path), "%s/cgroup.procs", argv[1]);
	procs = fopen(path, "w");
	if (!skel->links.from_connect4 || !skel->links.from_connect6 || !skel->links.from_bind4 || !skel->links.from_bind6 ||
	    !skel->links.from_setsockopt || !skel->links.from_sockops || !procs) {
		printf("FAIL redirect: not attached: %s\n", strerror(errno));
		return 1;
	}
	fprintf(procs, "%d\n", getpid());
	fclose(procs);

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		try(skel, &rows[i], !strcmp(argv[2], "with"));
		if (has_create)
			try_create(skel, &rows[i], !strcmp(argv[2], "with"));
		row_ends(rows[i].test);
	}
	try_udp(skel);
	row_ends("udp");
	redirect__destroy(skel);
	return any_failed;
}
