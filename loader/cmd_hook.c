// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * hook oci: called by a container runtime with the container's state on stdin. At createRuntime the container's first process exists, in its
 * cgroup, and runs nothing of its own yet: what is attached then holds for every socket it makes. At poststop there is neither process nor
 * cgroup, so the container's id finds what is to be removed.
 *
 * A hook that fails or hangs stops the container: so the work is done by a child that has two seconds, and whatever becomes of it, we
 * report success, unless told otherwise (--fail-closed).
 *
 * hook install: the file that makes a runtime call us.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loader.h"
#include "oci.h"

#define BUDGET_SECONDS 2
#define RUNTIME_TIMEOUT 5 /* what the runtime is told, in seconds: only if we do not even start */

/* All of stdin, up to one byte more than is allowed. To be freed. */
static char *read_state(size_t *len)
{
	char *text = malloc(OCI_MAX_STATE + 1);
	ssize_t n;

	for (*len = 0; text && *len <= OCI_MAX_STATE; *len += n) {
		n = read(STDIN_FILENO, text + *len, OCI_MAX_STATE + 1 - *len);
		if (n < 0) {
			log_error("the container's state cannot be read from stdin: %s", strerror(errno));
			free(text);
			return NULL;
		}
		if (!n)
			break;
	}
	return text;
}

static int attach_container(const struct pins *pins, const char *id, const struct target *target)
{
	int err;

	/* Written down first: whatever happens from here on, poststop finds it. */
	err = container_put(pins, id, target->id);
	if (!err)
		return control_attach_ready(pins, target);
	log_error("container %s cannot be remembered: %s", id, strerror(-err));
	return EX_FAILED;
}

/* The container's cgroup, below the mount and opened. Return: 0, or -1 with the reason printed. */
static int find_cgroup(const struct settings *set, const struct oci_state *state, struct target *target, uint64_t *ids, int *nr)
{
	char pid[24], *below = NULL, *own = NULL, *full, *resolved = NULL;
	struct cgroup_mount mount;
	int ret = -1;

	target->fd = -1;
	if (!state->pid) {
		log_error("container %s: its state has no pid; is this stage createRuntime?", state->id);
		return -1;
	}
	snprintf(pid, sizeof(pid), "%ld", state->pid);
	cgroup_mount_find(set, &mount);
	if (!mount.path) {
		log_error("cgroup v2 is mounted nowhere: mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1");
		goto out;
	}
	if (cgroup_of_process(pid, &below) || cgroup_of_process("self", &own))
		goto out;
	if (!strcmp(below, "/") || !strcmp(below, own)) {
		log_error("container %s has no cgroup of its own (%s): attaching to that would select others too; let the runtime make one",
			  state->id, below);
		goto out;
	}
	*nr = cgroup_ancestors(mount.path, below, ids);
	full = path_join(mount.path, below);
	if (*nr > 0)
		target->fd = cgroup_open(set, full, &resolved, &target->id);
	else
		log_error("%s: %s", full, strerror(-*nr));
	ret = target->fd < 0 ? -1 : 0;
	free(full);
	free(resolved);
out:
	cgroup_mount_free(&mount);
	free(below);
	free(own);
	return ret;
}

/* A rule may name the container's cgroup, which nobody knew when the policy was put in force. */
static int classify(const struct pins *pins)
{
	struct smcpol *policy;
	struct maps maps;
	int err;

	err = maps_open(&maps, pins);
	if (err) {
		log_error("%s: %s", pins->maps, strerror(-err));
		return EX_FAILED;
	}
	policy = control_policy(&maps, pins);
	if (policy && smcpol_names_cgroups(policy))
		err = control_sync_cgroups(&maps, pins, policy);
	smcpol_free(policy);
	maps_close(&maps);
	return err ? EX_FAILED : EX_DONE;
}

static int on_create(const struct settings *set, const struct oci_state *state)
{
	uint64_t ids[MAX_CGROUP_DEPTH], cover;
	struct target target;
	struct pins pins;
	int nr, code;

	if (!state->enabled)
		return EX_DONE;
	if (find_cgroup(set, state, &target, ids, &nr))
		return EX_FAILED;
	code = EX_FAILED;
	if (pins_open(&pins, set, true) < 0)
		goto out;
	cover = links_cover(&pins, ids, nr);
	if (cover && cover != target.id) {
		log_info("container %s lies in a cgroup that is attached already", state->id);
		code = EX_DONE;
	} else {
		code = attach_container(&pins, state->id, &target);
		if (code == EX_DONE)
			log_info("container %s is attached", state->id);
	}
	if (code == EX_DONE)
		code = classify(&pins);
	pins_close(&pins);
out:
	close(target.fd);
	return code;
}

static int on_stop(const struct settings *set, const struct oci_state *state)
{
	struct pins pins;
	int ret;

	/* Whatever the annotation says now: what was attached goes. */
	ret = pins_open(&pins, set, false);
	if (ret < 0)
		return EX_FAILED;
	if (!ret)
		return EX_DONE;
	if (container_remove(&pins, state->id))
		log_info("container %s is detached", state->id);
	pins_close(&pins);
	return EX_DONE;
}

/* In the child. */
static int work(const struct settings *set, const char *stage)
{
	struct oci_state state;
	const char *error;
	size_t len;
	char *text;
	bool is_good;

	text = read_state(&len);
	if (!text)
		return EX_FAILED;
	is_good = oci_state_parse(text, len, &state, &error);
	free(text);
	if (!is_good) {
		log_error("stdin is not the state of a container: %s", error);
		return EX_FAILED;
	}
	if (!strcmp(stage, "createRuntime") || !strcmp(stage, "prestart"))
		return on_create(set, &state);
	if (!strcmp(stage, "poststop"))
		return on_stop(set, &state);
	log_error("nothing is done at stage '%s': createRuntime attaches, poststop cleans up", stage);
	return EX_FAILED;
}

/* Return: the child's exit code, or EX_FAILED with the reason printed. */
static int supervise(pid_t child, const sigset_t *mask)
{
	struct timespec budget = { .tv_sec = BUDGET_SECONDS }, moment = { .tv_nsec = 200000000 };
	int status;

	if (sigtimedwait(mask, NULL, &budget) < 0) {
		log_error("no answer within %d seconds: another smc-ulp-loader holds the lock, or the runtime did not close stdin",
			  BUDGET_SECONDS);
		kill(child, SIGKILL);
		/*
		 * Bury it: crun adopts what we leave, and its death signal, arriving with ours, would hide ours from crun, which then waits
		 * until its own time-out. But a child that the kernel does not let go is not waited for.
		 */
		if (sigtimedwait(mask, NULL, &moment) > 0)
			waitpid(child, NULL, WNOHANG);
		return EX_FAILED;
	}
	if (waitpid(child, &status, 0) < 0) {
		log_error("the end of the work was not seen: %s", strerror(errno));
		return EX_FAILED;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	log_error("killed by signal %d", WTERMSIG(status));
	return EX_FAILED;
}

int cmd_hook_oci(const struct settings *set, char **operands)
{
	sigset_t mask;
	pid_t child;
	int code;

	/* A runtime shows a hook's output at best when it failed. */
	log_to_syslog();
	/* A runtime may have left it ignored: then no child's end is told, and its status is thrown away. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(work(set, operands[0]));
	}
	if (child < 0)
		log_error("no process: %s", strerror(errno));
	code = child < 0 ? EX_FAILED : supervise(child, &mask);
	if (code == EX_DONE || set->fail_closed)
		return code;
	log_warning("the container starts all the same, on TCP unless something else selects it (--fail-closed would stop it)");
	return EX_DONE;
}

/* Installing */

static json_t *hook_json(const char *self, const char *stage)
{
	return json_pack("{s:s, s:[s, s, s, s], s:i}", "path", self, "args", "smc-ulp-loader", "hook", "oci", stage, "timeout",
			 RUNTIME_TIMEOUT);
}

/* oci-hooks(5): podman and CRI-O. All stages of a file have the same arguments, so there is a file for each. */
static json_t *hooks_d_json(const char *self, const char *stage)
{
	return json_pack("{s:s, s:o, s:{s:{s:s}}, s:[s]}", "version", "1.0.0", "hook", hook_json(self, stage), "when", "annotations",
			 "^io\\.smc-ulp/enable$", "^(true|1)$", "stages", stage);
}

static bool is_ours(const json_t *hook)
{
	const json_t *args = json_object_get(hook, "args");
	const char *first = json_string_value(json_array_get(args, 0)), *second = json_string_value(json_array_get(args, 1));

	return first && second && !strcmp(first, "smc-ulp-loader") && !strcmp(second, "hook");
}

/* Add to spec.hooks[stage], in place of what an earlier install put there. */
static bool add_hook(json_t *spec, const char *self, const char *stage)
{
	json_t *hooks = json_object_get(spec, "hooks"), *list;
	size_t i;

	if (!json_is_object(hooks)) {
		hooks = json_object();
		json_object_set_new(spec, "hooks", hooks);
	}
	list = json_object_get(hooks, stage);
	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(hooks, stage, list);
	}
	for (i = json_array_size(list); i-- > 0;) {
		if (is_ours(json_array_get(list, i)))
			json_array_remove(list, i);
	}
	return !json_array_append_new(list, hook_json(self, stage));
}

static json_t *base_spec_json(const char *file, const char *self)
{
	json_error_t where;
	json_t *spec = json_load_file(file, JSON_REJECT_DUPLICATES, &where);

	if (!spec) {
		/* A file that cannot be opened has no lines, and the text names it. */
		if (where.line > 0)
			log_error("%s:%d:%d: %s", file, where.line, where.column, where.text);
		else
			log_error("%s", where.text);
		return NULL;
	}
	if (json_is_object(spec) && json_is_string(json_object_get(spec, "ociVersion")) && add_hook(spec, self, "createRuntime") &&
	    add_hook(spec, self, "poststop"))
		return spec;
	log_error("%s is no OCI runtime spec: ctr oci spec >%s writes one", file, file);
	json_decref(spec);
	return NULL;
}

static int make_directories(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

/* Whole, or not at all. Return: an exit code. */
static int write_file(const char *path, const json_t *content)
{
	char *fresh = NULL, *copy = strdup(path);
	int code = EX_FAILED, fd = -1;

	if (!copy || asprintf(&fresh, "%s.new", path) < 0)
		abort();
	if (make_directories(copy))
		goto out;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || json_dumpfd(content, fd, JSON_INDENT(2)) || write(fd, "\n", 1) != 1 || fsync(fd) || rename(fresh, path))
		goto out;
	log_info("wrote %s", path);
	code = EX_DONE;
out:
	if (code != EX_DONE)
		log_error("%s: %s%s", path, strerror(errno), errno == EACCES ? " (are you root?)" : "");
	if (fd >= 0)
		close(fd);
	free(fresh);
	free(copy);
	return code;
}

/* files: [{path, content}]. Takes the reference. Return: an exit code. */
static int write_files(const struct settings *set, json_t *files)
{
	int code = EX_DONE;
	json_t *file;
	size_t i;

	if (!files) {
		log_error("the hook's files cannot be made: out of memory, or this program's path is not UTF-8");
		return EX_FAILED;
	}
	for (i = 0; code == EX_DONE && (file = json_array_get(files, i)); i++) {
		const char *path = json_string_value(json_object_get(file, "path"));
		json_t *content = json_object_get(file, "content");

		if (!set->dry_run) {
			code = write_file(path, content);
			continue;
		}
		log_info("would write %s", path);
		if (!set->json)
			code = out_json(json_incref(content));
	}
	/* One document, where the files themselves may be several. */
	if (code == EX_DONE && set->json)
		code = out_json(json_pack("{s:O, s:b}", "files", files, "dry_run", set->dry_run));
	json_decref(files);
	return code;
}

/* The one of oci-hooks(5)' folders that podman and CRI-O look into without being told to. */
#define HOOKS_D "/usr/share/containers/oci/hooks.d/smc-ulp-"

static int install_hooks_d(const struct settings *set, const char *self)
{
	return write_files(set, json_pack("[{s:s, s:o}, {s:s, s:o}]", "path", HOOKS_D "createRuntime.json", "content",
					  hooks_d_json(self, "createRuntime"), "path", HOOKS_D "poststop.json", "content",
					  hooks_d_json(self, "poststop")));
}

static int install_containerd(const struct settings *set, const char *self)
{
	static const char path[] = "/etc/containerd/smc-ulp-base.json";
	json_t *spec;
	int code;

	if (!set->base) {
		log_error("containerd takes a whole spec: ctr oci spec >base.json, then add --base base.json");
		return EX_USAGE_ERROR;
	}
	spec = base_spec_json(set->base, self);
	if (!spec)
		return EX_FAILED;
	code = write_files(set, json_pack("[{s:s, s:o}]", "path", path, "content", spec));
	if (code == EX_DONE)
		log_info("in /etc/containerd/config.toml, below [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc], say\n"
			 "  base_runtime_spec = \"%s\"\n  pod_annotations = [\"io.smc-ulp/*\"]\nand restart containerd", path);
	return code;
}

int cmd_hook_install(const struct settings *set, char **operands)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)operands;
	if (n < 0) {
		log_error("/proc/self/exe: %s", strerror(errno));
		return EX_FAILED;
	}
	self[n] = '\0';
	if (!strcmp(set->runtime, "podman") || !strcmp(set->runtime, "crio"))
		return install_hooks_d(set, self);
	if (!strcmp(set->runtime, "containerd"))
		return install_containerd(set, self);
	log_error("--runtime is podman, crio or containerd, not '%s'", set->runtime);
	return EX_USAGE_ERROR;
}
