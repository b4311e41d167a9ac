// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * run: a program in a transient cgroup below ours, with programs, links and a policy of its own (smc-ulp/vN-run-PID), so that the policy
 * in force elsewhere does not change. Where our own cgroup is attached it decides as well. We stay as the program's parent and clean up;
 * where we are killed, gc does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"

/* As a shell has it. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

/* Since 7.0 a cgroup learns only after its parent did that a process has ended. */
#define LEFT_MS 500

static pid_t child; /* for the handler */

static void forward(int signo)
{
	if (child > 0)
		kill(child, signo);
}

/* A terminal sends SIGINT and SIGQUIT to the child as well; what is sent to us alone is passed on. */
static void set_signals(void)
{
	static const int passed[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };
	static const int ignored[] = { SIGINT, SIGQUIT };
	struct sigaction sa = { .sa_handler = forward, .sa_flags = SA_RESTART };
	unsigned int i;

	for (i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		sigaction(passed[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		sigaction(ignored[i], &sa, NULL);
}

/* The kernel runs the programs of each cgroup on the way up, and what one of them enables no other takes back. */
static void warn_if_covered(const struct settings *set, const char *cgroup_root, const char *below)
{
	uint64_t ids[MAX_CGROUP_DEPTH];
	struct pins pins;
	int nr = cgroup_ancestors(cgroup_root, below, ids);

	if (nr <= 0 || pins_open(&pins, set, false) <= 0)
		return;
	if (links_cover(&pins, ids, nr))
		log_warning("this shell's cgroup %s is attached, too: what the policy in force there selects becomes SMC whatever is said here",
			    below);
	pins_close(&pins);
}

/* Make the transient cgroup. Return: its path, to be freed, or NULL with the reason printed. */
static char *make_cgroup(const struct settings *set)
{
	struct cgroup_mount mount;
	char *below = NULL, *own = NULL, *path = NULL;
	char name[64];

	cgroup_mount_find(set, &mount);
	if (!mount.path) {
		log_error("cgroup v2 is mounted nowhere: mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1");
		return NULL;
	}
	if (!cgroup_of_process("self", &below)) {
		snprintf(name, sizeof(name), RUN_CGROUP "%d", getpid());
		own = path_join(mount.path, below);
		path = path_join(own, name);
		if (mkdir(path, 0755)) {
			log_error("a cgroup cannot be made in %s: %s%s", own, strerror(errno),
				  errno == EACCES || errno == EPERM || errno == EROFS ?
				  ". Run as root, or in a cgroup that is delegated to you (systemd-run --user --scope -p Delegate=yes)" :
				  "");
			free(path);
			path = NULL;
		} else {
			warn_if_covered(set, mount.path, below);
		}
	}
	cgroup_mount_free(&mount);
	free(below);
	free(own);
	return path;
}

/* Return: only if that failed. */
static int become(const char *cgroup, char **argv)
{
	char *procs = path_join(cgroup, "cgroup.procs");
	int fd = open(procs, O_WRONLY | O_CLOEXEC), code;

	if (fd < 0 || write(fd, "0", 1) != 1) {
		log_error("%s: %s", procs, strerror(errno));
		return EX_FAILED;
	}
	free(procs);
	execvp(argv[0], argv);
	code = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	log_error("%s: %s", argv[0], strerror(errno));
	return code;
}

static int wait_for_child(void)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			log_error("the program's end was not seen: %s", strerror(errno));
			return EX_FAILED;
		}
	}
	return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int cmd_run(const struct settings *set, char **operands)
{
	struct target target = { -1, 0 };
	struct smcpol *policy = NULL;
	struct features features;
	char *cgroup, *resolved = NULL;
	char name[64];
	struct pins pins;
	int code;

	if (set->policy) {
		policy = policy_read_file(set->policy, &code);
		if (!policy)
			return code;
	}
	features_probe(&features);
	features_warn(&features);

	pins_run_name(name, sizeof(name), getpid());
	code = EX_FAILED;
	gc_run_directory(set, name, false);
	cgroup = make_cgroup(set);
	if (!cgroup)
		goto out;
	target.fd = cgroup_open(set, cgroup, &resolved, &target.id);
	if (target.fd < 0)
		goto out_cgroup;
	if (pins_open_named(&pins, set, name, true) < 0)
		goto out_cgroup;
	code = control_attach(&pins, policy, &target, &features.way);
	if (code != EX_DONE) {
		pins_close(&pins);
		goto out_cgroup;
	}

	/* Inherited as ignored it would throw away the child's status. */
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (!child)
		_exit(become(cgroup, operands));
	if (child < 0) {
		log_error("no process: %s", strerror(errno));
		code = EX_FAILED;
	} else {
		set_signals();
		code = wait_for_child();
	}
	if (!cgroup_becomes_empty(cgroup, LEFT_MS)) {
		log_info("processes are left in %s and stay selected; when they have ended, smc-ulp-loader gc cleans up", cgroup);
		pins_close(&pins);
		goto out;
	}
	links_detach(&pins, WHICH_ALL, 0, false);
	control_clear(&pins);
	pins_close(&pins);
out_cgroup:
	if (rmdir(cgroup))
		log_warning("%s: %s", cgroup, strerror(errno));
out:
	if (target.fd >= 0)
		close(target.fd);
	free(cgroup);
	free(resolved);
	smcpol_free(policy);
	return code;
}
