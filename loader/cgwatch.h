/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/* Cgroups as they come and go. */
#ifndef LOADER_CGWATCH_H
#define LOADER_CGWATCH_H

#include <stdbool.h>

struct cgwatch;

/* A cgroup that a glob matches, by its path below the mount; possibly not for the first time. */
typedef void cgwatch_found(void *arg, const char *path);

struct cgwatch *cgwatch_new(const char *root, const char *const *globs, cgwatch_found *found, void *arg);
void cgwatch_free(struct cgwatch *w);
int cgwatch_fd(const struct cgwatch *w);
void cgwatch_scan(struct cgwatch *w, bool everything);

#define CGWATCH_CAME 1
#define CGWATCH_WENT 2

unsigned int cgwatch_read(struct cgwatch *w);

#endif
