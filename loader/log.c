// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Messages to stderr, and libbpf's: kept back, and shown only when something failed or -v asked for them. */
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "loader.h"

static bool is_verbose, is_quiet, is_colored, is_journal, has_syslog;

/* The tail of what libbpf said: enough for a verifier's last lines. */
static char said[8192];
static size_t said_len;

static void line(int priority, const char *kind, const char *color, const char *fmt, va_list args)
{
	va_list again;

	if (has_syslog) {
		va_copy(again, args);
		vsyslog(priority, fmt, again);
		va_end(again);
	}
	/* The journal takes a line's priority from its head. */
	if (is_journal)
		fprintf(stderr, "<%d>", priority);
	else
		fputs("smc-ulp-loader: ", stderr);
	fprintf(stderr, "%s%s%s", is_colored ? color : "", kind, is_colored && *color ? "\033[0m" : "");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line(LOG_ERR, "error: ", "\033[1;31m", fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, fmt);
	line(LOG_WARNING, "warning: ", "\033[1;33m", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, fmt);
	line(LOG_INFO, "", "", fmt, args);
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

void log_libbpf_replay(void)
{
	fwrite(said, 1, said_len, stderr);
	said_len = 0;
}

/* systemd says which file the journal reads; stderr may have been sent elsewhere since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && !fstat(STDERR_FILENO, &st) && st.st_dev == dev &&
	       st.st_ino == ino;
}

void log_to_syslog(void)
{
	openlog("smc-ulp-loader", LOG_PID, LOG_DAEMON);
	has_syslog = true;
}

void log_setup(const struct settings *set)
{
	is_verbose = set->verbose;
	is_quiet = set->quiet;
	is_colored = color_wanted(set, STDERR_FILENO);
	is_journal = stderr_is_journal();
	libbpf_set_print(libbpf_says);
}

bool color_wanted(const struct settings *set, int fd)
{
	const char *no = getenv("NO_COLOR");

	if (set->color != COLOR_AUTO)
		return set->color == COLOR_ALWAYS;
	return !(no && *no) && isatty(fd);
}
