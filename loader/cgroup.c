// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* cgroup v2 directories: path to file descriptor and id, and back. The id is the directory's inode number. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader.h"

#define FILEID_KERNFS 0xfe /* the handle of a kernfs inode is its 64-bit id */

/* Where cgroup2 is mounted; a hybrid system has it apart from the v1 ones. To be freed; NULL if nowhere. */
static char *find_root(const struct settings *set)
{
	char line[4096], root[1024], type[64], *dash;
	char *found = NULL;
	FILE *f;

	if (set->cgroup_root)
		return strdup(set->cgroup_root);
	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return NULL;
	while (!found && fgets(line, sizeof(line), f)) {
		dash = strstr(line, " - ");
		if (dash && sscanf(line, "%*s %*s %*s %*s %1023s", root) == 1 && sscanf(dash, " - %63s", type) == 1 &&
		    !strcmp(type, "cgroup2"))
			found = strdup(root);
	}
	fclose(f);
	return found;
}

/*
 * Open a cgroup named by its path, or by its path below the cgroup2 mount as in /proc/PID/cgroup. resolved is to be freed.
 *
 * Return: the descriptor, or -1 with the reason printed.
 */
int cgroup_open(const struct settings *set, const char *path, char **resolved, uint64_t *id)
{
	char *root = NULL, *below = NULL;
	struct statfs fs;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		root = find_root(set);
		below = root ? path_join(root, path) : NULL;
		fd = below ? open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		if (fd < 0) {
			log_error("cgroup '%s' does not exist%s%s: create it (mkdir), or see systemd-cgls for those there are",
				  path, root ? ", nor is it below " : "", root ? root : "");
			goto out;
		}
		path = below;
	}
	if (fd < 0) {
		log_error("cgroup '%s': %s", path, strerror(errno));
		goto out;
	}
	if (fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC) {
		log_error("'%s' is not a cgroup v2 directory: programs attach to those only", path);
		close(fd);
		fd = -1;
		goto out;
	}
	fstat(fd, &st);
	*id = st.st_ino;
	*resolved = realpath(path, NULL);
out:
	free(below);
	free(root);
	return fd;
}

/* By the id as a file handle: at once, but needs CAP_DAC_READ_SEARCH and a kernel with CONFIG_FHANDLE. */
static char *path_by_handle(const char *root, uint64_t id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { { .handle_bytes = sizeof(uint64_t), .handle_type = FILEID_KERNFS }, id };
	char link[64], path[4096];
	int mount, fd;
	ssize_t n;

	mount = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0)
		return NULL;
	fd = open_by_handle_at(mount, &handle.head, O_RDONLY | O_CLOEXEC);
	close(mount);
	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	close(fd);
	return n < 0 ? NULL : strndup(path, n);
}

/* By looking at every cgroup. */
static char *path_by_search(char *root, uint64_t id)
{
	char *roots[] = { root, NULL }, *path = NULL;
	FTSENT *entry;
	FTS *tree;

	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	while (tree && !path && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D && entry->fts_statp->st_ino == id)
			path = strdup(entry->fts_path);
	}
	if (tree)
		fts_close(tree);
	return path;
}

/* The path of a cgroup id, to be freed; NULL if it is gone or we may not look. */
char *cgroup_path(const struct settings *set, uint64_t id)
{
	char *root = find_root(set), *path;

	if (!root)
		return NULL;
	path = path_by_handle(root, id);
	if (!path)
		path = path_by_search(root, id);
	free(root);
	return path;
}

/* The hierarchy's root has no cgroup.type. */
bool cgroup_is_root(int fd)
{
	return faccessat(fd, "cgroup.type", F_OK, 0) && errno == ENOENT;
}
