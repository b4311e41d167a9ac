// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * A policy file to a policy, with the messages printed and names looked up on this machine. The library below neither opens files nor
 * prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader.h"

#define NETNS_DIR "/run/netns" /* where ip netns keeps them */

/* Other files have numbers as well, and other namespaces. Of a file that is no namespace nothing is opened: it may be a device. */
static int open_netns(const char *path)
{
	struct statfs fs;
	int fd;

	if (statfs(path, &fs))
		return -1;
	errno = EINVAL;
	if (fs.f_type != NSFS_MAGIC)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* A network namespace by its file, or by the name ip netns gave it: the number of its inode. */
static bool find_netns(const char *name, __u32 *number)
{
	char *path = *name == '/' ? strdup(name) : path_join(NETNS_DIR, name);
	struct stat st;
	bool found;
	int fd;

	if (!path)
		return false;
	fd = open_netns(path);
	if (fd < 0 && errno == EACCES)
		log_error("%s: %s. Whose process it is may not be looked at from here (the daemon has few capabilities): take the number that lsns -t net shows",
			  path, strerror(errno));
	found = fd >= 0 && !fstat(fd, &st) && st.st_ino <= UINT32_MAX;
	if (found)
		*number = st.st_ino;
	if (fd >= 0)
		close(fd);
	free(path);
	return found;
}

bool policy_resolve(void *arg, enum smcpol_name kind, const char *name, __u32 *number)
{
	struct passwd *user;
	struct group *group;

	(void)arg;
	switch (kind) {
	case SMCPOL_UID:
		user = getpwnam(name);
		if (user)
			*number = user->pw_uid;
		return user;
	case SMCPOL_GID:
		group = getgrnam(name);
		if (group)
			*number = group->gr_gid;
		return group;
	default:
		return find_netns(name, number);
	}
}

static const struct smcpol_resolver resolver = { policy_resolve, NULL };

/* At most one byte more than is allowed, so that "too large" is said by the one who knows the limit. */
static char *read_all(int fd, size_t *len)
{
	size_t room = SMCPOL_MAX_TEXT + 1;
	char *text = malloc(room);
	ssize_t n = 1;

	for (*len = 0; text && *len < room && n; *len += n) {
		n = read(fd, text + *len, room - *len);
		if (n < 0) {
			free(text);
			return NULL;
		}
	}
	return text;
}

/* Messages to stderr, and the exit code. */
static struct smcpol *tell(struct smcpol *policy, const struct smcpol_diag *diag, int *code)
{
	fputs(smcpol_diag_text(diag), stderr);
	*code = policy ? EX_DONE : EX_BAD_POLICY;
	return policy;
}

static struct smcpol_diag *new_diag(int *code)
{
	struct smcpol_diag *diag = smcpol_diag_new();

	*code = EX_FAILED;
	if (!diag)
		log_error("out of memory");
	return diag;
}

struct smcpol *policy_read_diag(const char *path, struct smcpol_diag *diag, int *code)
{
	bool is_stdin = !strcmp(path, "-");
	struct smcpol *policy;
	char *text;
	size_t len;
	int fd;

	*code = EX_FAILED;
	fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	text = fd < 0 ? NULL : read_all(fd, &len);
	if (!text)
		log_error("policy '%s': %s", path, strerror(errno));
	if (fd >= 0 && !is_stdin)
		close(fd);
	if (!text)
		return NULL;

	policy = smcpol_load_named(is_stdin ? STDIN_NAME : path, text, len, &resolver, diag);
	free(text);
	return tell(policy, diag, code);
}

struct smcpol *policy_read_file(const char *path, int *code)
{
	struct smcpol_diag *diag = new_diag(code);
	struct smcpol *policy = diag ? policy_read_diag(path, diag, code) : NULL;

	smcpol_diag_free(diag);
	return policy;
}

struct smcpol *policy_read_text(const char *name, const char *text, int *code)
{
	struct smcpol_diag *diag = new_diag(code);
	struct smcpol *policy = diag ? tell(smcpol_load(name, text, strlen(text), diag), diag, code) : NULL;

	smcpol_diag_free(diag);
	return policy;
}
