// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* attach, detach: a cgroup's sockets become subject to the policy, or stop being. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

static int attach(const struct settings *set, const struct smcpol *policy, const struct target *target,
		  struct features *features, unsigned int *generation)
{
	struct pins pins;
	struct maps maps;
	int code;

	if (pins_open(&pins, set, true) < 0)
		return EX_FAILED;
	code = control_attach(&pins, policy, target->fd >= 0 ? target : NULL, &features->way);
	if (code == EX_DONE && !maps_open(&maps, &pins)) {
		*generation = maps.word->gen;
		maps_close(&maps);
	}
	pins_close(&pins);
	return code;
}

/* What attach() would need, with nothing changed; the policy and the cgroup have been looked at. Return: an exit code. */
static int check(const struct settings *set)
{
	char missing[64];
	struct pins pins;
	int ret;

	ret = pins_open(&pins, set, false);
	if (ret < 0)
		return EX_FAILED;
	if (ret)
		pins_close(&pins);
	privileges_missing(missing, sizeof(missing));
	if (*missing) {
		log_error("missing:%s. Run as root, or give these to the service", missing);
		return EX_FAILED;
	}
	if (faccessat(AT_FDCWD, set->bpffs, W_OK, AT_EACCESS)) {
		log_error("%s cannot be written to: %s", set->bpffs, strerror(errno));
		return EX_FAILED;
	}
	if (!kernel_has_btf()) {
		log_error("this kernel has no BTF. Use one built with CONFIG_DEBUG_INFO_BTF, as Debian's are");
		return EX_UNSUPPORTED;
	}
	return EX_DONE;
}

int cmd_attach(const struct settings *set, char **operands)
{
	struct target target = { -1, 0 };
	struct smcpol *policy = NULL;
	struct features features;
	unsigned int generation = 0;
	char *path = NULL, *name = NULL;
	int code;

	(void)operands;
	if (set->policy) {
		policy = policy_read_file(set->policy, &code);
		if (!policy)
			return code;
	}
	if (set->cgroup) {
		target.fd = cgroup_open(set, set->cgroup, &path, &target.id);
		if (target.fd < 0) {
			code = EX_FAILED;
			goto out;
		}
		name = out_name(path);
		if (cgroup_is_root(target.fd))
			log_warning("%s is the root cgroup: programs of others attached there (Cilium's, say) may collide with it; a cgroup below is better",
				    path);
	}
	features_probe(&features);

	code = set->dry_run ? check(set) : attach(set, policy, &target, &features, &generation);
	if (code == EX_DONE) {
		log_info("%s %s%s", set->dry_run ? "would attach to" : "attached to",
			 !set->cgroup ? "what is attached, anew" : name ? name : set->cgroup, policy ? ", with the given policy" : "");
		features_warn(&features);
		if (!features_can_enable(&features))
			code = EX_DEGRADED;
		if (set->json &&
		    out_json(json_pack("{s:s?, s:I, s:i, s:s, s:b}", "cgroup", name, "cgroup_id", (json_int_t)target.id,
				       "generation", generation, "enabling", way_name(features.way), "dry_run", set->dry_run)))
			code = EX_FAILED;
	}
	if (target.fd >= 0)
		close(target.fd);
out:
	free(name);
	free(path);
	smcpol_free(policy);
	return code;
}

int cmd_detach(const struct settings *set, char **operands)
{
	char *path = NULL;
	struct pins pins;
	uint64_t id = 0;
	int fd, ret, removed = 0, cleared = 0;
	bool is_kept;

	(void)operands;
	if (set->cgroup) {
		fd = cgroup_open(set, set->cgroup, &path, &id);
		if (fd < 0)
			return EX_FAILED;
		close(fd);
		free(path);
	}

	ret = pins_open(&pins, set, false);
	if (ret < 0)
		return EX_FAILED;
	if (ret) {
		/* The daemon's policy decides what is attached next, too; and who detaches nothing takes nothing with it. */
		is_kept = daemon_is_running(&pins);
		if (is_kept)
			log_warning("the daemon is running: it will attach again what its --cgroups match, and its policy stays; to end both, stop it first");
		removed = links_detach(&pins, set->all ? WHICH_ALL : WHICH_CGROUP, id, set->dry_run);
		if (removed < 0)
			log_error("a link could not be removed: %s", strerror(-removed));
		if (!set->dry_run && !is_kept && (removed > 0 || set->all))
			cleared = control_clear(&pins);
		pins_close(&pins);
	}
	if (!ret)
		log_info("nothing is attached");
	else if (!removed)
		log_info("nothing was attached to it");
	else if (set->dry_run)
		log_info("would remove %d links", removed);
	if (removed < 0 || cleared < 0)
		return EX_FAILED;
	return set->json ? out_json(json_pack("{s:i, s:b}", "links_removed", removed, "dry_run", set->dry_run)) : EX_DONE;
}
