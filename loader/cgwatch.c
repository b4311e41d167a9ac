// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Cgroups as they come and go: inotify on every directory below which a glob may match something, or on all. A directory is watched before
 * it is read, so one that is made meanwhile is seen twice rather than not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cgwatch.h"
#include "glob.h"
#include "loader.h"

struct node {
	int wd;
	char *path; /* below the mount */
};

struct cgwatch {
	int fd;
	char *root;
	const char *const *globs;
	cgwatch_found *found;
	void *arg;
	struct node *nodes; /* by wd, ascending */
	size_t nr_nodes;
	bool everything;
	bool is_short; /* of watches, and said so */
};

struct cgwatch *cgwatch_new(const char *root, const char *const *globs, cgwatch_found *found, void *arg)
{
	struct cgwatch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->root = strdup(root);
	w->globs = globs;
	w->found = found;
	w->arg = arg;
	if (w->fd >= 0 && w->root)
		return w;
	log_error("inotify: %s (fs.inotify.max_user_instances may be too low)", strerror(errno));
	cgwatch_free(w);
	return NULL;
}

void cgwatch_free(struct cgwatch *w)
{
	size_t i;

	if (!w)
		return;
	for (i = 0; i < w->nr_nodes; i++)
		free(w->nodes[i].path);
	free(w->nodes);
	free(w->root);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

int cgwatch_fd(const struct cgwatch *w)
{
	return w->fd;
}

/* Where wd is, or belongs. */
static size_t place(const struct cgwatch *w, int wd)
{
	size_t lo = 0, hi = w->nr_nodes;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (w->nodes[mid].wd < wd)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct node *node_of(struct cgwatch *w, int wd)
{
	size_t i = place(w, wd);

	return i < w->nr_nodes && w->nodes[i].wd == wd ? &w->nodes[i] : NULL;
}

static void forget(struct cgwatch *w, int wd)
{
	struct node *n = node_of(w, wd);

	if (!n)
		return;
	free(n->path);
	memmove(n, n + 1, (w->nodes + w->nr_nodes - n - 1) * sizeof(*n));
	w->nr_nodes--;
}

static void watch(struct cgwatch *w, const char *path)
{
	char *full = path_join(w->root, path);
	struct node *grown;
	size_t i;
	int wd;

	wd = inotify_add_watch(w->fd, full, IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW);
	free(full);
	if (wd < 0) {
		if (errno == ENOSPC && !w->is_short) {
			log_error("no more inotify watches: cgroups that appear in %s are not seen. Raise fs.inotify.max_user_watches", path);
			w->is_short = true;
		}
		return;
	}
	if (node_of(w, wd))
		return;
	grown = reallocarray(w->nodes, w->nr_nodes + 1, sizeof(*grown));
	if (!grown)
		return;
	w->nodes = grown;
	i = place(w, wd);
	memmove(grown + i + 1, grown + i, (w->nr_nodes - i) * sizeof(*grown));
	grown[i] = (struct node){ wd, strdup(path) };
	w->nr_nodes++;
}

static enum glob_result best_match(const struct cgwatch *w, const char *path)
{
	enum glob_result best = GLOB_NO, r;
	int i;

	for (i = 0; w->globs[i]; i++) {
		r = glob_match(w->globs[i], path);
		best = r > best ? r : best;
	}
	return best;
}

/* The topmost that matches covers what is below it. */
static bool is_covered(const struct cgwatch *w, const char *path)
{
	char *above = strdup(path), *slash;
	bool covered = false;

	while (above && !covered && *above && (slash = strrchr(above, '/'))) {
		*slash = '\0';
		covered = best_match(w, *above ? above : "/") == GLOB_YES;
	}
	free(above);
	return covered;
}

static void scan(struct cgwatch *w, const char *path, bool covered, int depth)
{
	enum glob_result best = covered ? GLOB_NO : best_match(w, path);
	struct dirent *e;
	char *full;
	DIR *dir;

	if (best == GLOB_YES)
		w->found(w->arg, path);
	if ((best != GLOB_BELOW && !w->everything) || depth >= MAX_CGROUP_DEPTH)
		return;

	watch(w, path);
	full = path_join(w->root, path);
	dir = opendir(full);
	free(full);
	while (dir && (e = readdir(dir))) {
		char *child;

		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		child = path_join(strcmp(path, "/") ? path : "", e->d_name);
		scan(w, child, covered || best == GLOB_YES, depth + 1);
		free(child);
	}
	if (dir)
		closedir(dir);
}

/* everything: watch all cgroups, whatever the globs are. */
void cgwatch_scan(struct cgwatch *w, bool everything)
{
	w->everything = everything;
	scan(w, "/", false, 0);
}

/* Read what happened. Return: CGWATCH_*. */
unsigned int cgwatch_read(struct cgwatch *w)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *e;
	unsigned int what = 0;
	ssize_t n, at;

	while ((n = read(w->fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < n; at += sizeof(*e) + e->len) {
			struct node *node;
			char *path;

			e = (const struct inotify_event *)(buffer + at);
			if (e->mask & IN_Q_OVERFLOW) {
				scan(w, "/", false, 0);
				what = CGWATCH_CAME | CGWATCH_WENT;
				continue;
			}
			if (e->mask & IN_IGNORED)
				forget(w, e->wd);
			if (!(e->mask & IN_ISDIR))
				continue;
			what |= e->mask & IN_DELETE ? CGWATCH_WENT : 0;
			node = node_of(w, e->wd);
			if (!node || !(e->mask & IN_CREATE))
				continue;
			what |= CGWATCH_CAME;
			path = path_join(strcmp(node->path, "/") ? node->path : "", e->name);
			scan(w, path, is_covered(w, path), 1);
			free(path);
		}
	}
	return what;
}
