// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * What this kernel offers now. Asked of the kernel each time: modules come and go, and insmod's success says nothing about kfuncs
 * (without BTF their registration reports success too).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/*
 * Cgroup programs may call kfuncs since Linux 6.7; a module offers them only if it was built with BTF. Its BTF names the function in
 * the string section: looking for the bytes spares reading the kernel's own BTF, which takes a hundred times as long as all the rest.
 */
static bool module_has_kfunc(void)
{
	static const char name[] = "bpf_smc_ulp_enable"; /* with its NUL */
	size_t room = 1 << 16, len = 0, n;
	char *btf, *grown;
	bool found;
	FILE *f;

	f = fopen("/sys/kernel/btf/smc_ulp", "re");
	if (!f)
		return false;
	btf = malloc(room);
	while (btf && (n = fread(btf + len, 1, room - len, f)) > 0) {
		len += n;
		if (len < room)
			continue;
		room *= 2;
		grown = realloc(btf, room);
		if (!grown)
			break;
		btf = grown;
	}
	fclose(f);
	found = btf && memmem(btf, len, name, sizeof(name));
	free(btf);
	return found;
}

bool kernel_has_btf(void)
{
	struct stat st;

	return !stat("/sys/kernel/btf/vmlinux", &st) && S_ISREG(st.st_mode) && st.st_size;
}

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

bool features_can_enable(const struct features *f)
{
	return f->has_module && (f->way == WAY_KFUNC || (f->way == WAY_SETSOCKOPT && f->has_redirect));
}

void features_warn(const struct features *f)
{
	if (features_can_enable(f))
		return;
	if (!f->has_module)
		log_warning("module smc_ulp is not loaded: connections stay on TCP. Load it (modprobe smc_ulp) and attach again");
	else if (!f->has_kfunc)
		log_warning("smc_ulp is loaded, but this kernel offers no kfunc and smc_ulp_bpf is not loaded: connections stay on TCP. Load it (modprobe smc_ulp_bpf) and attach again");
	else
		log_warning("programs that call the kfunc of smc_ulp take CAP_SYS_ADMIN to load: connections stay on TCP. Run smc-ulp-loader attach --all as root first, or load smc_ulp_bpf, which needs less");
}
