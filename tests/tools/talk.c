// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
#define _GNU_SOURCE
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "endpoint.h"

#define HELLO_MAGIC	0x31304f495543534dull
#define TRAILER_MAGIC	0x5245494c49415254ull
#define CHUNK_MAX	(1u << 20)

/* The largest chunk of either direction; one pair for each thread. */
static __thread unsigned char tx_buf[CHUNK_MAX], rx_buf[CHUNK_MAX];

enum talk_step talk_end(struct talk *t, enum talk_step step, const char *fmt, ...)
{
	va_list ap;

	if (t->result == TALK_MORE) {
		t->result = step;
		va_start(ap, fmt);
		vsnprintf(t->error, sizeof(t->error), fmt, ap);
		va_end(ap);
	}
	return step;
}

static enum talk_step end_errno(struct talk *t, const char *call, const struct talk_flow *f)
{
	bool lost = errno == ECONNRESET || errno == EPIPE || errno == ETIMEDOUT || errno == ECONNABORTED ||
		    errno == ENETDOWN || errno == ENETUNREACH || errno == EHOSTUNREACH || errno == ENOTCONN;

	return talk_end(t, lost ? TALK_ABORTED : TALK_FAILED, "%s at byte %llu: %s", call,
			(unsigned long long)f->pos, strerrorname_np(errno));
}

static void flow_init(struct talk_flow *f, uint64_t seed, uint64_t head, uint64_t size)
{
	f->seed = seed;
	f->head = head;
	f->size = size;
	f->random = seed | 1;
	f->pipe[0] = f->pipe[1] = -1;
}

static void talk_init(struct talk *t, int id, int fd, bool server, const struct talk_opts *opts)
{
	memset(t, 0, sizeof(*t));
	t->fd = fd;
	t->id = id;
	t->server = server;
	t->opts = opts;
	t->file = -1;
	t->result = TALK_MORE;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->moved, NULL);
}

void talk_init_client(struct talk *t, int id, uint64_t seed, const struct talk_opts *opts)
{
	talk_init(t, id, -1, false, opts);
	t->hello = (struct talk_hello) {
		.magic = HELLO_MAGIC,
		.seed = seed,
		.to_server = opts->to_server,
		.to_client = opts->rules & TALK_ONE_WAY ? 0 : opts->to_client,
		.rules = opts->rules,
		.id = id,
	};
	t->hello_known = true;
	flow_init(&t->tx, seed, sizeof(t->hello), t->hello.to_server);
	flow_init(&t->rx, ~seed, 0, t->hello.to_client);
}

void talk_init_server(struct talk *t, int id, int fd, const struct talk_opts *opts)
{
	talk_init(t, id, fd, true, opts);
	t->connected = true;
	flow_init(&t->rx, 1, sizeof(t->hello), 0);
	flow_init(&t->tx, 1, 0, 0);
}

static uint64_t flow_total(const struct talk_flow *f)
{
	return f->head + f->size + sizeof(f->trailer);
}

/* Length of the next call: inside hello, payload or trailer, never across. */
static size_t flow_next(struct talk_flow *f, const struct talk_opts *o)
{
	uint64_t left, end = f->head;

	if (f->pos >= f->head)
		end = f->head + f->size;
	if (f->pos >= end)
		end = flow_total(f);
	left = end - f->pos;
	if (f->pos >= f->head && f->pos < f->head + f->size) {
		uint64_t most = o->fixed ? o->chunk : 1 + pattern_random(&f->random) % o->chunk;

		if (left > most)
			left = most;
	}
	return left;
}

static bool flow_pipe(struct talk_flow *f)
{
	if (f->pipe[0] >= 0)
		return true;
	if (pipe2(f->pipe, O_CLOEXEC) < 0)
		return false;
	return fcntl(f->pipe[1], F_SETPIPE_SZ, CHUNK_MAX) >= 0;
}

/* ---- sending ---------------------------------------------------------------------------------------- */

static int payload_file(struct talk *t)
{
	uint64_t off = 0;

	if (t->file >= 0)
		return t->file;
	t->file = memfd_create("payload", MFD_CLOEXEC);
	if (t->file < 0)
		return -1;
	while (off < t->tx.size) {
		size_t n = t->tx.size - off < CHUNK_MAX ? t->tx.size - off : CHUNK_MAX;

		pattern_fill(t->tx.seed, off, tx_buf, n);
		if (write(t->file, tx_buf, n) != (ssize_t)n)
			return -1;
		off += n;
	}
	return t->file;
}

static ssize_t send_by_splice(struct talk *t, size_t len)
{
	struct talk_flow *f = &t->tx;
	ssize_t n;

	if (!flow_pipe(f))
		return -1;
	if (!f->piped) {
		struct iovec iov = { .iov_base = tx_buf, .iov_len = len };

		f->piped = writev(f->pipe[1], &iov, 1);
		if (f->piped < 0) {
			f->piped = 0;
			return -1;
		}
	}
	n = splice(f->pipe[0], NULL, t->fd, NULL, f->piped, pattern_random(&f->random) & 1 ? SPLICE_F_MORE : 0);
	if (n > 0)
		f->piped -= n;
	return n;
}

static ssize_t send_by_copy(struct talk *t, size_t len)
{
	struct iovec iov[3];
	size_t third = len / 3;

	switch (pattern_random(&t->tx.random) % 3) {
	case 0:
		return send(t->fd, tx_buf, len, MSG_NOSIGNAL);
	case 1:
		return write(t->fd, tx_buf, len);
	default:
		iov[0] = (struct iovec) { tx_buf, third };
		iov[1] = (struct iovec) { tx_buf + third, third };
		iov[2] = (struct iovec) { tx_buf + 2 * third, len - 2 * third };
		return writev(t->fd, iov, 3);
	}
}

static ssize_t send_payload(struct talk *t, size_t *len)
{
	struct talk_flow *f = &t->tx;
	uint64_t off = f->pos - f->head;

	off_t at = off;

	if (t->opts->sendfile && payload_file(t) < 0)
		return -1;
	if (f->piped)
		*len = f->piped;
	pattern_fill(f->seed, off, tx_buf, *len);
	if (t->opts->splice)
		return send_by_splice(t, *len);
	if (t->opts->sendfile)
		return sendfile(t->fd, t->file, &at, *len);
	return send_by_copy(t, *len);
}

static void fill_trailer(struct talk *t)
{
	t->tx.trailer = (struct talk_trailer) {
		.magic = TRAILER_MAGIC,
		.sent = t->tx.size,
		.sent_sum = pattern_sum_value(&t->tx.sum),
		.got = t->server ? t->rx.size : 0,
		.got_sum = t->server ? pattern_sum_value(&t->rx.sum) : 0,
	};
}

static enum talk_step abort_now(struct talk *t)
{
	struct linger rst = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &rst, sizeof(rst));
	talk_close(t);
	t->done_rx = true;
	return TALK_DONE;
}

/* Only the server waits: for the hello, for the client's FIN, for what its trailer shall report. */
bool talk_send_would_wait(const struct talk *t)
{
	const struct talk_flow *f = &t->tx;

	if (!t->server)
		return false;
	if (!t->hello_known)
		return true;
	if (t->hello.rules & TALK_ONE_WAY)
		return false;
	if (t->hello.rules & TALK_HALF_CLOSE && !t->rx.end)
		return true;
	return f->pos >= f->head + f->size && t->rx.pos < flow_total(&t->rx);
}

enum talk_step talk_send(struct talk *t)
{
	struct talk_flow *f = &t->tx;
	size_t len;
	ssize_t n;

	if (talk_send_would_wait(t))
		return TALK_WAIT;
	if (t->server && t->hello.rules & TALK_ONE_WAY)
		return TALK_DONE;
	if (t->opts->abort && f->pos >= f->head + f->size / 2)
		return abort_now(t);
	if (f->pos == flow_total(f)) {
		if (!t->server && t->opts->rules & TALK_HALF_CLOSE && !f->end && shutdown(t->fd, SHUT_WR) < 0)
			return end_errno(t, "shutdown", f);
		f->end = true;
		return TALK_DONE;
	}

	len = flow_next(f, t->opts);
	if (f->pos < f->head) {
		n = send(t->fd, (char *)&t->hello + f->pos, len, MSG_NOSIGNAL);
	} else if (f->pos < f->head + f->size) {
		n = send_payload(t, &len);
		if (n > 0)
			pattern_sum_add(&f->sum, tx_buf, n);
	} else {
		if (f->pos == f->head + f->size)
			fill_trailer(t);
		n = send(t->fd, (char *)&f->trailer + (f->pos - f->head - f->size), len, MSG_NOSIGNAL);
	}
	if (n < 0)
		return errno == EAGAIN ? TALK_BLOCKED : errno == EINTR ? TALK_MORE : end_errno(t, "send", f);
	if (n == 0 || n > (ssize_t)len)
		return talk_end(t, TALK_FAILED, "send of %zu bytes at byte %llu returned %zd", len,
				(unsigned long long)f->pos, n);
	f->pos += n;
	return TALK_MORE;
}

/* ---- receiving -------------------------------------------------------------------------------------- */

static ssize_t recv_by_splice(struct talk *t, size_t len)
{
	ssize_t n;

	if (!flow_pipe(&t->rx))
		return -1;
	n = splice(t->fd, NULL, t->rx.pipe[1], NULL, len, 0);
	for (ssize_t got = 0; got < n; ) {
		ssize_t m = read(t->rx.pipe[0], rx_buf + got, n - got);

		if (m <= 0)
			return -1;
		got += m;
	}
	return n;
}

/* Looks first, then reads the same bytes. tx_buf is free for the copy: each call fills it anew. */
static ssize_t recv_after_peek(struct talk *t, size_t len)
{
	ssize_t seen = recv(t->fd, tx_buf, len, MSG_PEEK), n;
	int ready = 0;

	if (seen <= 0)
		return seen;
	if (ioctl(t->fd, FIONREAD, &ready) < 0)
		return -1;
	if (ready < seen) {
		talk_end(t, TALK_FAILED, "FIONREAD says %d after a peek of %zd", ready, seen);
		return -2;
	}
	n = recv(t->fd, rx_buf, seen, 0);
	if (n != seen || memcmp(tx_buf, rx_buf, n)) {
		talk_end(t, TALK_FAILED, "peek of %zd bytes, then %zd others", seen, n);
		return -2;
	}
	return n;
}

static ssize_t recv_some(struct talk *t, size_t len)
{
	struct iovec iov[2];

	if (t->opts->splice)
		return recv_by_splice(t, len);
	if (t->opts->peek)
		return recv_after_peek(t, len);
	switch (pattern_random(&t->rx.random) % 3) {
	case 0:
		return recv(t->fd, rx_buf, len, 0);
	case 1:
		return read(t->fd, rx_buf, len);
	default:
		iov[0] = (struct iovec) { rx_buf, len / 2 };
		iov[1] = (struct iovec) { rx_buf + len / 2, len - len / 2 };
		return readv(t->fd, iov, 2);
	}
}

static enum talk_step got_hello(struct talk *t)
{
	if (t->hello.magic != HELLO_MAGIC)
		return talk_end(t, TALK_FAILED, "hello is garbage (%016llx)", (unsigned long long)t->hello.magic);
	t->rx.seed = t->hello.seed;
	t->rx.size = t->hello.to_server;
	t->tx.seed = ~t->hello.seed;
	t->tx.size = t->hello.to_client;
	t->tx.random = t->tx.seed | 1;
	t->hello_known = true;
	return TALK_MORE;
}

static enum talk_step got_trailer(struct talk *t)
{
	const struct talk_trailer *tr = &t->rx.trailer;

	if (tr->magic != TRAILER_MAGIC || tr->sent != t->rx.size || tr->sent_sum != pattern_sum_value(&t->rx.sum))
		return talk_end(t, TALK_FAILED, "checksum of what was received is wrong");
	if (!t->server && (tr->got != t->tx.size || tr->got_sum != pattern_sum_value(&t->tx.sum)))
		return talk_end(t, TALK_FAILED, "the server received something else than was sent");
	if (t->opts->ulp >= 0 && ep_has_ulp(t->fd) != t->opts->ulp)
		return talk_end(t, TALK_FAILED, "ULP is %sattached", t->opts->ulp ? "not " : "");
	return TALK_MORE;
}

static enum talk_step got_payload(struct talk *t, size_t n)
{
	struct talk_flow *f = &t->rx;
	ptrdiff_t bad = pattern_check(f->seed, f->pos - f->head, rx_buf, n);

	if (bad >= 0)
		return talk_end(t, TALK_FAILED, "wrong byte at %llu of %llu (%td of a read of %zu)",
				(unsigned long long)(f->pos - f->head + bad), (unsigned long long)f->size, bad, n);
	pattern_sum_add(&f->sum, rx_buf, n);
	return TALK_MORE;
}

/* Does this side wait for the other's FIN after the last trailer? */
static bool expects_end(const struct talk *t)
{
	if (t->hello.rules & (TALK_HALF_CLOSE | TALK_ONE_WAY))
		return t->server;
	return t->server != !!(t->hello.rules & TALK_SERVER_ENDS);
}

enum talk_step talk_recv(struct talk *t)
{
	struct talk_flow *f = &t->rx;
	enum talk_step step = TALK_MORE;
	uint64_t body = f->head + f->size;
	bool last = f->pos == flow_total(f);
	size_t len;
	ssize_t n;

	if (!t->server && (t->hello.rules & TALK_ONE_WAY || t->opts->abort))
		return TALK_DONE;
	if (f->end || (last && !expects_end(t)))
		return TALK_DONE;

	len = last ? 1 : flow_next(f, t->opts);
	n = recv_some(t, len);
	if (n == -2)
		return TALK_FAILED;
	if (n < 0)
		return errno == EAGAIN ? TALK_BLOCKED : errno == EINTR ? TALK_MORE : end_errno(t, "recv", f);
	if (n == 0 && !last)
		return talk_end(t, TALK_ABORTED, "end of stream at byte %llu of %llu",
				(unsigned long long)f->pos, (unsigned long long)flow_total(f));
	if (n > (ssize_t)len || (n && last))
		return talk_end(t, TALK_FAILED, "%zd bytes too many at the end", n);
	if (n == 0) {
		f->end = true;
		return TALK_DONE;
	}

	if (f->pos < f->head)
		memcpy((char *)&t->hello + f->pos, rx_buf, n);
	else if (f->pos < body)
		step = got_payload(t, n);
	else
		memcpy((char *)&f->trailer + (f->pos - body), rx_buf, n);
	f->pos += n;
	if (step == TALK_MORE && f->head && f->pos == f->head && !t->hello_known)
		step = got_hello(t);
	if (step == TALK_MORE && t->hello_known && f->pos == flow_total(f))
		step = got_trailer(t);
	return step;
}

void talk_close(struct talk *t)
{
	for (int i = 0; i < 2; i++) {
		if (t->tx.pipe[i] >= 0)
			close(t->tx.pipe[i]);
		if (t->rx.pipe[i] >= 0)
			close(t->rx.pipe[i]);
		t->tx.pipe[i] = t->rx.pipe[i] = -1;
	}
	if (t->file >= 0)
		close(t->file);
	if (t->fd >= 0)
		close(t->fd);
	t->file = t->fd = -1;
}

void talk_describe(const struct talk *t, char *out, size_t len)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN | POLLOUT | POLLRDHUP };
	int inq = -1, outq = -1;

	if (t->fd >= 0) {
		poll(&p, 1, 0);
		ioctl(t->fd, FIONREAD, &inq);
		ioctl(t->fd, SIOCOUTQ, &outq);
	}
	snprintf(out, len, "%s %d: %s, sent %llu of %llu%s, received %llu of %llu%s, poll 0x%x, inq %d, outq %d",
		 t->server ? "server" : "client", t->id, t->connected ? "connected" : "connecting",
		 (unsigned long long)t->tx.pos, (unsigned long long)flow_total(&t->tx),
		 talk_send_would_wait(t) ? " (waits for the other direction)" : "", (unsigned long long)t->rx.pos,
		 (unsigned long long)flow_total(&t->rx), t->hello_known ? "" : " (no hello yet)", p.revents, inq, outq);
}
