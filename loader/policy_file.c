// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * A policy file to a policy, with the messages printed and names looked up on this machine. The library below neither opens files nor
 * prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

#define NETNS_DIR "/run/netns" /* where ip netns keeps them */

/* A network namespace by its file, or by the name ip netns gave it: the number of its inode. */
static bool find_netns(const char *name, __u32 *number)
{
	char *path = *name == '/' ? strdup(name) : path_join(NETNS_DIR, name);
	struct stat st;
	bool found = path && !stat(path, &st) && st.st_ino <= UINT32_MAX;

	if (found)
		*number = st.st_ino;
	free(path);
	return found;
}

/* For smcpol_load_named(), and for what the command line names. */
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

static struct smcpol *read_policy(const char *name, const char *text, size_t len, bool warn, int *code)
{
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy = NULL;

	*code = EX_FAILED;
	if (!diag) {
		log_error("out of memory");
		return NULL;
	}
	policy = smcpol_load_named(name, text, len, &resolver, diag);
	if (!policy || warn)
		fputs(smcpol_diag_text(diag), stderr);
	if (!policy)
		*code = EX_BAD_POLICY;
	smcpol_diag_free(diag);
	return policy;
}

/* Reads path, or stdin for "-". NULL: the reason was printed, and *code is the exit code for it. */
struct smcpol *policy_read_file(const char *path, int *code)
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

	policy = read_policy(is_stdin ? "<stdin>" : path, text, len, true, code);
	free(text);
	return policy;
}

/* A policy that was read before: its warnings were shown then. Else as above. */
struct smcpol *policy_read_text(const char *name, const char *text, int *code)
{
	return read_policy(name, text, strlen(text), false, code);
}
