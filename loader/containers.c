// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Which container a hook attached, remembered until its poststop, when there is neither process nor cgroup to ask: an empty directory
 * ID@CGROUP in bpffs, made before anything is attached.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"
#include "oci.h"

static char *record_path(const struct pins *pins, const char *name, uint64_t cgroup)
{
	char *file, *path;

	if (asprintf(&file, "%s@%" PRIu64, name, cgroup) < 0)
		abort();
	path = path_join(pins->containers, file);
	free(file);
	return path;
}

int container_put(const struct pins *pins, const char *id, uint64_t cgroup)
{
	char name[OCI_MAX_NAME], *path;
	int err;

	if (!oci_id_escape(id, name, sizeof(name)))
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
	const struct pins *pins;
	const char *name; /* NULL: every container that has no link left to a cgroup that lives */
	bool dry_run;
	int nr;
};

static void remove_one(void *arg, const char *name, uint64_t cgroup)
{
	struct removal *r = arg;
	char *path;

	if (r->name ? strcmp(r->name, name) : links_cover(r->pins, &cgroup, 1) != 0)
		return;
	r->nr++;
	if (r->dry_run)
		return;
	links_detach(r->pins, WHICH_CGROUP, cgroup, false);
	path = record_path(r->pins, name, cgroup);
	rmdir(path);
	free(path);
}

int container_remove(const struct pins *pins, const char *id)
{
	struct removal r = { .pins = pins };
	char name[OCI_MAX_NAME];

	r.name = name;
	if (oci_id_escape(id, name, sizeof(name)))
		for_each(pins, remove_one, &r);
	return r.nr;
}

int containers_gc(const struct pins *pins, bool dry_run)
{
	struct removal r = { .pins = pins, .dry_run = dry_run };

	for_each(pins, remove_one, &r);
	return r.nr;
}

static void drop(void *arg, const char *name, uint64_t cgroup)
{
	char *path = record_path(arg, name, cgroup);

	rmdir(path);
	free(path);
}

void containers_forget(const struct pins *pins)
{
	for_each(pins, drop, (void *)pins);
}
