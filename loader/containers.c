// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Which container a hook attached, remembered until its poststop, when there is neither process nor cgroup to ask: an empty directory
 * ID@CGROUP in bpffs, made before anything is attached. bpffs takes no dots, container ids may have them: "%2e".
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

#define MAX_NAME 255 /* of a file, and of any container's id: the longest grows to three times that, and is refused */

/* Return: false if the id is none that we can name a directory by. */
static bool escape(const char *id, char *out, size_t size)
{
	size_t n = 0;

	for (; *id; id++) {
		if (n + 4 > size)
			return false;
		if (*id == '.')
			n += snprintf(out + n, size - n, "%%2e");
		else if (strchr("@/%", *id) || (unsigned char)*id < 0x21 || (unsigned char)*id > 0x7e)
			return false;
		else
			out[n++] = *id;
	}
	out[n] = '\0';
	return n;
}

static char *record_path(const struct pins *pins, const char *name, uint64_t cgroup)
{
	char *file, *path;

	if (asprintf(&file, "%s@%" PRIu64, name, cgroup) < 0)
		abort();
	path = path_join(pins->containers, file);
	free(file);
	return path;
}

/* Return: 0 or -errno. */
int container_put(const struct pins *pins, const char *id, uint64_t cgroup)
{
	char name[MAX_NAME - 24], *path;
	int err;

	if (!escape(id, name, sizeof(name)))
		return -EINVAL;
	path = record_path(pins, name, cgroup);
	err = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
	free(path);
	return err;
}

/* Calls function for each record; it may remove it. */
static void for_each(const struct pins *pins, void (*function)(void *arg, const char *name, uint64_t cgroup), void *arg)
{
	DIR *dir = opendir(pins->containers);
	struct dirent *e;
	uint64_t cgroup;
	char *at;

	while (dir && (e = readdir(dir))) {
		at = strchr(e->d_name, '@');
		if (!at || sscanf(at + 1, "%" SCNu64, &cgroup) != 1)
			continue;
		*at = '\0';
		function(arg, e->d_name, cgroup);
	}
	if (dir)
		closedir(dir);
}

struct removal {
	const struct settings *set;
	const struct pins *pins;
	const char *name; /* NULL: every container whose cgroup is gone */
	bool dry_run;
	int nr;
};

static void remove_one(void *arg, const char *name, uint64_t cgroup)
{
	struct removal *r = arg;
	char *path;

	if (r->name && strcmp(r->name, name))
		return;
	if (!r->name) {
		path = cgroup_path(r->set, cgroup);
		free(path);
		if (path)
			return;
	}
	r->nr++;
	if (r->dry_run)
		return;
	links_detach(r->pins, WHICH_CGROUP, cgroup, false);
	path = record_path(r->pins, name, cgroup);
	rmdir(path);
	free(path);
}

/* Detach what a hook attached for this container. Return: how many cgroups, 0 if none was. */
int container_remove(const struct pins *pins, const char *id)
{
	struct removal r = { .pins = pins };
	char name[MAX_NAME - 24];

	r.name = name;
	if (escape(id, name, sizeof(name)))
		for_each(pins, remove_one, &r);
	return r.nr;
}

/* Those whose cgroup is gone. Return: how many. */
int containers_gc(const struct settings *set, const struct pins *pins, bool dry_run)
{
	struct removal r = { .set = set, .pins = pins, .dry_run = dry_run };
	struct cgroup_mount mount;

	/* Who sees only a part of the hierarchy would think the rest gone. */
	cgroup_mount_find(set, &mount);
	if (mount.path && !mount.is_partial)
		for_each(pins, remove_one, &r);
	cgroup_mount_free(&mount);
	return r.nr;
}

static void drop(void *arg, const char *name, uint64_t cgroup)
{
	char *path = record_path(arg, name, cgroup);

	rmdir(path);
	free(path);
}

/* All records, when nothing is attached any more. */
void containers_forget(const struct pins *pins)
{
	for_each(pins, drop, (void *)pins);
}
