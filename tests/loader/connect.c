// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Calls connect(2) on a TCP socket again and again, for the programs that decide about it: where there is no route, the call fails at
 * once and the socket is as before. Told what to do line by line:
 *
 *	N FILE	N calls, cycling through the addresses in FILE (a line each: ADDRESS PORT); prints how many there were
 *	0 FILE	until the next line comes
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_AFTER 256 /* calls, at the input */

static struct sockaddr_in *read_targets(const char *name, size_t *nr)
{
	struct sockaddr_in *targets = NULL;
	char address[INET_ADDRSTRLEN];
	FILE *f = fopen(name, "re");
	unsigned int port;
	size_t room = 0;

	*nr = 0;
	while (f && fscanf(f, "%15s %u", address, &port) == 2) {
		if (*nr == room) {
			room = room ? 2 * room : 64;
			targets = realloc(targets, room * sizeof(*targets));
			if (!targets)
				exit(1);
		}
		memset(&targets[*nr], 0, sizeof(*targets));
		targets[*nr].sin_family = AF_INET;
		targets[*nr].sin_port = htons(port);
		if (inet_pton(AF_INET, address, &targets[(*nr)++].sin_addr) != 1)
			exit(1);
	}
	if (f)
		fclose(f);
	return targets;
}

static int line_is_there(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static unsigned long run(int fd, unsigned long count, const struct sockaddr_in *targets, size_t nr)
{
	unsigned long i;
	size_t t = 0;

	for (i = 0; !count || i < count; i++) {
		if (!count && i % LOOK_AFTER == 0 && line_is_there())
			break;
		if (!connect(fd, (const struct sockaddr *)&targets[t], sizeof(targets[t])) || errno != ENETUNREACH) {
			perror("connect: there is a route");
			exit(1);
		}
		t = t + 1 == nr ? 0 : t + 1;
	}
	return i;
}

int main(void)
{
	struct sockaddr_in *targets;
	char line[4096], name[4096];
	unsigned long count;
	size_t nr;
	int fd;

	/* Not buffered: poll() must see the line that stdio would have taken already. */
	setvbuf(stdin, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%lu %4095s", &count, name) != 2)
			continue;
		targets = read_targets(name, &nr);
		/* A socket belongs to the cgroup that its maker is in: each line finds where we are by then. */
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!nr || fd < 0) {
			fprintf(stderr, "%s: no addresses, or no socket\n", name);
			return 1;
		}
		printf("%lu\n", run(fd, count, targets, nr));
		fflush(stdout);
		close(fd);
		free(targets);
	}
	return 0;
}
