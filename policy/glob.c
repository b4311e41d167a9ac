// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Patterns of cgroups. A pattern is a path whose names may hold '*' (any characters) and '?' (one), and that may end with the name "**":
 * what is there, and everything below. Neither crosses a '/'. A backslash is itself: systemd's names are full of them.
 * A '/' at the end of a path says nothing.
 */
#include <string.h>

#include "ast.h"

/* The length of the name that text begins with. */
static size_t name_len(const char *text)
{
	return strcspn(text, "/");
}

/* Without recursion: after a mismatch only the last '*' is worth taking one character more. */
static bool name_holds(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	size_t p = 0, n = 0, star = 0, resume = 0;
	bool has_star = false;

	while (n < len) {
		if (p < pattern_len && pattern[p] == '*') {
			has_star = true;
			star = ++p;
			resume = n;
		} else if (p < pattern_len && (pattern[p] == '?' || pattern[p] == name[n])) {
			p++;
			n++;
		} else if (has_star) {
			p = star;
			n = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern_len && pattern[p] == '*')
		p++;
	return p == pattern_len;
}

static bool is_subtree(const char *rest)
{
	return !strcmp(rest, "**");
}

/* Skip names at the front of both as long as they agree. Each then has what is left of it, "" for nothing. */
static void skip_common(const char **pattern, const char **path)
{
	const char *p = *pattern + 1, *s = *path + 1;

	while (*p && *s && !is_subtree(p)) {
		size_t np = name_len(p), ns = name_len(s);

		if (!name_holds(p, np, s, ns))
			break;
		p += np + (p[np] == '/');
		s += ns + (s[ns] == '/');
	}
	*pattern = p;
	*path = s;
}

bool glob_holds(const char *pattern, const char *path)
{
	skip_common(&pattern, &path);
	return is_subtree(pattern) || (!*pattern && !*path);
}

bool glob_holds_below(const char *pattern, const char *path)
{
	skip_common(&pattern, &path);
	return is_subtree(pattern) || (!*path && !strcmp(pattern, "*/**"));
}

static bool has_wildcard(const char *name, size_t len)
{
	return memchr(name, '*', len) || memchr(name, '?', len);
}

bool glob_covers(const char *outer, const char *inner)
{
	const char *p = outer + 1, *s = inner + 1;

	while (*p && *s && !is_subtree(p) && !is_subtree(s)) {
		size_t np = name_len(p), ns = name_len(s);

		if (!(np == ns && !memcmp(p, s, np)) && !(np == 1 && *p == '*') &&
		    !(!has_wildcard(s, ns) && name_holds(p, np, s, ns)))
			return false;
		p += np + (p[np] == '/');
		s += ns + (s[ns] == '/');
	}
	return is_subtree(p) || (!*p && !*s);
}
