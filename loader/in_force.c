// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* The policy in force, for the commands that look at it or replace it. */
#include <errno.h>
#include <string.h>

#include "loader.h"

static void say_nothing_attached(void)
{
	log_error("nothing is attached, so there is no policy in force: attach --cgroup PATH --policy FILE");
}

int in_force_open(const struct settings *set, struct pins *pins, struct maps *maps)
{
	int err = pins_open(pins, set, false);

	if (err < 0)
		return -1;
	if (!err) {
		say_nothing_attached();
		return -1;
	}
	err = maps_open(maps, pins);
	if (!err)
		return 0;
	if (err == -ENOENT)
		say_nothing_attached();
	else if (err != -EPROTO)
		log_error("%s: %s", pins->maps, strerror(-err));
	pins_close(pins);
	return -1;
}

int in_force_read(const struct settings *set, struct policy_info *info)
{
	struct maps maps;
	struct pins pins;
	int err;

	if (in_force_open(set, &pins, &maps))
		return -1;
	err = maps_have_policy(&maps) ? maps_read(&maps, &pins, info) : -ENOENT;
	maps_close(&maps);
	pins_close(&pins);
	if (err == -ENOENT)
		log_error("no policy is in force: attach --cgroup PATH --policy FILE");
	else if (err)
		log_error("the policy in force cannot be read: %s", strerror(-err));
	return err ? -1 : 0;
}
