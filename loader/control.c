// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * What attach, run, daemon and hook do alike: programs, policy and links put together in the order in which a failure at any step leaves
 * every connection decided as before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

/* What attaching means where no policy was ever given: everything in this cgroup. */
static const char everything[] = "version: 1\ndefault: smc\n";

static struct smcpol *default_policy(void)
{
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy;

	policy = diag ? smcpol_load("default", everything, sizeof(everything) - 1, diag) : NULL;
	smcpol_diag_free(diag);
	return policy;
}

int control_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	return maps_publish(maps, pins, policy);
}

int control_clear(const struct pins *pins)
{
	struct link_state *links;
	int nr, err;

	nr = links_list(pins, &links);
	if (nr >= 0)
		free(links);
	if (nr) {
		if (nr < 0)
			log_error("%s: %s", pins->links, strerror(-nr));
		return nr < 0 ? -1 : 0;
	}
	containers_forget(pins);
	err = maps_remove(pins);
	if (!err)
		err = programs_remove(pins);
	if (err)
		log_error("%s: a pin cannot be removed: %s", pins->dir, strerror(-err));
	pins_remove(pins);
	return err ? -1 : 1;
}

static int attach_one(const struct pins *pins, const struct programs *programs, const struct target *target)
{
	int ret = programs_attach(programs, pins, target->fd, target->id);

	if (ret == -ENOENT)
		log_error("the cgroup was removed meanwhile");
	return ret < 0 ? -1 : 0;
}

static int attach(const struct pins *pins, struct programs *programs, const struct smcpol *policy, const struct target *target)
{
	struct smcpol *fallback = NULL, *before = NULL;
	struct maps maps;
	int err, code = EX_FAILED;

	err = maps_open(&maps, pins);
	if (err) {
		log_error("%s: the maps just loaded cannot be opened: %s", pins->maps, strerror(-err));
		return EX_FAILED;
	}
	/* The policy first: no connection is decided by half of what was asked for. */
	if (!policy && target && !maps_have_policy(&maps))
		policy = fallback = default_policy();
	if (policy)
		before = control_policy(&maps, pins);
	if (policy && control_publish(&maps, pins, policy))
		goto out;
	if (programs_install(programs, pins) || (target && attach_one(pins, programs, target)))
		goto err_restore;
	code = EX_DONE;
	goto out;

err_restore:
	/* What was attached before is decided as before. */
	if (before && !control_publish(&maps, pins, before))
		log_warning("the policy that was in force is back");
out:
	smcpol_free(before);
	smcpol_free(fallback);
	maps_close(&maps);
	return code;
}

int control_attach(const struct pins *pins, const struct smcpol *policy, const struct target *target, enum way *way)
{
	struct programs *programs;
	bool had_policy = false;
	struct maps maps;
	int code;

	if (!maps_open(&maps, pins)) {
		had_policy = maps_have_policy(&maps);
		maps_close(&maps);
	}
	programs = programs_load(pins, way);
	if (programs)
		code = attach(pins, programs, policy, target);
	else
		code = errno == EPERM || errno == EACCES || errno == ENOMEM ? EX_FAILED : EX_UNSUPPORTED;
	programs_free(programs);
	if (code != EX_DONE && !had_policy)
		control_clear(pins);
	return code;
}

int control_attach_ready(const struct pins *pins, const struct target *target)
{
	struct programs *programs = programs_open(pins);
	struct smcpol *policy = NULL;
	struct features features;
	bool has_policy = false;
	int code = EX_DONE;
	struct maps maps;

	if (!maps_open(&maps, pins)) {
		has_policy = maps_have_policy(&maps);
		if (!has_policy && programs) {
			policy = access(DEFAULT_POLICY, F_OK) ? default_policy() : policy_read_file(DEFAULT_POLICY, &code);
			if (!policy || control_publish(&maps, pins, policy))
				code = code ? code : EX_FAILED;
		}
		maps_close(&maps);
	}
	if (programs) {
		if (code == EX_DONE && attach_one(pins, programs, target))
			code = EX_FAILED;
	} else {
		if (!has_policy && !access(DEFAULT_POLICY, F_OK))
			policy = policy_read_file(DEFAULT_POLICY, &code);
		features_probe(&features);
		if (code == EX_DONE)
			code = control_attach(pins, policy, target, &features.way);
		features_warn(&features);
	}
	programs_free(programs);
	smcpol_free(policy);
	return code;
}

struct smcpol *control_policy(const struct maps *maps, const struct pins *pins)
{
	struct policy_info info;
	struct smcpol *policy;
	int code, err;

	if (!maps_have_policy(maps))
		return NULL;
	err = maps_read(maps, pins, &info);
	if (err) {
		log_error("the policy in force cannot be read: %s", strerror(-err));
		return NULL;
	}
	policy = policy_read_text("policy in force", info.text, &code);
	policy_info_free(&info);
	return policy;
}

int control_sync_cgroups(struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	int err = maps_cgroups_sync(maps, pins, policy);

	if (err == -ENOSPC || err == -E2BIG)
		return control_publish(maps, pins, policy);
	if (err)
		log_error("cgroups that appeared cannot be classified: %s", strerror(-err));
	return err ? -1 : 0;
}
