// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* gc: what nobody came back for. Links of cgroups that were removed, containers' records, what a killed `run` left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "loader.h"

/* A `run` whose process lives holds the lock. */
static bool is_locked(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return locked;
}

/* Is any cgroup of these pins still in use? What is not, is removed with it. */
static bool run_cgroup_in_use(const struct settings *set, const struct pins *pins, bool dry_run)
{
	struct link_state *links;
	bool in_use = false;
	int i, nr;

	nr = links_list(pins, &links);
	for (i = 0; i < nr && !in_use; i++) {
		char *path = links[i].id ? cgroup_path(set, links[i].id) : NULL;

		if (path && strstr(path, "/" RUN_CGROUP)) {
			in_use = !cgroup_becomes_empty(path, 0);
			if (!in_use && !dry_run)
				rmdir(path);
		}
		free(path);
	}
	if (nr >= 0)
		free(links);
	return in_use;
}

int gc_run_directory(const struct settings *set, const char *name, bool dry_run)
{
	char *top = pins_top(set), *dir = path_join(top, name);
	struct pins pins;
	int nr = 0;

	if (access(dir, F_OK) || is_locked(dir))
		goto out;
	if (pins_open_named(&pins, set, name, false) != 1)
		goto out;
	if (!run_cgroup_in_use(set, &pins, dry_run)) {
		nr = links_detach(&pins, WHICH_ALL, 0, dry_run);
		if (!dry_run && control_clear(&pins) < 0)
			nr = -1;
	}
	pins_close(&pins);
out:
	free(dir);
	free(top);
	return nr;
}

static int gc_runs(const struct settings *set, bool dry_run, int *nr_links)
{
	char *top = pins_top(set);
	DIR *dir = opendir(top);
	struct dirent *e;
	int nr, err = 0;

	while (dir && (e = readdir(dir))) {
		if (!strstr(e->d_name, RUN_INFIX))
			continue;
		nr = gc_run_directory(set, e->d_name, dry_run);
		if (nr < 0)
			err = -1;
		else
			*nr_links += nr;
	}
	if (dir)
		closedir(dir);
	free(top);
	return err;
}

/* Cgroups of runs that were killed before they had attached. Return: how many. */
static int gc_run_cgroups(const struct settings *set, bool dry_run)
{
	struct cgroup_mount mount;
	FTSENT *e;
	FTS *tree;
	int nr = 0;

	cgroup_mount_find(set, &mount);
	if (mount.path) {
		char *roots[] = { mount.path, NULL };

		tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
		while (tree && (e = fts_read(tree))) {
			size_t len = strlen(RUN_CGROUP);

			if (e->fts_info != FTS_DP || strncmp(e->fts_name, RUN_CGROUP, len) || !cgroup_becomes_empty(e->fts_path, 0))
				continue;
			/* Its process may be about to enter it. */
			if (!kill(atoi(e->fts_name + len), 0) || errno != ESRCH)
				continue;
			nr += dry_run || !rmdir(e->fts_path);
		}
		if (tree)
			fts_close(tree);
	}
	cgroup_mount_free(&mount);
	return nr;
}

int gc_pins(const struct pins *pins, bool dry_run, int *nr_containers)
{
	int nr = links_detach(pins, WHICH_DEAD, 0, dry_run), lock;
	struct maps maps;

	/* Events that a killed monitor asked for. */
	lock = dry_run ? -1 : monitor_lock(pins);
	if (lock >= 0) {
		if (!maps_open(&maps, pins)) {
			__atomic_store_n(&maps.word->events, 0, __ATOMIC_RELEASE);
			maps_close(&maps);
		}
		close(lock);
	}

	*nr_containers = containers_gc(pins, dry_run);
	return nr;
}

int cmd_gc(const struct settings *set, char **operands)
{
	int links = 0, containers = 0, cgroups, ret, code = EX_DONE;
	struct pins pins;

	(void)operands;
	ret = pins_open(&pins, set, false);
	if (ret < 0)
		return EX_FAILED;
	if (ret) {
		links = gc_pins(&pins, set->dry_run, &containers);
		pins_close(&pins);
		if (links < 0) {
			log_error("a link could not be removed: %s", strerror(-links));
			links = 0;
			code = EX_FAILED;
		}
	}
	if (gc_runs(set, set->dry_run, &links))
		code = EX_FAILED;
	cgroups = gc_run_cgroups(set, set->dry_run);
	log_info("%s %d links, %d containers' records, %d cgroups", set->dry_run ? "would remove" : "removed", links, containers,
		 cgroups);
	if (set->json)
		out_json(json_pack("{s:i, s:i, s:i, s:b}", "links", links, "containers", containers, "cgroups", cgroups,
				   "dry_run", set->dry_run));
	return code;
}
