// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* attach, detach: a cgroup's sockets become subject to the policy, or stop being. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

/* What attach means where no policy was ever given: everything in this cgroup. */
static const char everything[] = "version: 1\ndefault: smc\n";

static struct smcpol *default_policy(void)
{
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy;

	policy = diag ? smcpol_load("default", everything, sizeof(everything) - 1, diag) : NULL;
	smcpol_diag_free(diag);
	return policy;
}

/* Return: 0 or -1 with the reason printed. */
static int publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	struct smcpol_image *image = smcpol_compile(policy);
	char *text = smcpol_print(policy);
	int err = -1;

	if (image && text)
		err = maps_publish(maps, pins, image, text);
	else
		log_error("out of memory");
	smcpol_image_free(image);
	free(text);
	return err;
}

/* The part of attach that changes something. policy may be NULL: keep the one in force. */
static int attach(const struct settings *set, const struct smcpol *policy, int cgroup, uint64_t id,
		  struct features *features)
{
	struct programs *programs = NULL;
	struct smcpol *fallback = NULL;
	struct link_state *links;
	struct maps maps = { 0 };
	struct pins pins;
	int code = EX_FAILED;
	int err, nr;

	if (pins_open(&pins, set, true) < 0)
		return EX_FAILED;

	programs = programs_load(&pins, &features->way);
	if (!programs) {
		code = errno == EPERM || errno == EACCES || errno == ENOMEM ? EX_FAILED : EX_UNSUPPORTED;
		goto out;
	}
	err = maps_open(&maps, &pins);
	if (err) {
		log_error("%s: the maps just loaded cannot be opened: %s", pins.maps, strerror(-err));
		goto out;
	}

	/* The policy first: no connection is decided by half of what was asked for. */
	if (!policy && !maps_have_policy(&maps))
		policy = fallback = default_policy();
	if (policy && publish(&maps, &pins, policy))
		goto out;
	if (programs_attach(programs, &pins, cgroup, id))
		goto out;
	code = EX_DONE;
out:
	smcpol_free(fallback);
	programs_free(programs);
	maps_close(&maps);
	if (code != EX_DONE) {
		/* A first attach that failed leaves nothing. */
		nr = links_list(&pins, &links);
		if (nr >= 0)
			free(links);
		if (!nr) {
			maps_remove(&pins);
			pins_remove(&pins);
		}
	}
	pins_close(&pins);
	return code;
}

int cmd_attach(const struct settings *set, char **operands)
{
	struct smcpol *policy = NULL;
	struct features features;
	char *path = NULL;
	uint64_t id = 0;
	int cgroup, code;

	(void)operands;
	if (!set->cgroup) {
		log_error("attach needs --cgroup PATH: the cgroup whose sockets are to be selected");
		return EX_USAGE_ERROR;
	}
	if (set->policy) {
		policy = policy_read_file(set->policy, &code);
		if (!policy)
			return code;
	}
	cgroup = cgroup_open(set, set->cgroup, &path, &id);
	if (cgroup < 0) {
		code = EX_FAILED;
		goto out;
	}
	if (cgroup_is_root(cgroup))
		log_warning("%s is the root cgroup: programs of others attached there (Cilium's, say) may collide with it; a cgroup below is better",
			    path);
	features_probe(&features);

	code = set->dry_run ? EX_DONE : attach(set, policy, cgroup, id, &features);
	if (code == EX_DONE) {
		log_info("%s %s%s", set->dry_run ? "would attach to" : "attached to", path ? path : set->cgroup,
			 policy ? ", with the given policy" : "");
		features_warn(&features);
		if (!features.has_module || features.way == WAY_NONE)
			code = EX_DEGRADED;
	}
	close(cgroup);
out:
	free(path);
	smcpol_free(policy);
	return code;
}

int cmd_detach(const struct settings *set, char **operands)
{
	struct link_state *links;
	char *path = NULL;
	struct pins pins;
	uint64_t id = 0;
	int fd, ret, removed, left;

	(void)operands;
	if (!set->cgroup == !set->all) {
		log_error("detach needs either --cgroup PATH or --all");
		return EX_USAGE_ERROR;
	}
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
	if (!ret) {
		log_info("nothing is attached");
		return EX_DONE;
	}
	if (set->dry_run) {
		removed = links_list(&pins, &links);
		for (left = ret = 0; left < removed; left++)
			ret += set->all || links[left].pinned_id == id;
		if (removed >= 0)
			free(links);
		log_info("would remove %d links", ret);
		pins_close(&pins);
		return removed < 0 ? EX_FAILED : EX_DONE;
	}

	removed = links_detach(&pins, id, set->all);
	if (removed < 0)
		log_error("a link could not be removed: %s", strerror(-removed));
	left = links_list(&pins, &links);
	if (left >= 0)
		free(links);
	if (!left) {
		ret = maps_remove(&pins);
		if (ret)
			log_error("%s: %s", pins.maps, strerror(-ret));
		pins_remove(&pins);
	}
	pins_close(&pins);
	if (!removed)
		log_info("nothing was attached to it");
	return removed < 0 || left < 0 ? EX_FAILED : EX_DONE;
}

/* The maps of what is attached; 0, or -1 with the reason printed. */
static int open_attached(const struct settings *set, struct pins *pins, struct maps *maps)
{
	int err = pins_open(pins, set, false);

	if (err < 0)
		return -1;
	if (!err) {
		log_error("nothing is attached, so there is no policy in force: attach --cgroup PATH --policy FILE");
		return -1;
	}
	err = maps_open(maps, pins);
	if (!err)
		return 0;
	log_error("%s: %s", pins->maps, strerror(-err));
	pins_close(pins);
	return -1;
}

int cmd_policy_load(const struct settings *set, char **operands)
{
	struct smcpol *policy;
	struct maps maps;
	struct pins pins;
	int code;

	policy = policy_read_file(operands[0], &code);
	if (!policy)
		return code;
	code = EX_FAILED;
	if (open_attached(set, &pins, &maps))
		goto out;
	if (set->dry_run || !publish(&maps, &pins, policy)) {
		log_info("%s generation %u: %u rules", set->dry_run ? "would follow" : "in force:", maps.word->gen,
			 smcpol_nr_rules(policy));
		code = EX_DONE;
	}
	maps_close(&maps);
	pins_close(&pins);
out:
	smcpol_free(policy);
	return code;
}

/* One word that every decision reads first. */
static int switch_off(const struct settings *set, bool off)
{
	struct maps maps;
	struct pins pins;

	if (open_attached(set, &pins, &maps))
		return EX_FAILED;
	__atomic_store_n(&maps.word->off, off, __ATOMIC_RELEASE);
	maps_close(&maps);
	pins_close(&pins);
	return EX_DONE;
}

int cmd_policy_off(const struct settings *set, char **operands)
{
	(void)operands;
	return switch_off(set, true);
}

int cmd_policy_on(const struct settings *set, char **operands)
{
	(void)operands;
	return switch_off(set, false);
}
