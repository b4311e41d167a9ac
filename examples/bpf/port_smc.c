// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Loads port_smc.bpf.c and attaches it to a cgroup, until Enter is pressed (or standard input ends).
 *
 *	port_smc CGROUP PORT
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port_smc.skel.h"

int main(int argc, char **argv)
{
	struct port_smc *skel;
	int cgroup;

	if (argc != 3) {
		fprintf(stderr, "usage: port_smc CGROUP PORT\n");
		return 2;
	}
	cgroup = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0) {
		fprintf(stderr, "port_smc: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}

	skel = port_smc__open();
	if (!skel)
		return 1;
	skel->rodata->port = atoi(argv[2]);
	if (port_smc__load(skel)) {
		fprintf(stderr, "port_smc: the program was not loaded: %s\n", strerror(errno));
		return 1;
	}
	skel->links.port_connect4 = bpf_program__attach_cgroup(skel->progs.port_connect4, cgroup);
	skel->links.port_connect6 = bpf_program__attach_cgroup(skel->progs.port_connect6, cgroup);
	if (!skel->links.port_connect4 || !skel->links.port_connect6) {
		fprintf(stderr, "port_smc: not attached: %s\n", strerror(errno));
		port_smc__destroy(skel);
		return 1;
	}

	puts("attached");
	fflush(stdout);
	getchar();
	printf("asked %llu, enabled %llu\n", (unsigned long long)skel->bss->asked, (unsigned long long)skel->bss->enabled);
	port_smc__destroy(skel);
	return 0;
}
