/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * Globs of cgroup paths: components between slashes as in fnmatch(3), where * stays within one; the component ** stands for any number of
 * them, none included. No I/O: unit tests and the daemon share it.
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
