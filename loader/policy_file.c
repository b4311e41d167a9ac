// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* A policy file to a policy, with the messages printed. The library below neither opens files nor prints. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

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

/* Reads path, or stdin for "-". NULL: the reason was printed, and *code is the exit code for it. */
struct smcpol *policy_read_file(const char *path, int *code)
{
	bool is_stdin = !strcmp(path, "-");
	struct smcpol_diag *diag;
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

	diag = smcpol_diag_new();
	policy = diag ? smcpol_load(is_stdin ? "<stdin>" : path, text, len, diag) : NULL;
	if (diag) {
		fputs(smcpol_diag_text(diag), stderr);
		if (!policy)
			*code = EX_BAD_POLICY;
	}
	smcpol_diag_free(diag);
	free(text);
	return policy;
}
