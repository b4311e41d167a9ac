// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * smcu_io: sends and receives checked data over TCP, TCP with the ULP "smc", or AF_SMC.
 *
 * This file has the options and the ways to wait (epoll, threads); what is said on a connection is in talk.c. Each wait
 * has an end: a watchdog thread ends the program with status 3 and the state of each connection where nothing moved
 * for --stall seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"
#include "talk.h"

enum { EXIT_OK = 0, EXIT_DATA = 1, EXIT_USAGE = 2, EXIT_STALL = 3, EXIT_SETUP = 4 };
enum role { CLIENT, SERVER, SINGLE };
enum after { CLOSE, WRITE_EXIT, WRITE_KILL };

static struct {
	enum role role;
	enum ep_kind kind;
	struct endpoint ep;
	struct talk_opts talk;
	enum after after;
	int conns, backlog, stall, deadline, sndbuf, rcvbuf;
	bool edge, threads, verbose, expect_abort, nodelay;
	const char *ready;
	uint64_t seed;
} opt = {
	.kind = EP_TCP,
	.conns = 1,
	.backlog = 1024,
	.stall = 30,
	.deadline = 300,
	.seed = 1,
	.talk = { .to_server = 4096, .to_client = 4096, .chunk = 65536, .ulp = -1 },
};

static struct talk *talks;
static atomic_int talk_count;
static atomic_ullong progress;

static void usage(FILE *out)
{
	fputs("Usage: smcu_io server|client|single ADDRESS PORT [options]\n"
	      "\n"
	      "Sends patterned data both ways and verifies it at both ends. `single` is client and server in one\n"
	      "thread: it connects and sends before it accepts.\n"
	      "\n"
	      "Socket:\n"
	      "  --family inet|smc    smc: AF_SMC of the kernel's own SMC (default: by ADDRESS, IPv4 or IPv6)\n"
	      "  --ulp                setsockopt(TCP_ULP, \"smc\") before connect or listen\n"
	      "  --check-ulp yes|no   at the end the ULP must (must not) be attached\n"
	      "  --nodelay            TCP_NODELAY\n"
	      "  --sndbuf N, --rcvbuf N\n"
	      "Load (sizes take K, M, G):\n"
	      "  -c, --conns N        connections at once; server: how many to serve (default 1)\n"
	      "  -n, --bytes N        payload from client to server (default 4K)\n"
	      "  -r, --reply N        payload from server to client (default: as -n)\n"
	      "  --chunk N            largest chunk of a call, sizes are random up to it (default 64K, at most 1M)\n"
	      "  --fixed              chunks of exactly that size\n"
	      "  --seed N             of the data and the random sizes (default 1)\n"
	      "How:\n"
	      "  --level, --edge      one thread, nonblocking, epoll level (default) or edge triggered\n"
	      "  --threads            blocking calls, two threads for each connection\n"
	      "  --sendfile, --splice, --peek\n"
	      "The end (client; the server follows):\n"
	      "  --half-close         client shuts down its side, then the server sends\n"
	      "  --server-ends        the server closes first\n"
	      "  --write-exit         client writes all, reads nothing and exits at once\n"
	      "  --write-kill         the same by SIGKILL\n"
	      "  --rst                client resets after half of the payload (SO_LINGER 0)\n"
	      "Verdict:\n"
	      "  --expect ok|abort    abort: each connection must end early, with an error or EOF (default ok)\n"
	      "  --stall S            fail when nothing moves for S seconds (default 30)\n"
	      "  --deadline S         fail after S seconds in all (default 300)\n"
	      "  --ready FILE         server: create FILE once it listens\n"
	      "  -v, --verbose        a line for each connection\n"
	      "\n"
	      "Exit status: 0 as expected, 1 not, 2 usage, 3 stalled, 4 cannot start.\n", out);
}

static void die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("smcu_io: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(status);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* ---- watchdog --------------------------------------------------------------------------------------- */

static void print_states(void)
{
	char line[256];
	int shown = 0;

	for (int i = 0; i < talk_count; i++) {
		if (talks[i].result != TALK_MORE || (talks[i].done_tx && talks[i].done_rx))
			continue;
		if (++shown > 20)
			continue;
		talk_describe(&talks[i], line, sizeof(line));
		fprintf(stderr, "smcu_io:   %s\n", line);
	}
	fprintf(stderr, "smcu_io: %d of %d connections begun, %d of these not finished\n", (int)talk_count, opt.conns,
		shown);
}

static void *watchdog(void *unused)
{
	uint64_t start = now_ms(), since = start, seen = 0;

	(void)unused;
	for (;;) {
		struct timespec tick = { .tv_nsec = 100 * 1000 * 1000 };
		uint64_t now;

		nanosleep(&tick, NULL);
		now = now_ms();
		if (progress != seen) {
			seen = progress;
			since = now;
		}
		if (now - since > opt.stall * 1000ull || now - start > opt.deadline * 1000ull) {
			fprintf(stderr, "smcu_io: STALLED: nothing moved for %llu ms, running for %llu ms\n",
				(unsigned long long)(now - since), (unsigned long long)(now - start));
			print_states();
			_exit(EXIT_STALL);
		}
	}
	return NULL;
}

/* ---- sockets ---------------------------------------------------------------------------------------- */

static void set_buffers(int fd)
{
	if (opt.sndbuf)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &opt.sndbuf, sizeof(int));
	if (opt.rcvbuf)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &opt.rcvbuf, sizeof(int));
	if (opt.nodelay)
		ep_nodelay(&opt.ep, fd);
}

static int listen_socket(int flags)
{
	int fd = ep_listen(&opt.ep, flags, opt.backlog), ready;

	if (fd < 0)
		die(EXIT_SETUP, "listen: %s", strerror(errno));
	set_buffers(fd);
	if (opt.ready) {
		ready = open(opt.ready, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (ready < 0)
			die(EXIT_SETUP, "%s: %s", opt.ready, strerror(errno));
		close(ready);
	}
	return fd;
}

static struct talk *new_client(void)
{
	struct talk *t = &talks[talk_count];

	talk_init_client(t, talk_count, opt.seed * 1000003 + talk_count, &opt.talk);
	talk_count++;
	return t;
}

static struct talk *new_server(int fd)
{
	struct talk *t = &talks[talk_count];

	set_buffers(fd);
	talk_init_server(t, talk_count, fd, &opt.talk);
	talk_count++;
	progress++;
	return t;
}

/* True: connected or in progress. */
static bool client_connect(struct talk *t, int flags)
{
	t->fd = ep_socket(&opt.ep, flags);
	if (t->fd < 0)
		die(EXIT_SETUP, "socket: %s", strerror(errno));
	set_buffers(t->fd);
	if (ep_connect(&opt.ep, t->fd) == 0) {
		t->connected = true;
		progress++;
		return true;
	}
	if (errno == EINPROGRESS)
		return true;
	talk_end(t, TALK_ABORTED, "connect: %s", strerrorname_np(errno));
	talk_close(t);
	return false;
}

static void client_connected(struct talk *t)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err)
		talk_end(t, TALK_ABORTED, "connect: %s", strerrorname_np(err));
	t->connected = true;
	progress++;
}

/* The conversation is over, well or not. A client that writes and exits keeps its socket open for that. */
static void finish(struct talk *t)
{
	if (t->result == TALK_MORE)
		t->result = TALK_DONE;
	progress++;
	if (t->server || opt.after == CLOSE)
		talk_close(t);
}

/* ---- epoll ------------------------------------------------------------------------------------------ */

static int epfd;
static int running;	/* talks not finished */

static void epoll_watch(struct talk *t, int op)
{
	bool wants_tx = !t->connected || (!t->done_tx && !talk_send_would_wait(t));
	struct epoll_event ev = { .data.ptr = t };

	if (opt.edge)
		ev.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	else
		ev.events = (t->done_rx ? 0 : EPOLLIN | EPOLLRDHUP) | (wants_tx ? EPOLLOUT : 0);
	if (epoll_ctl(epfd, op, t->fd, &ev) < 0)
		die(EXIT_SETUP, "epoll_ctl: %s", strerror(errno));
}

static void epoll_add(struct talk *t)
{
	running++;
	epoll_watch(t, EPOLL_CTL_ADD);
}

/* Does what can be done; both directions again as long as one of them may have freed the other. */
static void pump(struct talk *t)
{
	enum talk_step tx = TALK_BLOCKED, rx = TALK_BLOCKED;

	do {
		if (!t->done_tx)
			tx = talk_send(t);
		if (!t->done_rx && t->result == TALK_MORE)
			rx = talk_recv(t);
		t->done_tx |= tx == TALK_DONE;
		t->done_rx |= rx == TALK_DONE;
		if (tx == TALK_MORE || rx == TALK_MORE)
			progress++;
	} while (t->result == TALK_MORE && (tx == TALK_MORE || rx == TALK_MORE ||
					    (tx == TALK_WAIT && !talk_send_would_wait(t))));
}

static void epoll_event(struct talk *t)
{
	if (!t->connected)
		client_connected(t);
	if (t->result == TALK_MORE)
		pump(t);
	if (t->result != TALK_MORE || (t->done_tx && t->done_rx)) {
		running--;
		if (t->fd >= 0)
			epoll_ctl(epfd, EPOLL_CTL_DEL, t->fd, NULL);
		finish(t);
	} else if (!opt.edge) {
		epoll_watch(t, EPOLL_CTL_MOD);
	}
}

static void epoll_accept(int listener)
{
	while (talk_count < opt.conns) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			die(EXIT_SETUP, "accept: %s", strerror(errno));
		if (fd >= 0)
			epoll_add(new_server(fd));
	}
	epoll_ctl(epfd, EPOLL_CTL_DEL, listener, NULL);
}

/* @listener: -1 for a client. */
static void epoll_loop(int listener)
{
	while (running || (listener >= 0 && talk_count < opt.conns)) {
		struct epoll_event ev[64];
		int n = epoll_wait(epfd, ev, 64, -1);

		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				epoll_event(ev[i].data.ptr);
			else
				epoll_accept(listener);
		}
	}
}

static void epoll_open(void)
{
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die(EXIT_SETUP, "epoll_create1: %s", strerror(errno));
}

static void serve_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = listen_socket(SOCK_NONBLOCK | SOCK_CLOEXEC);

	epoll_open();
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		die(EXIT_SETUP, "epoll_ctl: %s", strerror(errno));
	epoll_loop(fd);
	close(fd);
}

static void connect_epoll(void)
{
	epoll_open();
	for (int i = 0; i < opt.conns; i++) {
		struct talk *t = new_client();

		if (client_connect(t, SOCK_NONBLOCK | SOCK_CLOEXEC))
			epoll_add(t);
	}
	epoll_loop(-1);
}

/* Each client connects and sends what fits before the first accept. */
static void single_thread(void)
{
	int fd = listen_socket(SOCK_CLOEXEC), each = opt.conns;

	epoll_open();
	for (int i = 0; i < each; i++) {
		struct talk *t = new_client();
		enum talk_step step;

		if (!client_connect(t, SOCK_CLOEXEC))
			continue;
		fcntl(t->fd, F_SETFL, O_NONBLOCK);
		do {
			step = talk_send(t);
			progress++;
		} while (step == TALK_MORE);
		t->done_tx = step == TALK_DONE;
	}
	for (int i = 0; i < each; i++) {
		int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0)
			die(EXIT_SETUP, "accept: %s", strerror(errno));
		new_server(conn);
	}
	for (int i = 0; i < talk_count; i++)
		if (talks[i].result == TALK_MORE)
			epoll_add(&talks[i]);
	epoll_loop(-1);
	close(fd);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

static void thread_moved(struct talk *t)
{
	progress++;
	pthread_mutex_lock(&t->lock);
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
}

static void thread_wait(struct talk *t)
{
	pthread_mutex_lock(&t->lock);
	while (talk_send_would_wait(t) && t->result == TALK_MORE)
		pthread_cond_wait(&t->moved, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

static void *thread_send(void *arg)
{
	struct talk *t = arg;
	enum talk_step step = TALK_MORE;

	while (t->result == TALK_MORE && !t->done_tx) {
		thread_wait(t);
		step = talk_send(t);
		progress++;
		t->done_tx = step == TALK_DONE;
	}
	if (t->fd >= 0 && t->result != TALK_MORE)
		shutdown(t->fd, SHUT_RDWR);	/* wakes the other thread */
	return NULL;
}

static void *thread_recv(void *arg)
{
	struct talk *t = arg;

	while (t->result == TALK_MORE && !t->done_rx) {
		t->done_rx = talk_recv(t) == TALK_DONE;
		thread_moved(t);
	}
	if (t->fd >= 0 && t->result != TALK_MORE)
		shutdown(t->fd, SHUT_RDWR);
	return NULL;
}

static void *thread_talk(void *arg)
{
	struct talk *t = arg;
	pthread_t sender;

	if (t->fd < 0 && !client_connect(t, SOCK_CLOEXEC))
		return NULL;
	if (pthread_create(&sender, NULL, thread_send, t))
		die(EXIT_SETUP, "cannot create a thread");
	thread_recv(t);
	pthread_join(sender, NULL);
	finish(t);
	return NULL;
}

static void run_threads(void)
{
	pthread_t *tids = calloc(opt.conns, sizeof(*tids));
	int fd = opt.role == SERVER ? listen_socket(SOCK_CLOEXEC) : -1;

	for (int i = 0; i < opt.conns; i++) {
		struct talk *t;

		if (opt.role == SERVER) {
			int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

			if (conn < 0)
				die(EXIT_SETUP, "accept: %s", strerror(errno));
			t = new_server(conn);
		} else {
			t = new_client();
		}
		if (pthread_create(&tids[i], NULL, thread_talk, t))
			die(EXIT_SETUP, "cannot create a thread");
	}
	for (int i = 0; i < opt.conns; i++)
		pthread_join(tids[i], NULL);
	if (fd >= 0)
		close(fd);
	free(tids);
}

/* ---- verdict ---------------------------------------------------------------------------------------- */

static int verdict(uint64_t started)
{
	unsigned long long sent = 0, received = 0;
	int ok = 0, aborted = 0, failed = 0, shown = 0;
	static const char * const names[] = { "client", "server", "single" };

	for (int i = 0; i < talk_count; i++) {
		struct talk *t = &talks[i];
		bool good = t->result == (opt.expect_abort ? TALK_ABORTED : TALK_DONE);

		ok += t->result == TALK_DONE;
		aborted += t->result == TALK_ABORTED;
		failed += t->result != TALK_DONE && t->result != TALK_ABORTED;
		sent += t->tx.pos;
		received += t->rx.pos;
		if (opt.verbose || (!good && ++shown <= 10))
			fprintf(stderr, "smcu_io: %s %d: %s\n", t->server ? "server" : "client", t->id,
				t->result == TALK_DONE ? "ok" : t->error);
	}
	printf("smcu_io: %s conns=%d ok=%d aborted=%d failed=%d sent=%llu received=%llu ms=%llu\n", names[opt.role],
	       (int)talk_count, ok, aborted, failed, sent, received, (unsigned long long)(now_ms() - started));
	fflush(stdout);
	return !failed && (opt.expect_abort ? ok : aborted) == 0 ? EXIT_OK : EXIT_DATA;
}

/* ---- options ---------------------------------------------------------------------------------------- */

static uint64_t parse_size(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	switch (*end) {
	case 'G':
		n <<= 10;
		/* fall through */
	case 'M':
		n <<= 10;
		/* fall through */
	case 'K':
		n <<= 10;
		end++;
	}
	if (end == text || *end)
		die(EXIT_USAGE, "'%s' is not a size", text);
	return n;
}

enum {
	O_FAMILY = 256, O_ULP, O_CHECK_ULP, O_NODELAY, O_SNDBUF, O_RCVBUF, O_CHUNK, O_FIXED, O_SEED, O_LEVEL, O_EDGE,
	O_THREADS, O_SENDFILE, O_SPLICE, O_PEEK, O_HALF, O_SRV_ENDS, O_WEXIT, O_WKILL, O_RST, O_EXPECT, O_STALL,
	O_DEADLINE, O_READY,
};

static const struct option options[] = {
	{ "family", 1, NULL, O_FAMILY },	{ "ulp", 0, NULL, O_ULP },
	{ "check-ulp", 1, NULL, O_CHECK_ULP },	{ "nodelay", 0, NULL, O_NODELAY },
	{ "sndbuf", 1, NULL, O_SNDBUF },	{ "rcvbuf", 1, NULL, O_RCVBUF },
	{ "conns", 1, NULL, 'c' },		{ "bytes", 1, NULL, 'n' },
	{ "reply", 1, NULL, 'r' },		{ "chunk", 1, NULL, O_CHUNK },
	{ "fixed", 0, NULL, O_FIXED },		{ "seed", 1, NULL, O_SEED },
	{ "level", 0, NULL, O_LEVEL },		{ "edge", 0, NULL, O_EDGE },
	{ "threads", 0, NULL, O_THREADS },	{ "sendfile", 0, NULL, O_SENDFILE },
	{ "splice", 0, NULL, O_SPLICE },	{ "peek", 0, NULL, O_PEEK },
	{ "half-close", 0, NULL, O_HALF },	{ "server-ends", 0, NULL, O_SRV_ENDS },
	{ "write-exit", 0, NULL, O_WEXIT },	{ "write-kill", 0, NULL, O_WKILL },
	{ "rst", 0, NULL, O_RST },		{ "expect", 1, NULL, O_EXPECT },
	{ "stall", 1, NULL, O_STALL },		{ "deadline", 1, NULL, O_DEADLINE },
	{ "ready", 1, NULL, O_READY },		{ "verbose", 0, NULL, 'v' },
	{ "help", 0, NULL, 'h' },		{ }
};

/* One of two words. */
static bool parse_word(const char *text, const char *no, const char *yes)
{
	if (strcmp(text, yes) && strcmp(text, no))
		die(EXIT_USAGE, "'%s' is neither '%s' nor '%s'", text, no, yes);
	return strcmp(text, yes) == 0;
}

static void parse_option(int c, bool *reply_given)
{
	switch (c) {
	case O_FAMILY:	opt.kind = parse_word(optarg, "inet", "smc") ? EP_INTREE : EP_TCP; break;
	case O_ULP:	opt.kind = EP_ULP; break;
	case O_CHECK_ULP: opt.talk.ulp = parse_word(optarg, "no", "yes"); break;
	case O_NODELAY:	opt.nodelay = true; break;
	case O_SNDBUF:	opt.sndbuf = parse_size(optarg); break;
	case O_RCVBUF:	opt.rcvbuf = parse_size(optarg); break;
	case 'c':	opt.conns = parse_size(optarg); break;
	case 'n':	opt.talk.to_server = parse_size(optarg); break;
	case 'r':	opt.talk.to_client = parse_size(optarg); *reply_given = true; break;
	case O_CHUNK:	opt.talk.chunk = parse_size(optarg); break;
	case O_FIXED:	opt.talk.fixed = true; break;
	case O_SEED:	opt.seed = parse_size(optarg); break;
	case O_LEVEL:	opt.edge = false; break;
	case O_EDGE:	opt.edge = true; break;
	case O_THREADS:	opt.threads = true; break;
	case O_SENDFILE: opt.talk.sendfile = true; break;
	case O_SPLICE:	opt.talk.splice = true; break;
	case O_PEEK:	opt.talk.peek = true; break;
	case O_HALF:	opt.talk.rules |= TALK_HALF_CLOSE; break;
	case O_SRV_ENDS: opt.talk.rules |= TALK_SERVER_ENDS; break;
	case O_WEXIT:	opt.after = WRITE_EXIT; opt.talk.rules |= TALK_ONE_WAY; break;
	case O_WKILL:	opt.after = WRITE_KILL; opt.talk.rules |= TALK_ONE_WAY; break;
	case O_RST:	opt.talk.abort = true; break;
	case O_EXPECT:	opt.expect_abort = parse_word(optarg, "ok", "abort"); break;
	case O_STALL:	opt.stall = parse_size(optarg); break;
	case O_DEADLINE: opt.deadline = parse_size(optarg); break;
	case O_READY:	opt.ready = optarg; break;
	case 'v':	opt.verbose = true; break;
	case 'h':	usage(stdout); exit(EXIT_OK);
	default:	exit(EXIT_USAGE);
	}
}

static void parse(int argc, char **argv)
{
	static const char * const roles[] = { "client", "server", "single" };
	bool reply_given = false;
	int c, role;

	while ((c = getopt_long(argc, argv, "c:n:r:vh", options, NULL)) >= 0)
		parse_option(c, &reply_given);
	if (argc - optind != 3)
		die(EXIT_USAGE, "needs server|client|single, ADDRESS and PORT; see --help");
	for (role = 0; role < 3 && strcmp(argv[optind], roles[role]); role++)
		;
	if (role == 3)
		die(EXIT_USAGE, "'%s' is neither server, client nor single", argv[optind]);
	opt.role = role;
	if (!ep_parse(&opt.ep, opt.kind, argv[optind + 1], parse_size(argv[optind + 2])))
		die(EXIT_USAGE, "'%s' is not an address", argv[optind + 1]);
	if (!reply_given)
		opt.talk.to_client = opt.talk.to_server;
	if (opt.conns < 1 || !opt.talk.chunk || opt.talk.chunk > 1 << 20)
		die(EXIT_USAGE, "--conns from 1, --chunk from 1 to 1M");
	if (opt.role == SINGLE && opt.threads)
		die(EXIT_USAGE, "single has one thread");
}

int main(int argc, char **argv)
{
	uint64_t started = now_ms();
	struct rlimit files;
	pthread_t tid;
	int status;

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	talks = calloc(2 * opt.conns, sizeof(*talks));
	if (!talks || pthread_create(&tid, NULL, watchdog, NULL))
		die(EXIT_SETUP, "no memory");

	if (opt.role == SINGLE)
		single_thread();
	else if (opt.threads)
		run_threads();
	else if (opt.role == SERVER)
		serve_epoll();
	else
		connect_epoll();

	status = verdict(started);
	if (opt.role == CLIENT && opt.after == WRITE_KILL)
		kill(getpid(), SIGKILL);
	_exit(status);
}
