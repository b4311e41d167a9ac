// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * bench: what a message, a KiB, a connection costs over TCP, AF_UNIX, the kernel's own SMC, and this project's.
 *
 * Client and server are two processes; fixed numbers of iterations after a warm-up; time is CLOCK_MONOTONIC. On the
 * machine that tests/bench/run boots one instruction is one nanosecond, so there the figures repeat.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"

#define MULTI 16
#define STREAM_CHUNK 65536
/* How a window opens, and who runs first, is a matter of luck: the mean of some connections. */
#define STREAM_CONNECTIONS 8
#define STREAM_PARTS 4
#define IDLE_WARMUP 50
#define IDLE_COUNT 200
#define RDMA_MIN_PACKETS 100	/* fewer: the upkeep of links of earlier runs */

struct subject {
	const char *name;
	enum ep_kind client, server;
	bool rdma;	/* must be seen in the adapter's counters */
};

static const struct subject subjects[] = {
	{ "tcp", EP_TCP, EP_TCP, false },
	{ "unix", EP_UNIX, EP_UNIX, false },
	{ "intree", EP_INTREE, EP_INTREE, true },
	{ "smc", EP_ULP, EP_ULP, true },
	{ "fallback", EP_ULP, EP_TCP, false },
	{ "fallback-server", EP_TCP, EP_ULP, false },
	{ "tcp-loaded", EP_TCP, EP_TCP, false },
};

static const char *address = "127.0.0.1";
static int next_port = 5000;
static int effort = 100;	/* per cent of the usual iterations */
static unsigned char buf[STREAM_CHUNK];

static void usage(FILE *out)
{
	fputs("Usage: bench [--address A] [--effort PERCENT] SUBJECT WORKLOAD...\n"
	      "\n"
	      "Prints `bench WORKLOAD SUBJECT NS`, nanoseconds for the unit of the workload, and\n"
	      "`packets WORKLOAD SUBJECT N`, packets that IP sent for 1000 of them.\n"
	      "\n"
	      "Subjects:  tcp unix intree smc (both ends TCP with ULP \"smc\")\n"
	      "           fallback (only the client has the ULP)  fallback-server (only the server)\n"
	      "           tcp-loaded (tcp by another name, for when the module is loaded)\n"
	      "Workloads: rr64 rr4k      one round trip of 64 bytes, 4 KiB\n"
	      "           stream64k      one KiB of a one-way stream, 64 KiB sends\n"
	      "           crr64          connect + one round trip of 64 bytes + close\n"
	      "           multi16        one round trip of 64 bytes, 16 connections, epoll at both ends\n"
	      "           memory         bytes of an idle connection, both ends: `bench memory idle-SUBJECT BYTES`\n"
	      "\n"
	      "Exit status: 0; 1 for an error, or where intree or smc did not use the RDMA adapter.\n", out);
}

static void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, " (%s)\n", strerror(err));
	va_end(ap);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Packets that IPv4 has sent: one that is segmented on its way out is one, as for a netfilter hook. soft-RoCE on lo sends none. */
static uint64_t ip_packets(void)
{
	char names[1024], values[1024], *n, *v, *nsave, *vsave;
	uint64_t packets = 0;
	bool found = false;
	FILE *f = fopen("/proc/net/snmp", "r");

	if (!f || !fgets(names, sizeof(names), f) || !fgets(values, sizeof(values), f))
		die("/proc/net/snmp");
	fclose(f);
	n = strtok_r(names, " \n", &nsave);
	v = strtok_r(values, " \n", &vsave);
	for (; n && v && !found; n = strtok_r(NULL, " \n", &nsave), v = strtok_r(NULL, " \n", &vsave)) {
		found = !strcmp(n, "OutRequests");
		packets = strtoull(v, NULL, 10);
	}
	if (!found)
		die("/proc/net/snmp: no OutRequests");
	return packets;
}

/* What is measured: time, and packets in it. The counter is read outside of the time. */
static struct lap {
	uint64_t ns, packets;
} lap;

static void lap_resume(void)
{
	lap.packets -= ip_packets();
	lap.ns -= now_ns();
}

static void lap_pause(void)
{
	lap.ns += now_ns();
	lap.packets += ip_packets();
}

static void lap_start(void)
{
	lap = (struct lap){ 0 };
	lap_resume();
}

/* Paused. Packets are left in lap for 1000 units; returns the nanoseconds for one. */
static uint64_t lap_divide(uint64_t units)
{
	lap.packets = lap.packets * 1000 / units;
	return lap.ns / units;
}

static uint64_t lap_end(uint64_t units)
{
	lap_pause();
	return lap_divide(units);
}

/* ---- both ends -------------------------------------------------------------------------------------- */

/* False at the end of the stream. */
static bool read_all(int fd, size_t len)
{
	for (size_t got = 0; got < len; ) {
		ssize_t n = recv(fd, buf + got, len - got, 0);

		if (n == 0)
			return false;
		if (n < 0)
			die("recv");
		got += n;
	}
	return true;
}

static void write_all(int fd, size_t len)
{
	for (size_t put = 0; put < len; ) {
		ssize_t n = send(fd, buf + put, len - put, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		put += n;
	}
}

static int dial(const struct endpoint *ep)
{
	int fd = ep_socket(ep, 0);

	if (fd < 0)
		die("socket");
	if (ep_connect(ep, fd) < 0)
		die("connect");
	ep_nodelay(ep, fd);
	return fd;
}

static int answer(const struct endpoint *ep, int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die("accept");
	ep_nodelay(ep, fd);
	return fd;
}

static void round_trip(int fd, size_t len)
{
	write_all(fd, len);
	if (!read_all(fd, len))
		die("server went away");
}

static void watch(int epfd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		die("epoll_ctl");
}

/* ---- servers: run in a child until killed ----------------------------------------------------------- */

/* One connection after the other; echoes messages of @len. */
static void serve_echo(const struct endpoint *ep, int listener, size_t len)
{
	for (;;) {
		int fd = answer(ep, listener);

		while (read_all(fd, len))
			write_all(fd, len);
		close(fd);
	}
}

/* Echoes on any number of connections; never closes one. */
static void serve_epoll(const struct endpoint *ep, int listener, size_t len)
{
	int epfd = epoll_create1(0);

	watch(epfd, listener);
	for (;;) {
		struct epoll_event ev[MULTI];
		int n = epoll_wait(epfd, ev, MULTI, -1);

		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;

			if (fd == listener)
				watch(epfd, answer(ep, listener));
			else if (read_all(fd, len))
				write_all(fd, len);
			else
				close(fd);
		}
	}
}

/* False at the end of the stream. */
static bool sink(int fd, size_t len)
{
	for (size_t n; len; len -= n) {
		n = len < STREAM_CHUNK ? len : STREAM_CHUNK;
		if (!read_all(fd, n))
			return false;
	}
	return true;
}

/* One connection after the other; one byte back for each @len bytes. */
static void serve_sink(const struct endpoint *ep, int listener, size_t len)
{
	for (;;) {
		int fd = answer(ep, listener);

		while (sink(fd, len))
			write_all(fd, 1);
		close(fd);
	}
}

/* ---- clients: return nanoseconds for one unit ------------------------------------------------------- */

static uint64_t measure_rr(const struct endpoint *ep, size_t len)
{
	int count = 30 * effort, fd = dial(ep);
	uint64_t ns;

	for (int i = 0; i < count / 5 + 1; i++)
		round_trip(fd, len);
	lap_start();
	for (int i = 0; i < count; i++)
		round_trip(fd, len);
	ns = lap_end(count);
	close(fd);
	return ns;
}

static void stream(int fd, size_t total)
{
	for (size_t put = 0; put < total; put += STREAM_CHUNK)
		write_all(fd, STREAM_CHUNK);
	if (!read_all(fd, 1))
		die("server went away");
}

/* As much as is answered by one byte. */
static size_t stream_part(void)
{
	return ((size_t)effort * 3 / 2 + 1) * STREAM_CHUNK;
}

static uint64_t measure_stream(const struct endpoint *ep, size_t len)
{
	lap = (struct lap){ 0 };
	for (int i = 0; i < STREAM_CONNECTIONS; i++) {
		int fd = dial(ep);

		stream(fd, len);
		lap_resume();
		for (int j = 0; j < STREAM_PARTS; j++)
			stream(fd, len);
		lap_pause();
		close(fd);
	}
	return lap_divide(STREAM_CONNECTIONS * STREAM_PARTS * len / 1024);
}

static void connect_rr_close(const struct endpoint *ep, size_t len)
{
	int fd = dial(ep);

	round_trip(fd, len);
	close(fd);
}

static uint64_t measure_crr(const struct endpoint *ep, size_t len)
{
	int count = 3 * effort;

	for (int i = 0; i < count / 5 + 1; i++)
		connect_rr_close(ep, len);
	lap_start();
	for (int i = 0; i < count; i++)
		connect_rr_close(ep, len);
	return lap_end(count);
}

/* Each connection has one message under way; @count answers in all. */
static void multi_rounds(int epfd, const int *fds, int count, size_t len)
{
	int under_way = MULTI, started = MULTI;

	for (int i = 0; i < MULTI; i++)
		write_all(fds[i], len);
	while (under_way) {
		struct epoll_event ev[MULTI];
		int n = epoll_wait(epfd, ev, MULTI, -1);

		for (int i = 0; i < n; i++) {
			if (!read_all(ev[i].data.fd, len))
				die("server went away");
			if (started++ < count)
				write_all(ev[i].data.fd, len);
			else
				under_way--;
		}
	}
}

static uint64_t measure_multi(const struct endpoint *ep, size_t len)
{
	int count = 30 * effort, epfd = epoll_create1(0), fds[MULTI];
	uint64_t ns;

	for (int i = 0; i < MULTI; i++) {
		fds[i] = dial(ep);
		watch(epfd, fds[i]);
	}
	multi_rounds(epfd, fds, count / 5 + MULTI, len);
	lap_start();
	multi_rounds(epfd, fds, count, len);
	ns = lap_end(count);
	for (int i = 0; i < MULTI; i++)
		close(fds[i]);
	close(epfd);
	return ns;
}

static int64_t free_memory(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		die("drop_caches");
	close(fd);
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %llu", &kib) == 1)
			break;
	if (!f || !kib)
		die("/proc/meminfo");
	fclose(f);
	return kib * 1024;
}

static uint64_t measure_memory(const struct endpoint *ep, size_t len)
{
	int64_t before = 0;
	int fds[IDLE_WARMUP + IDLE_COUNT];

	for (int i = 0; i < IDLE_WARMUP + IDLE_COUNT; i++) {
		if (i == IDLE_WARMUP)
			before = free_memory();
		fds[i] = dial(ep);
		round_trip(fds[i], len);
	}
	before -= free_memory();
	for (int i = 0; i < IDLE_WARMUP + IDLE_COUNT; i++)
		close(fds[i]);
	return before > 0 ? before / IDLE_COUNT : 0;
}

/* ---- running ---------------------------------------------------------------------------------------- */

static const struct workload {
	const char *name;
	size_t len;
	void (*serve)(const struct endpoint *ep, int listener, size_t len);
	uint64_t (*measure)(const struct endpoint *ep, size_t len);
} workloads[] = {
	{ "rr64", 64, serve_echo, measure_rr },
	{ "rr4k", 4096, serve_echo, measure_rr },
	{ "stream64k", 0, serve_sink, measure_stream },
	{ "crr64", 64, serve_echo, measure_crr },
	{ "multi16", 64, serve_epoll, measure_multi },
	{ "memory", 1, serve_epoll, measure_memory },
};

/* Packets all RDMA adapters have sent; 0 where there is none. */
static unsigned long long rdma_packets(void)
{
	unsigned long long sum = 0, n;
	glob_t g;

	if (glob("/sys/class/infiniband/*/ports/1/hw_counters/sent_pkts", 0, NULL, &g))
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "r");

		if (f && fscanf(f, "%llu", &n) == 1)
			sum += n;
		if (f)
			fclose(f);
	}
	globfree(&g);
	return sum;
}

/* Connections of the run before may still be closing: waits until the adapter is quiet, at most 5 s. */
static void wait_quiet(void)
{
	unsigned long long before;
	int tries = 50;

	do {
		before = rdma_packets();
		usleep(100000);
	} while (rdma_packets() != before && --tries);
}

/* False: it ran, but not over what it should. */
static bool run(const struct workload *w, const struct subject *s)
{
	size_t len = w->len ? w->len : stream_part();
	unsigned long long packets;
	struct endpoint client, server;
	uint64_t result;
	int listener;
	pid_t child;

	wait_quiet();
	packets = rdma_packets();
	next_port++;
	if (!ep_parse(&client, s->client, address, next_port) || !ep_parse(&server, s->server, address, next_port))
		die("'%s' is not an address", address);
	listener = ep_listen(&server, 0, 128);
	if (listener < 0)
		die("%s: listen", s->name);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		w->serve(&server, listener, len);
		_exit(0);
	}
	close(listener);
	result = w->measure(&client, len);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);

	printf("bench %s %s%s %llu\n", w->name, w->measure == measure_memory ? "idle-" : "", s->name,
	       (unsigned long long)result);
	if (w->measure != measure_memory)
		printf("packets %s %s %llu\n", w->name, s->name, (unsigned long long)lap.packets);
	fflush(stdout);
	packets = rdma_packets() - packets;
	if ((packets >= RDMA_MIN_PACKETS) == s->rdma)
		return true;
	fprintf(stderr, "bench: %s %s: %llu RDMA packets were sent\n", w->name, s->name, packets);
	return false;
}

static const struct subject *find_subject(const char *name)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (!strcmp(subjects[i].name, name))
			return &subjects[i];
	return NULL;
}

static const struct workload *find_workload(const char *name)
{
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct subject *s;
	bool good = true;
	int arg = 1;

	for (; arg < argc && argv[arg][0] == '-'; arg++) {
		if (!strcmp(argv[arg], "--help") || !strcmp(argv[arg], "-h")) {
			usage(stdout);
			return 0;
		}
		if (!strcmp(argv[arg], "--address") && arg + 1 < argc)
			address = argv[++arg];
		else if (!strcmp(argv[arg], "--effort") && arg + 1 < argc)
			effort = atoi(argv[++arg]);
		else
			arg = argc;
	}
	s = arg < argc ? find_subject(argv[arg++]) : NULL;
	if (!s || arg == argc || effort < 1) {
		usage(stderr);
		return 2;
	}
	for (; arg < argc; arg++) {
		const struct workload *w = find_workload(argv[arg]);

		if (!w) {
			fprintf(stderr, "bench: no workload '%s'\n", argv[arg]);
			return 2;
		}
		good &= run(w, s);
	}
	return good ? 0 : 1;
}
