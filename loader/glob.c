// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Globs of cgroup paths, component by component. */
#include <fnmatch.h>
#include <string.h>

#include "glob.h"

#define MAX_STARS 2	/* the work grows with the path's depth to the power of these */
#define MAX_COMPONENT 255 /* the kernel's NAME_MAX */

static const char *skip_slashes(const char *s)
{
	return s + strspn(s, "/");
}

/* Copies the first component; s must begin with one. Return: what follows, or NULL if it is too long to be a cgroup's name. */
static const char *component(const char *s, char out[MAX_COMPONENT + 1])
{
	size_t len = strcspn(s, "/");

	if (len > MAX_COMPONENT)
		return NULL;
	memcpy(out, s, len);
	out[len] = '\0';
	return skip_slashes(s + len);
}

/* Absolute, with at most two components **. */
bool glob_is_valid(const char *glob)
{
	char part[MAX_COMPONENT + 1];
	int stars = 0;

	if (*glob != '/')
		return false;
	for (glob = skip_slashes(glob); glob && *glob;) {
		glob = component(glob, part);
		stars += glob && !strcmp(part, "**");
	}
	return glob && stars <= MAX_STARS;
}

static enum glob_result match(const char *glob, const char *path)
{
	char want[MAX_COMPONENT + 1], have[MAX_COMPONENT + 1];
	enum glob_result without, with;
	const char *rest, *below;

	while (*glob) {
		rest = component(glob, want);
		if (!rest)
			return GLOB_NO;
		if (!strcmp(want, "**")) {
			without = match(rest, path);
			if (without == GLOB_YES || !*path)
				return without;
			below = component(path, have);
			with = below ? match(glob, below) : GLOB_NO;
			return with > without ? with : without;
		}
		if (!*path)
			return GLOB_BELOW;
		below = component(path, have);
		if (!below || fnmatch(want, have, 0))
			return GLOB_NO;
		glob = rest;
		path = below;
	}
	return *path ? GLOB_NO : GLOB_YES;
}

enum glob_result glob_match(const char *glob, const char *path)
{
	return match(skip_slashes(glob), skip_slashes(path));
}
