// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The directory under bpffs in which links, programs and maps outlive the loader: smc-ulp/vN/{links,programs,maps}, N being the ABI of
 * the maps. A loader holds an exclusive flock on it from its first look to its last write. `run` has such a directory of its own,
 * smc-ulp/vN-run-PID.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader.h"

#define STR(x) #x
#define XSTR(x) STR(x)
#define TOP_DIR "smc-ulp"
#define ABI_NAME "v" XSTR(SMCU_POLICY_ABI)

char *path_join(const char *dir, const char *name)
{
	char *path;

	while (*name == '/')
		name++;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return path;
}

static int check_bpffs(const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs)) {
		log_error("%s: %s%s; it is where BPF objects are kept (mount -t bpf -o mode=0700 bpf DIR, and --bpffs DIR if elsewhere)", dir,
			  strerror(errno), errno == EACCES ? " (are you root?)" : "");
		return -1;
	}
	if (fs.f_type != BPF_FS_MAGIC) {
		log_error("%s is not a BPF file system: mount -t bpf -o mode=0700 bpf %s", dir, dir);
		return -1;
	}
	return 0;
}

static int failed(const char *path)
{
	log_error("%s: %s%s", path, strerror(errno), errno == EACCES || errno == EPERM ? " (are you root?)" : "");
	return -1;
}

static int make_dir(const char *dir)
{
	return mkdir(dir, 0700) && errno != EEXIST ? failed(dir) : 0;
}

/*
 * A bpffs is born with mode 1777. A directory in it that somebody else made, or may write to, is a lock they hold and a policy they take
 * away.
 */
static int check_owner(const char *top)
{
	struct stat st;

	if (lstat(top, &st))
		return errno == ENOENT ? 0 : failed(top);
	if (S_ISDIR(st.st_mode) && (!st.st_uid || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	log_error("%s is not ours alone (user %u, mode %o): remove it, and mount the BPF file system with -o mode=0700", top, st.st_uid,
		  st.st_mode & 07777);
	return -1;
}

char *pins_top(const struct settings *set)
{
	return path_join(set->bpffs, TOP_DIR);
}

int pins_open(struct pins *pins, const struct settings *set, bool create)
{
	return pins_open_named(pins, set, ABI_NAME, create);
}

void pins_run_name(char *name, size_t size, int pid)
{
	snprintf(name, size, ABI_NAME RUN_INFIX "%d", pid);
}

int pins_open_named(struct pins *pins, const struct settings *set, const char *name, bool create)
{
	struct stat held, there;
	char *top;
	int ret = -1;

	memset(pins, 0, sizeof(*pins));
	pins->lock = -1;
	pins->cgroup_root = set->cgroup_root;
	if (check_bpffs(set->bpffs))
		return -1;
	top = path_join(set->bpffs, TOP_DIR);
	pins->dir = path_join(top, name);
	pins->links = path_join(pins->dir, "links");
	pins->programs = path_join(pins->dir, "programs");
	pins->containers = path_join(pins->dir, "containers");
	pins->maps = path_join(pins->dir, "maps");

again:
	if ((create && make_dir(top)) || check_owner(top) || (create && make_dir(pins->dir)))
		goto out;
	pins->lock = open(pins->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pins->lock < 0) {
		ret = errno == ENOENT && !create ? 0 : failed(pins->dir);
		goto out;
	}
	if (flock(pins->lock, LOCK_EX)) {
		log_error("%s cannot be locked: %s", pins->dir, strerror(errno));
		goto out;
	}
	/* While we waited for the lock the one who held it may have removed the directory, and another one made it anew. */
	if (fstat(pins->lock, &held) || stat(pins->dir, &there) || held.st_ino != there.st_ino) {
		close(pins->lock);
		goto again;
	}
	if (!create || (!make_dir(pins->links) && !make_dir(pins->programs) && !make_dir(pins->containers) && !make_dir(pins->maps)))
		ret = 1;
out:
	free(top);
	if (ret != 1)
		pins_close(pins);
	return ret;
}

void pins_close(struct pins *pins)
{
	if (pins->lock >= 0)
		close(pins->lock);
	free(pins->links);
	free(pins->programs);
	free(pins->containers);
	free(pins->maps);
	free(pins->dir);
	memset(pins, 0, sizeof(*pins));
	pins->lock = -1;
}

void pins_remove(const struct pins *pins)
{
	char *top = strdup(pins->dir), *slash;

	rmdir(pins->links);
	rmdir(pins->programs);
	rmdir(pins->containers);
	rmdir(pins->maps);
	rmdir(pins->dir);
	slash = top ? strrchr(top, '/') : NULL;
	if (slash) {
		*slash = '\0';
		rmdir(top);
	}
	free(top);
}

int pins_put(int fd, const char *dir, const char *name)
{
	char *path = path_join(dir, name), *fresh = path_join(dir, PINS_FRESH);
	int err = 0;

	unlink(fresh);
	if (bpf_obj_pin(fd, fresh) || rename(fresh, path)) {
		err = -errno;
		unlink(fresh);
	}
	free(fresh);
	free(path);
	return err;
}

int pins_try_lock(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

int daemon_lock(const struct pins *pins)
{
	return pins_try_lock(pins->links);
}

bool daemon_is_running(const struct pins *pins)
{
	int fd = daemon_lock(pins);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EWOULDBLOCK;
}
