// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* The daemon keeps three capabilities: what load, attach and read BPF maps take, and on 6.18 and later bpf_get_current_comm(). */
#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "loader.h"

bool has_capability(int cap)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps)
		cap_get_flag(caps, cap, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

void privileges_missing(char *out, size_t size)
{
	static const struct {
		cap_value_t cap;
		const char *name;
	} needed[] = { { CAP_BPF, "CAP_BPF" }, { CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { CAP_PERFMON, "CAP_PERFMON" } };
	size_t i, n = 0;

	*out = '\0';
	if (has_capability(CAP_SYS_ADMIN))
		return;
	for (i = 0; i < sizeof(needed) / sizeof(*needed) && n < size; i++) {
		if (!has_capability(needed[i].cap))
			n += snprintf(out + n, size - n, " %s", needed[i].name);
	}
}

int privileges_drop(void)
{
	static const cap_value_t kept[] = { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON };
	cap_t caps = cap_init();
	cap_value_t c;
	int err = -1;

	/* Lowering the bounding set takes CAP_SETPCAP, which a unit may have taken already, along with the rest of the set. */
	for (c = 0; cap_get_bound(c) >= 0; c++) {
		if (c != CAP_BPF && c != CAP_NET_ADMIN && c != CAP_PERFMON)
			cap_drop_bound(c);
	}
	if (caps && !cap_set_flag(caps, CAP_PERMITTED, 3, kept, CAP_SET) && !cap_set_flag(caps, CAP_EFFECTIVE, 3, kept, CAP_SET))
		err = cap_set_proc(caps);
	if (err)
		log_error("CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed: %s. Run as root, or give them to the service",
			  strerror(errno));
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		log_warning("no_new_privs: %s", strerror(errno));
	cap_free(caps);
	return err;
}
