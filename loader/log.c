// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Messages to stderr, and libbpf's: kept back, and shown only when something failed or -v asked for them. */
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

static bool is_verbose, is_quiet;

/* The tail of what libbpf said: enough for a verifier's last lines. */
static char said[8192];
static size_t said_len;

static void line(const char *kind, const char *fmt, va_list args)
{
	fprintf(stderr, "smc-ulp-loader: %s", kind);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line("error: ", fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, fmt);
	line("warning: ", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, fmt);
	line("", fmt, args);
	va_end(args);
}

static int libbpf_says(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[2048];
	size_t n;

	if (is_verbose)
		return vfprintf(stderr, fmt, args);
	if (level == LIBBPF_DEBUG)
		return 0;

	n = vsnprintf(text, sizeof(text), fmt, args);
	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	if (said_len + n >= sizeof(said)) {
		size_t keep = sizeof(said) / 2 < said_len ? sizeof(said) / 2 : said_len;

		memmove(said, said + said_len - keep, keep);
		said_len = keep;
	}
	memcpy(said + said_len, text, n);
	said_len += n;
	return 0;
}

/* After a failure: what libbpf had to say about it. */
void log_libbpf_replay(void)
{
	fwrite(said, 1, said_len, stderr);
	said_len = 0;
}

void log_setup(bool verbose, bool quiet)
{
	is_verbose = verbose;
	is_quiet = quiet;
	libbpf_set_print(libbpf_says);
}
