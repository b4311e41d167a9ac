/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * The conversation on one connection, without a word on how one waits for the socket:
 *
 *   client to server:  hello | payload | trailer [ | FIN ]
 *   server to client:          payload | trailer
 *
 * The trailer carries what its sender has sent and what it has received, each with a checksum. Both directions run
 * at once. talk_send() and talk_recv() do one system call each, so that they serve nonblocking sockets under epoll
 * and blocking ones with a thread for each direction.
 */
#ifndef SMCU_TALK_H
#define SMCU_TALK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pattern.h"

/* Rules of the conversation; the client tells the server in its hello. */
enum {
	TALK_HALF_CLOSE   = 1 << 0,	/* client shuts its side after its trailer; server sends only then */
	TALK_ONE_WAY      = 1 << 1,	/* server sends nothing */
	TALK_SERVER_ENDS  = 1 << 2,	/* the server closes first */
};

struct talk_opts {
	uint64_t to_server, to_client;	/* payload */
	unsigned int rules;
	uint32_t chunk;			/* largest chunk of one system call */
	bool fixed;			/* each chunk is that big, instead of a random size */
	bool sendfile, splice, peek;
	bool abort;			/* client: RST in the middle of the payload */
	int ulp;			/* 1: ULP must be attached at the end, 0: must not, -1: do not look */
};

enum talk_step {
	TALK_MORE,	/* something was done: call again */
	TALK_BLOCKED,	/* EAGAIN */
	TALK_WAIT,	/* nothing to do before the other direction got on */
	TALK_DONE,
	TALK_FAILED,	/* wrong data, or a call that must not fail: text in @error */
	TALK_ABORTED,	/* the connection ended too early: text in @error */
};

struct talk_hello {
	uint64_t magic, seed, to_server, to_client;
	uint32_t rules, id;
	uint64_t pad[3];
};

struct talk_trailer {
	uint64_t magic, sent, sent_sum, got, got_sum;
};

struct talk_flow {
	uint64_t seed;
	uint64_t head;		/* bytes of hello, 0 for the direction without */
	uint64_t size;		/* payload */
	uint64_t pos;		/* in hello + payload + trailer */
	struct pattern_sum sum;
	struct talk_trailer trailer;
	uint64_t random;
	int pipe[2], piped;
	bool end;		/* receiving: EOF seen; sending: all said */
};

struct talk {
	int fd, id;
	bool server, connected;
	const struct talk_opts *opts;
	struct talk_hello hello;
	bool hello_known;
	struct talk_flow tx, rx;
	int file;		/* payload for sendfile, or -1 */
	bool done_tx, done_rx;
	enum talk_step result;	/* TALK_MORE while it runs */
	char error[160];
	pthread_mutex_t lock;	/* threads only: guards the TALK_WAIT conditions with @moved */
	pthread_cond_t moved;
};

void talk_init_client(struct talk *t, int id, uint64_t seed, const struct talk_opts *opts);
void talk_init_server(struct talk *t, int id, int fd, const struct talk_opts *opts);
enum talk_step talk_send(struct talk *t);
enum talk_step talk_recv(struct talk *t);
bool talk_send_would_wait(const struct talk *t);
void talk_close(struct talk *t);

/* Ends @t with @step unless it has ended; returns @step. */
enum talk_step talk_end(struct talk *t, enum talk_step step, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One line for a person who asks why it hangs. */
void talk_describe(const struct talk *t, char *out, size_t len);

#endif
