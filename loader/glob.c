// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Where to look for what a pattern of cgroups holds. */
#include <limits.h>
#include <string.h>

#include "glob.h"
#include "policy/smcpol.h"

/* An absolute path without empty names, and ** as a whole name at the end only. */
bool glob_is_valid(const char *glob)
{
	const char *name;
	size_t len;

	if (*glob != '/' || strlen(glob) >= PATH_MAX)
		return false;
	for (name = glob + 1; *name; name += len + (name[len] == '/')) {
		len = strcspn(name, "/");
		if (!len || (name[len] == '/' && (!name[len + 1] || !strncmp(name, "**/", 3))))
			return false;
	}
	return true;
}

/* The glob's first names, as many as the path has. Return: false if it has no more than those. */
static bool cut(const char *glob, const char *path, char *out)
{
	const char *end = glob, *p;

	for (p = path; *p && p[1]; p++) {
		if (*p != '/')
			continue;
		if (!*end)
			return false;
		end += 1 + strcspn(end + 1, "/");
	}
	memcpy(out, glob, end - glob);
	out[end - glob] = '\0';
	return *end;
}

/* Both are absolute. */
enum glob_result glob_match(const char *glob, const char *path)
{
	char head[PATH_MAX];

	if (glob_holds(glob, path))
		return GLOB_YES;
	if (!cut(glob, path, head))
		return GLOB_NO;
	return !strcmp(path, "/") || glob_holds(head, path) ? GLOB_BELOW : GLOB_NO;
}
