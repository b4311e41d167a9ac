// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* cgroup v2 directories: path to file descriptor and id, and back. The id is the directory's inode number. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader.h"

#define FILEID_KERNFS 0xfe /* the handle of a kernfs inode is its 64-bit id */

#define ROOT_ID 1	  /* the root of the whole hierarchy */

void cgroup_path_clean(char *path)
{
	char *from, *to = path;

	for (from = path; *from; from++) {
		if (*from != '/' || (from[1] != '/' && (from[1] || to == path)))
			*to++ = *from;
	}
	*to = '\0';
}

void cgroup_mount_find(const struct settings *set, struct cgroup_mount *mount)
{
	char line[4096], root[1024], type[64], *dash;
	struct stat st;
	FILE *f;

	memset(mount, 0, sizeof(*mount));
	f = fopen("/proc/self/mountinfo", "re");
	while (f && fgets(line, sizeof(line), f)) {
		dash = strstr(line, " - ");
		if (!dash || sscanf(line, "%*s %*s %*s %*s %1023s", root) != 1 || sscanf(dash, " - %63s", type) != 1)
			continue;
		if (!strcmp(type, "cgroup"))
			mount->is_hybrid = true;
		if (strcmp(type, "cgroup2") || set->cgroup_root || (mount->path && !mount->is_partial) || stat(root, &st))
			continue;
		free(mount->path);
		mount->path = strdup(root);
		mount->is_partial = st.st_ino != ROOT_ID;
	}
	if (f)
		fclose(f);
	if (set->cgroup_root) {
		mount->path = strdup(set->cgroup_root);
		cgroup_path_clean(mount->path);
		mount->is_partial = stat(mount->path, &st) || st.st_ino != ROOT_ID;
	}
}

void cgroup_mount_free(struct cgroup_mount *mount)
{
	free(mount->path);
	memset(mount, 0, sizeof(*mount));
}

/* The mount's path, to be freed; NULL if nowhere. */
static char *find_root(const struct settings *set)
{
	struct cgroup_mount mount;

	cgroup_mount_find(set, &mount);
	return mount.path;
}

int cgroup_of_process(const char *pid, char **below)
{
	char path[64], line[4096], *end;
	int err = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/cgroup", pid);
	f = fopen(path, "re");
	if (!f) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	*below = NULL;
	while (!*below && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::/", 4))
			continue;
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		*below = strdup(line + 3);
	}
	fclose(f);
	if (!*below) {
		log_error("process %s is in no cgroup v2: is cgroup2 mounted, and does its runtime use it (systemd.unified_cgroup_hierarchy=1)?",
			  pid);
	} else if (!strncmp(*below, "/../", 4) || !strcmp(*below, "/..") || strstr(*below, "/../")) {
		log_error("process %s is in cgroup %s, outside of this cgroup namespace: run on the host, or with the host's cgroup namespace",
			  pid, *below);
		free(*below);
		*below = NULL;
	} else {
		err = 0;
	}
	return err;
}

int cgroup_ancestors(const char *root, const char *path, uint64_t ids[MAX_CGROUP_DEPTH])
{
	char *full = path_join(root, path), *slash;
	size_t root_len = strlen(root);
	struct stat st;
	int nr = 0;

	while (nr < MAX_CGROUP_DEPTH) {
		if (stat(full, &st)) {
			nr = -errno;
			break;
		}
		ids[nr++] = st.st_ino;
		slash = strrchr(full, '/');
		if (!slash || (size_t)(slash - full) <= root_len)
			break;
		*slash = '\0';
	}
	free(full);
	return nr;
}

int cgroup_open(const struct settings *set, const char *path, char **resolved, uint64_t *id)
{
	char *root = NULL, *below = NULL;
	struct cgroup_mount mount;
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
		if (!root)
			root = find_root(set);
		log_error("'%s' is not a cgroup v2 directory, and programs attach to those only: cgroup v2 is mounted %s%s", path,
			  root ? "at " : "nowhere (mount -t cgroup2 none DIR)", root ? root : "");
		close(fd);
		fd = -1;
		goto out;
	}
	fstat(fd, &st);
	*id = st.st_ino;
	*resolved = realpath(path, NULL);
	if (set->cgroup_root)
		goto out;
	cgroup_mount_find(set, &mount);
	if (mount.is_partial)
		log_warning("%s shows only a part of the cgroup hierarchy: this is a container's view, and a cgroup attached here may not be the one you mean; run on the host, or with the host's cgroup namespace",
			    mount.path);
	cgroup_mount_free(&mount);
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

bool cgroup_becomes_empty(const char *path, int ms)
{
	char *events = path_join(path, "cgroup.events"), text[256];
	struct pollfd p = { .fd = open(events, O_RDONLY | O_CLOEXEC), .events = POLLPRI };
	bool is_empty;
	ssize_t n;

	free(events);
	if (p.fd < 0)
		return true;
	do {
		n = pread(p.fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		is_empty = !strstr(text, "populated 1");
	} while (!is_empty && poll(&p, 1, ms) > 0);
	close(p.fd);
	return is_empty;
}
