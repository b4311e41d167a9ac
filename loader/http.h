/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/* Metrics over HTTP, driven by the caller's loop. */
#ifndef LOADER_HTTP_H
#define LOADER_HTTP_H

struct http;

/* The body of /metrics, to be freed; NULL: it cannot be had now. */
typedef char *http_metrics(void *arg);

struct http *http_new(const char *address, http_metrics *metrics, void *arg);
void http_free(struct http *h);
int http_fd(const struct http *h);
int http_run(struct http *h);

#endif
