// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Messages about a policy's text: place, what is wrong, the line, a caret under it; and "did you mean". */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"

/* A file of another kind altogether should not produce a screen per line. */
#define MAX_MESSAGES 20
#define MAX_ECHO 160

struct smcpol_diag {
	char *text;
	size_t len;
	unsigned int errors;
	unsigned int warnings;
	unsigned int nr_messages; /* of those that are shown */
	struct smcpol_message messages[MAX_MESSAGES];
};

struct smcpol_diag *smcpol_diag_new(void)
{
	return calloc(1, sizeof(struct smcpol_diag));
}

void smcpol_diag_free(struct smcpol_diag *diag)
{
	unsigned int i;

	if (!diag)
		return;
	for (i = 0; i < diag->nr_messages; i++) {
		free(diag->messages[i].text);
		free(diag->messages[i].suggestion);
	}
	free(diag->text);
	free(diag);
}

const char *smcpol_diag_text(const struct smcpol_diag *diag)
{
	return diag->text ? diag->text : "";
}

const struct smcpol_message *smcpol_diag_messages(const struct smcpol_diag *diag, unsigned int *nr)
{
	*nr = diag->nr_messages;
	return diag->messages;
}

unsigned int smcpol_diag_errors(const struct smcpol_diag *diag)
{
	return diag->errors;
}

unsigned int smcpol_diag_warnings(const struct smcpol_diag *diag)
{
	return diag->warnings;
}

static void append(struct smcpol_diag *diag, const char *text, size_t len)
{
	char *grown = realloc(diag->text, diag->len + len + 1);

	if (!grown)
		return;
	diag->text = grown;
	memcpy(grown + diag->len, text, len);
	diag->len += len;
	grown[diag->len] = '\0';
}

/* The source's line and a caret below. What could move a terminal's cursor is shown as '?': a policy may come from elsewhere. */
static void append_line(struct smcpol_diag *diag, const struct source *src, struct pos pos)
{
	const char *line = src->text, *end = src->text + src->len;
	char echo[MAX_ECHO + 1];
	unsigned int i, n;
	const char *eol;

	for (i = 1; i < pos.line && line; i++) {
		line = memchr(line, '\n', end - line);
		if (line)
			line++;
	}
	if (!line || line >= end || pos.col > MAX_ECHO)
		return;
	eol = memchr(line, '\n', end - line);
	n = (eol ? eol : end) - line;
	if (n > MAX_ECHO)
		n = MAX_ECHO;
	for (i = 0; i < n; i++) {
		unsigned char c = line[i];

		echo[i] = c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	echo[n] = '\n';
	append(diag, echo, n + 1);

	n = pos.len ? pos.len : 1;
	if (pos.col - 1 + n > MAX_ECHO)
		n = MAX_ECHO - (pos.col - 1);
	memset(echo, ' ', pos.col - 1);
	memset(echo + pos.col - 1, '~', n);
	echo[pos.col - 1] = '^';
	append(diag, echo, pos.col - 1 + n);
	append(diag, "\n", 1);
}

static void message(const struct source *src, struct pos pos, bool is_error, const char *suggestion, const char *fmt, va_list args)
{
	struct smcpol_diag *diag = src->diag;
	char text[512], head[1024];
	size_t len;
	int n;

	if (diag->errors + diag->warnings > MAX_MESSAGES)
		return;
	if (diag->errors + diag->warnings == MAX_MESSAGES) {
		n = snprintf(head, sizeof(head), "%s: more than %d messages, the rest is not shown\n", src->name,
			     MAX_MESSAGES);
		append(diag, head, n < (int)sizeof(head) ? n : (int)sizeof(head) - 1);
		return;
	}

	vsnprintf(text, sizeof(text), fmt, args);
	len = strlen(text);
	if (suggestion)
		snprintf(text + len, sizeof(text) - len, ": did you mean '%s'?", suggestion);
	for (n = 0; text[n]; n++) {
		if ((unsigned char)text[n] < 0x20 || text[n] == 0x7f)
			text[n] = '?';
	}
	diag->messages[diag->nr_messages++] = (struct smcpol_message){
		.is_error = is_error,
		.line = pos.line,
		.column = pos.col,
		.text = strdup(text),
		.suggestion = suggestion ? strdup(suggestion) : NULL,
	};
	n = snprintf(head, sizeof(head), "%s:%u:%u: %s: %s\n", src->name, pos.line, pos.col, is_error ? "error" : "warning", text);
	append(diag, head, n < (int)sizeof(head) ? n : (int)sizeof(head) - 1);
	append_line(diag, src, pos);
}

void diag_error(const struct source *src, struct pos pos, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(src, pos, true, NULL, fmt, args);
	va_end(args);
	src->diag->errors++;
}

void diag_suggestion(const struct source *src, struct pos pos, const char *suggestion, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(src, pos, true, suggestion, fmt, args);
	va_end(args);
	src->diag->errors++;
}

void diag_warning(const struct source *src, struct pos pos, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(src, pos, false, NULL, fmt, args);
	va_end(args);
	src->diag->warnings++;
}

/* How many letters to insert, delete, replace or swap with the next; words longer than any we know are not near. */
static unsigned int distance(const char *a, const char *b)
{
	enum { MAX = 31 };
	unsigned int d[MAX + 1][MAX + 1], la = strlen(a), lb = strlen(b), i, j;

	if (la > MAX || lb > MAX)
		return MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			unsigned int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

const char *diag_nearest(const char *word, const char *const *known)
{
	const char *best = NULL;
	unsigned int least = 3;

	for (; *known; known++) {
		unsigned int d = distance(word, *known);

		/* Half of the letters wrong is another word, not a slip. */
		if (d < least && 2 * d <= strlen(*known)) {
			least = d;
			best = *known;
		}
	}
	return best;
}
