// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * What this kernel offers now. Asked of the kernel each time: modules come and go, and insmod's success says nothing about kfuncs
 * (without BTF their registration reports success too).
 */
#include <bpf/btf.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

static bool module_is_live(const char *name)
{
	char path[128], state[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(state, sizeof(state), f))
		state[0] = '\0';
	fclose(f);
	return !strncmp(state, "live", 4);
}

/* Cgroup programs may call kfuncs since Linux 6.7; a module offers them only if it was built with BTF. */
static bool module_has_kfunc(void)
{
	struct btf *base, *btf;
	bool found = false;

	if (access("/sys/kernel/btf/smc_ulp", R_OK))
		return false;
	base = btf__load_vmlinux_btf();
	if (!base)
		return false;
	btf = btf__load_module_btf("smc_ulp", base);
	if (btf) {
		found = btf__find_by_name_kind(btf, "bpf_smc_ulp_enable", BTF_KIND_FUNC) > 0;
		btf__free(btf);
	}
	btf__free(base);
	return found;
}

/* Whether the verifier takes the kfunc is known only by loading: programs_load() tries, and falls back. */
void features_probe(struct features *f)
{
	memset(f, 0, sizeof(*f));
	f->has_module = module_is_live("smc_ulp");
	f->has_redirect = module_is_live("smc_ulp_bpf");
	f->has_kfunc = f->has_module && module_has_kfunc();
	f->way = f->has_kfunc ? WAY_KFUNC : f->has_redirect ? WAY_SETSOCKOPT : WAY_NONE;
}

const char *way_name(enum way way)
{
	return way == WAY_KFUNC ? "kfunc" : way == WAY_SETSOCKOPT ? "setsockopt" : "none";
}

/* Said where something was attached that cannot act. */
void features_warn(const struct features *f)
{
	if (!f->has_module)
		log_warning("module smc_ulp is not loaded: connections stay on TCP. Load it (modprobe smc_ulp) and attach again");
	else if (f->way == WAY_NONE)
		log_warning("smc_ulp is loaded, but this kernel offers no kfunc and smc_ulp_bpf is not loaded: connections stay on TCP. Load it (modprobe smc_ulp_bpf) and attach again");
}
