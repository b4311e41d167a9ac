// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Metrics over HTTP: /metrics and /healthz, and nothing else. libmicrohttpd parses; its epoll descriptor is one of the daemon's loop, so
 * there is no second thread. What a client can take is bounded: connections, their memory, their time, and how often the numbers are
 * gathered anew.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "loader.h"

#define MAX_CONNECTIONS 16
#define CONNECTION_MEMORY 8192
#define CONNECTION_SECONDS 5
#define FRESH_SECONDS 1

struct http {
	struct MHD_Daemon *daemon;
	int epoll;
	char *socket; /* to be removed at the end */
	http_metrics *metrics;
	void *arg;
	char *text;
	time_t gathered;
};

static int listen_unix(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	/* Only one daemon runs: a socket that is there is left over. */
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&to, sizeof(to)) || chmod(path, 0660) || listen(fd, MAX_CONNECTIONS))) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* HOST:PORT, [HOST]:PORT; numbers only, so nobody is asked for names. */
static int listen_tcp(const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *info;
	const char *colon = strrchr(address, ':');
	char host[64];
	size_t len;
	int fd, err, one = 1;

	len = colon ? (size_t)(colon - address) : 0;
	if (!len || len >= sizeof(host)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(host, address, len);
	host[len] = '\0';
	if (host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	if (getaddrinfo(host, colon + 1, &hints, &info)) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
			bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, MAX_CONNECTIONS))) {
		err = errno;
		close(fd);
		errno = err;
		fd = -1;
	}
	err = errno;
	freeaddrinfo(info);
	errno = err;
	return fd;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int code, const char *type, const char *text)
{
	struct MHD_Response *r;
	enum MHD_Result ret;

	r = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	ret = MHD_queue_response(connection, code, r);
	MHD_destroy_response(r);
	return ret;
}

static const char *fresh_metrics(struct http *h)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!h->text || now.tv_sec - h->gathered >= FRESH_SECONDS) {
		free(h->text);
		h->text = h->metrics(h->arg);
		h->gathered = now.tv_sec;
	}
	return h->text;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *body, size_t *body_size, void **state)
{
	static const char plain[] = "text/plain; charset=utf-8";
	struct http *h = arg;
	const char *text;

	(void)version;
	(void)body;
	(void)state;
	if (*body_size || (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD)))
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, plain, "GET only\n");
	if (!strcmp(url, "/healthz"))
		return answer(connection, MHD_HTTP_OK, plain, "ok\n");
	if (strcmp(url, "/metrics"))
		return answer(connection, MHD_HTTP_NOT_FOUND, plain, "there is /metrics and /healthz\n");
	text = fresh_metrics(h);
	if (!text)
		return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, plain, "the journal says why\n");
	return answer(connection, MHD_HTTP_OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text);
}

/* NULL: the reason was printed. */
struct http *http_new(const char *address, http_metrics *metrics, void *arg)
{
	struct http *h = calloc(1, sizeof(*h));
	const union MHD_DaemonInfo *info;
	int fd;

	if (!h)
		return NULL;
	h->metrics = metrics;
	h->arg = arg;
	fd = *address == '/' ? listen_unix(address) : listen_tcp(address);
	if (fd < 0) {
		log_error("metrics cannot be served at %s: %s%s", address, strerror(errno),
			  errno == EINVAL ? " (an address is HOST:PORT in numbers, or the /PATH of a socket)" : "");
		goto err_free;
	}
	if (*address == '/')
		h->socket = strdup(address);
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, h, MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				     (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_SECONDS, MHD_OPTION_END);
	info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info) {
		h->epoll = info->epoll_fd;
		return h;
	}
	log_error("metrics cannot be served at %s: libmicrohttpd does not start", address);
	if (!h->daemon)
		close(fd);
err_free:
	http_free(h);
	return NULL;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	if (h->socket)
		unlink(h->socket);
	free(h->socket);
	free(h->text);
	free(h);
}

int http_fd(const struct http *h)
{
	return h->epoll;
}

/* Do what is to be done now. Return: milliseconds until it wants to be called again, or -1. */
int http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}
