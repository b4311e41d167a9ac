// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * What attach, run, daemon and hook do alike: programs, policy and links put together in the order in which a failure at any step leaves
 * every connection decided as before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Return: 0 or -1 with the reason printed. */
int control_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	return maps_publish(maps, pins, policy);
}

/* When no link is left: remove policy, programs and directories. Return: 1 if so, 0 if links are left, -1 with the reason printed. */
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

static int attach(const struct pins *pins, struct programs *programs, const struct smcpol *policy,
		  const struct target *targets, int nr)
{
	struct smcpol *fallback = NULL;
	struct maps maps;
	int i, err, code = EX_FAILED;

	err = maps_open(&maps, pins);
	if (err) {
		log_error("%s: the maps just loaded cannot be opened: %s", pins->maps, strerror(-err));
		return EX_FAILED;
	}
	/* The policy first: no connection is decided by half of what was asked for. */
	if (!policy && !maps_have_policy(&maps))
		policy = fallback = default_policy();
	if (policy && control_publish(&maps, pins, policy))
		goto out;
	if (programs_install(programs, pins))
		goto out;
	for (i = 0; i < nr; i++) {
		if (programs_attach(programs, pins, targets[i].fd, targets[i].id) < 0)
			goto out;
	}
	code = EX_DONE;
out:
	smcpol_free(fallback);
	maps_close(&maps);
	return code;
}

/*
 * Load the programs, put the policy in force (NULL: keep the one there is, or take everything if there is none), renew every link, and
 * attach to the targets. *way is what the programs use in the end. Return: an exit code, with the reason printed; a first attach that
 * failed leaves nothing.
 */
int control_attach(const struct pins *pins, const struct smcpol *policy, const struct target *targets, int nr,
		   enum way *way)
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
		code = attach(pins, programs, policy, targets, nr);
	else
		code = errno == EPERM || errno == EACCES || errno == ENOMEM ? EX_FAILED : EX_UNSUPPORTED;
	programs_free(programs);
	if (code != EX_DONE && !had_policy)
		control_clear(pins);
	return code;
}
