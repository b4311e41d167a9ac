/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * Patterns of cgroups, in the language of a policy's key cgroup (policy/glob.c). No I/O: the unit test and the daemon share it.
 */
#ifndef LOADER_GLOB_H
#define LOADER_GLOB_H

#include <stdbool.h>

enum glob_result {
	GLOB_NO,    /* neither this path nor one below it */
	GLOB_BELOW, /* not this path, but perhaps one below it */
	GLOB_YES,
};

bool glob_is_valid(const char *glob);
enum glob_result glob_match(const char *glob, const char *path);

#endif
