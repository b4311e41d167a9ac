// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * `features`: everything this program stands on, asked of the kernel one by one, each with what to do where it is missing. Helpers are
 * probed by loading a program that calls one: libbpf 1.1's own probe reads the verifier's log, whose words changed in 6.12.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader.h"

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define STORE(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_DW, d, 0, o, i)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define MAX_INSNS 12

/* Adds a row; what is good needs no advice, what is missing needs one. */
static void row(json_t *rows, const char *feature, bool is_there, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void row(json_t *rows, const char *feature, bool is_there, const char *fmt, ...)
{
	char detail[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	json_array_append_new(rows, json_pack("{s:s, s:b, s:s}", "feature", feature, "available", is_there, "detail", detail));
}

/* Return: 0 if the kernel takes such a program at connect, or -errno. */
static int try_program(const struct bpf_insn *insns, size_t nr)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "smcu_probe", "GPL", insns, nr, &opts);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int try_plain(void)
{
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 1), EXIT() };

	return try_program(insns, 2);
}

/* with_buffer: the helper's arguments are a zeroed stack buffer and its size; else the context, which helpers without arguments ignore. */
static int try_helper(enum bpf_func_id helper, bool with_buffer)
{
	struct bpf_insn insns[MAX_INSNS];
	int n = 0;

	if (with_buffer) {
		insns[n++] = STORE(BPF_REG_10, -16, 0);
		insns[n++] = STORE(BPF_REG_10, -8, 0);
		insns[n++] = MOV_REG(BPF_REG_1, BPF_REG_10);
		insns[n++] = ADD_IMM(BPF_REG_1, -16);
		insns[n++] = MOV_IMM(BPF_REG_2, 16);
	}
	insns[n++] = CALL(helper);
	insns[n++] = MOV_IMM(BPF_REG_0, 1);
	insns[n++] = EXIT();
	return try_program(insns, n);
}

static int try_setsockopt(void)
{
	const struct bpf_insn insns[] = {
		STORE(BPF_REG_10, -8, 0), MOV_IMM(BPF_REG_2, 6),     MOV_IMM(BPF_REG_3, 31), MOV_REG(BPF_REG_4, BPF_REG_10),
		ADD_IMM(BPF_REG_4, -8),	  MOV_IMM(BPF_REG_5, 4),     CALL(BPF_FUNC_setsockopt),
		MOV_IMM(BPF_REG_0, 1),	  EXIT(),
	};

	return try_program(insns, sizeof(insns) / sizeof(*insns));
}

static void probe_capabilities(json_t *rows)
{
	char missing[64];

	privileges_missing(missing, sizeof(missing));
	if (*missing)
		row(rows, "privileges", false, "missing:%s. Run as root, or give these to the service", missing);
	else
		row(rows, "privileges", true, "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, or CAP_SYS_ADMIN for them");
}

static void probe_places(const struct settings *set, json_t *rows)
{
	struct cgroup_mount mount;
	struct statfs fs;

	if (!statfs(set->bpffs, &fs) && fs.f_type == BPF_FS_MAGIC)
		row(rows, "BPF file system", true, "%s", set->bpffs);
	else
		row(rows, "BPF file system", false, "%s is none: mount -t bpf -o mode=0700 bpf %s, or name it with --bpffs", set->bpffs,
		    set->bpffs);

	cgroup_mount_find(set, &mount);
	if (!mount.path)
		row(rows, "cgroup v2", false, "mounted nowhere: mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1");
	else if (mount.is_partial)
		row(rows, "cgroup v2", false, "%s shows a part of the hierarchy: run outside of the container, or with the host's cgroup namespace and /sys/fs/cgroup",
		    mount.path);
	else if (mount.is_hybrid)
		row(rows, "cgroup v2", true, "%s, beside v1 (hybrid): name cgroups below that; containers of v1 runtimes are in none of them",
		    mount.path);
	else
		row(rows, "cgroup v2", true, "%s", mount.path);
	cgroup_mount_free(&mount);
}

static void probe_programs(json_t *rows)
{
	static const struct {
		const char *feature;
		enum bpf_func_id helper;
		bool with_buffer;
	} keys[] = {
		{ "rule key pid", BPF_FUNC_get_current_pid_tgid, false },
		{ "rule keys uid, gid", BPF_FUNC_get_current_uid_gid, false },
		{ "rule key comm", BPF_FUNC_get_current_comm, true },
		{ "rule key cgroup", BPF_FUNC_get_current_cgroup_id, false },
		{ "rule key netns", BPF_FUNC_get_netns_cookie, false },
	};
	unsigned int i;
	int err, fd;

	err = try_plain();
	if (err) {
		row(rows, "BPF at connect and bind", false, "%s: %s", strerror(-err),
		    err == -EPERM ? "CAP_BPF and CAP_NET_ADMIN are needed" : "the kernel needs CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL");
		return;
	}
	row(rows, "BPF at connect and bind", true, "cgroup programs load");

	/* Unsupported is EINVAL before the descriptors are looked at. */
	fd = bpf_link_create(-1, -1, BPF_CGROUP_INET4_CONNECT, NULL);
	err = fd < 0 ? errno : 0;
	row(rows, "links", err != EINVAL, err != EINVAL ? "attached beside the programs of others" : "Linux 5.7 or later is needed");

	err = try_setsockopt();
	row(rows, "bpf_setsockopt", !err, err ? "%s: smc_ulp_bpf has nothing to redirect on this kernel" : "can be called%s",
	    err ? strerror(-err) : "");
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		err = try_helper(keys[i].helper, keys[i].with_buffer);
		row(rows, keys[i].feature, !err, err ? "%s: rules with it cannot be enforced%s" : "can be asked for%s%s",
		    err ? strerror(-err) : "", err == -EPERM || err == -EACCES || err == -EINVAL ?
		    " (newer kernels want CAP_PERFMON for it)" : "");
	}
	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "smcu_probe", 0, 0, sysconf(_SC_PAGESIZE), NULL);
	row(rows, "ring buffer", fd >= 0, fd >= 0 ? "monitor works%s" : "%s: no monitor", fd >= 0 ? "" : strerror(errno));
	if (fd >= 0)
		close(fd);
}

static bool has_word(const char *path, const char *word)
{
	char text[512] = "", *w, *save;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		*text = '\0';
	fclose(f);
	for (w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (!strcmp(w, word))
			return true;
	}
	return false;
}

bool modules_would_help(const struct features *f)
{
	int err = try_setsockopt();

	return (!err || err == -EPERM || err == -EACCES) && kernel_has_btf() && !access("/proc/modules", F_OK) &&
	       !has_word("/proc/sys/kernel/modules_disabled", "1") &&
	       (f->has_module || !has_word("/proc/sys/net/ipv4/tcp_available_ulp", "smc"));
}

/* Adapters with an active port. */
static void probe_adapters(json_t *rows)
{
	DIR *dir = opendir("/sys/class/infiniband");
	char names[256] = "", path[512], state[64];
	struct dirent *e;
	int nr = 0;
	FILE *f;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/1/state", e->d_name);
		f = fopen(path, "re");
		if (f && fgets(state, sizeof(state), f) && strstr(state, "ACTIVE") && strlen(names) < sizeof(names) - 70)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%.64s", nr++ ? ", " : "", e->d_name);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	if (nr)
		row(rows, "RDMA adapter", true, "%s", names);
	else
		row(rows, "RDMA adapter", false, "no active port: connections fall back to TCP. Load an adapter's driver, or: rdma link add rxe0 type rxe netdev eth0");
}

static void probe_modules(const struct features *f, json_t *rows)
{
	bool has_ulp = has_word("/proc/sys/net/ipv4/tcp_available_ulp", "smc");
	bool has_btf = kernel_has_btf();
	bool must_sign = has_word("/sys/module/module/parameters/sig_enforce", "Y");

	row(rows, "kernel BTF", has_btf, has_btf ? "/sys/kernel/btf/vmlinux" :
	    "the kernel was built without CONFIG_DEBUG_INFO_BTF: programs cannot be loaded; use one that has it, as Debian's do");
	if (f->has_module)
		row(rows, "module smc_ulp", true, "loaded");
	else if (has_ulp)
		row(rows, "module smc_ulp", false, "the kernel's own module smc holds the name of the ULP: rmmod smc_diag smc, and modprobe smc_ulp");
	else
		row(rows, "module smc_ulp", false, "not loaded: modprobe smc_ulp%s",
		    must_sign ? " (this kernel takes signed modules only: sign it, or enrol a key)" : "");

	if (f->has_kfunc)
		row(rows, "kfunc", true, "bpf_smc_ulp_enable%s", has_capability(CAP_SYS_ADMIN) ? "" :
		    ", which takes CAP_SYS_ADMIN to load: attach --all as root leaves programs for those who have less");
	else
		row(rows, "kfunc", false, "%s", !f->has_module ? "offered by smc_ulp, which is not loaded" :
		    "cgroup programs call kfuncs since Linux 6.7, and smc_ulp must be built with BTF: smc_ulp_bpf serves as well");
	row(rows, "module smc_ulp_bpf", f->has_redirect, f->has_redirect ? "loaded: bpf_setsockopt(TCP_ULP, \"smc\") works" :
	    f->has_kfunc ? "not loaded; needed only by BPF programs of others" :
	    "not loaded: modprobe smc_ulp_bpf (it needs CONFIG_DYNAMIC_FTRACE_WITH_ARGS or _REGS)");
	if (f->way == WAY_NONE)
		row(rows, "sockets are enabled", false, "not at all: connections stay on TCP");
	else
		row(rows, "sockets are enabled", true, f->way == WAY_KFUNC ? "by the kfunc" : "by bpf_setsockopt(TCP_ULP)");
}

json_t *probes_report(const struct settings *set, const struct features *f)
{
	json_t *rows = json_array();

	probe_capabilities(rows);
	probe_places(set, rows);
	probe_programs(rows);
	probe_modules(f, rows);
	probe_adapters(rows);
	return rows;
}
