// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * explain: which rule decides a socket of which so much is known, and why not those before it. The interpreter knows the reasons; the
 * programs' own matcher, compiled for user space, must come to the same end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

static const char *const dim_name[SMCU_DIM_COUNT] = {
	[SMCU_DIM_DIR] = "direction", [SMCU_DIM_DST] = "dst", [SMCU_DIM_SRC] = "src",	[SMCU_DIM_PORT] = "port",
	[SMCU_DIM_PID] = "pid",	      [SMCU_DIM_UID] = "uid", [SMCU_DIM_GID] = "gid",	[SMCU_DIM_COMM] = "comm",
	[SMCU_DIM_CGROUP] = "cgroup", [SMCU_DIM_NETNS] = "netns",
};

/* What is known of the socket. */
struct facts {
	struct smcu_flow flow;
	char *cgroup; /* NULL: not known */
};

static void know(struct facts *facts, unsigned int dim)
{
	facts->flow.known |= 1U << dim;
}

static bool parse_address(const char *option, const char *text, __u32 *addr, __u8 *af)
{
	__u32 a[4] = { 0 };

	if (inet_pton(AF_INET, text, addr) == 1) {
		*af = 4;
		return true;
	}
	if (inet_pton(AF_INET6, text, a) == 1) {
		*af = smcu_match_addr6(addr, a[0], a[1], a[2], a[3]);
		return true;
	}
	log_error("--%s '%s' is not an address", option, text);
	return false;
}

static bool parse_number(const char *option, const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out <= max)
		return true;
	log_error("--%s '%s' is not a number from 0 to %lu", option, text, max);
	return false;
}

static bool parse_id(const char *option, const char *text, enum smcpol_name kind, __u32 *out)
{
	unsigned long n;

	if (*text >= '0' && *text <= '9') {
		if (!parse_number(option, text, UINT32_MAX, &n))
			return false;
		*out = n;
		return true;
	}
	if (policy_resolve(NULL, kind, text, out))
		return true;
	log_error("--%s: there is no '%s' on this machine", option, text);
	return false;
}

/* One line of a file in /proc/PID that begins with head; what follows it. NULL: not there. */
static char *proc_line(const char *pid, const char *file, const char *head)
{
	char path[64], *line = NULL, *found = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, head, strlen(head)))
			found = strdup(line + strlen(head));
	}
	if (f)
		fclose(f);
	free(line);
	return found;
}

/* The first number of a line like "Uid:	0	0	0	0": the real id, which is what the programs see. */
static void proc_id(struct facts *facts, const char *pid, const char *head, unsigned int dim, __u32 *out)
{
	char *line = proc_line(pid, "status", head);

	if (line && sscanf(line, "%u", out) == 1)
		know(facts, dim);
	free(line);
}

/* What the command line does not say of a process, as far as it can be seen. */
static void ask_process(struct facts *facts, const char *pid)
{
	struct smcu_flow *flow = &facts->flow;
	char path[64], *text;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s", pid);
	if (access(path, F_OK)) {
		log_warning("there is no process %s: nothing but its number is known of it", pid);
		return;
	}
	if (!(flow->known >> SMCU_DIM_UID & 1))
		proc_id(facts, pid, "Uid:", SMCU_DIM_UID, &flow->uid);
	if (!(flow->known >> SMCU_DIM_GID & 1))
		proc_id(facts, pid, "Gid:", SMCU_DIM_GID, &flow->gid);
	text = flow->known >> SMCU_DIM_COMM & 1 ? NULL : proc_line(pid, "comm", "");
	if (text) {
		strncpy(flow->comm, text, sizeof(flow->comm) - 1);
		know(facts, SMCU_DIM_COMM);
	}
	free(text);
	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	if (!(flow->known >> SMCU_DIM_NETNS & 1) && !stat(path, &st)) {
		flow->netns = st.st_ino;
		know(facts, SMCU_DIM_NETNS);
	}
	if (!facts->cgroup)
		facts->cgroup = proc_line(pid, "cgroup", "0::");
}

/* A cgroup named by its directory, or as the policy names it. */
static bool name_cgroup(const struct settings *set, struct facts *facts)
{
	char *given = strdup(set->cgroup), *path = given;
	struct cgroup_mount mount;
	size_t len;

	cgroup_path_clean(given);
	cgroup_mount_find(set, &mount);
	len = mount.path ? strlen(mount.path) : 0;
	if (len && !strncmp(path, mount.path, len) && (path[len] == '/' || !path[len]))
		path += len;
	facts->cgroup = strdup(*path ? path : "/");
	cgroup_mount_free(&mount);
	free(given);
	if (*facts->cgroup == '/')
		return true;
	log_error("--cgroup '%s': a cgroup's path begins with /", set->cgroup);
	return false;
}

static bool parse_who(const struct settings *set, struct facts *facts)
{
	struct smcu_flow *flow = &facts->flow;
	unsigned long n;

	if (set->uid) {
		if (!parse_id("uid", set->uid, SMCPOL_UID, &flow->uid))
			return false;
		know(facts, SMCU_DIM_UID);
	}
	if (set->gid) {
		if (!parse_id("gid", set->gid, SMCPOL_GID, &flow->gid))
			return false;
		know(facts, SMCU_DIM_GID);
	}
	if (set->netns) {
		if (!parse_id("netns", set->netns, SMCPOL_NETNS, &flow->netns))
			return false;
		know(facts, SMCU_DIM_NETNS);
	}
	if (set->comm && strlen(set->comm) >= sizeof(flow->comm)) {
		log_error("--comm '%s' would never match, the kernel keeps %d characters: did you mean '%.*s'?", set->comm,
			  SMCU_COMM_LEN - 1, SMCU_COMM_LEN - 1, set->comm);
		return false;
	}
	if (set->comm) {
		memcpy(flow->comm, set->comm, strlen(set->comm));
		know(facts, SMCU_DIM_COMM);
	}
	if (set->cgroup && !name_cgroup(set, facts))
		return false;
	if (set->pid) {
		if (!parse_number("pid", set->pid, 4194304, &n))
			return false;
		flow->pid = n;
		know(facts, SMCU_DIM_PID);
		ask_process(facts, set->pid);
	}
	return true;
}

static bool parse_facts(const struct settings *set, struct facts *facts)
{
	struct smcu_flow *flow = &facts->flow;
	unsigned long n;

	memset(facts, 0, sizeof(*facts));
	flow->dir = SMCU_DIR_OUT;
	know(facts, SMCU_DIM_DIR);
	if (set->direction && !strcmp(set->direction, "in")) {
		flow->dir = SMCU_DIR_IN;
	} else if (set->direction && strcmp(set->direction, "out")) {
		log_error("--direction is in or out, not '%s'", set->direction);
		return false;
	}
	if (set->dst && flow->dir == SMCU_DIR_IN) {
		log_error("--dst makes no sense with --direction in: a socket that binds has no peer yet");
		return false;
	}
	if (set->dst) {
		if (!parse_address("dst", set->dst, flow->dst, &flow->dst_af))
			return false;
		know(facts, SMCU_DIM_DST);
	}
	if (set->src) {
		if (!parse_address("src", set->src, flow->src, &flow->src_af))
			return false;
		know(facts, SMCU_DIM_SRC);
	}
	if (set->port) {
		if (!parse_number("port", set->port, 65535, &n))
			return false;
		flow->port = n;
		know(facts, SMCU_DIM_PORT);
	}
	return parse_who(set, facts);
}

/* What the programs would decide. Return: false with the reason printed. */
static bool match(const struct smcpol *policy, const struct facts *facts, int *rule)
{
	struct smcpol_image *image = smcpol_compile(policy);
	struct smcu_flow flow = facts->flow;
	struct smcu_policy_cgroup sets;
	bool ok = image && smcpol_image_reserve(image, 2);

	if (ok && facts->cgroup) {
		ok = smcpol_image_cgroup(image->blocks, policy, facts->cgroup, &sets);
		flow.cgroup = sets.self;
		flow.known |= 1U << SMCU_DIM_CGROUP;
	}
	if (ok)
		*rule = smcpol_image_match(image, &flow);
	else
		log_error("the policy cannot be compiled: %s", strerror(errno));
	smcpol_image_free(image);
	return ok;
}

/* An answer is only as good as what is known. */
static void warn_of_unknown(const struct smcpol *policy, const struct facts *facts)
{
	unsigned int dim, missing = smcpol_dims(policy) & ~(unsigned int)facts->flow.known;

	if (facts->cgroup)
		missing &= ~(1U << SMCU_DIM_CGROUP);
	/* Not having one is a fact. */
	missing &= ~(1U << SMCU_DIM_SRC);
	if (facts->flow.dir == SMCU_DIR_IN)
		missing &= ~(1U << SMCU_DIM_DST);
	for (dim = 0; dim < SMCU_DIM_COUNT; dim++) {
		if (missing >> dim & 1)
			log_warning("%s is not known, so no rule that asks for it matches: --%s", dim_name[dim], dim_name[dim]);
	}
}

/* Each rule that was passed over and why, then the one that decides. */
static int explain(const struct settings *set, const struct smcpol *policy, const struct facts *facts)
{
	const struct smcu_flow *flow = &facts->flow;
	int rule = smcpol_eval(policy, flow, facts->cgroup), compiled, i;
	int end = rule == SMCU_NO_MATCH ? (int)smcpol_nr_rules(policy) : rule;
	const char *action = smcpol_rule_is_smc(policy, rule) ? "smc" : "tcp";
	json_t *passed;

	if (!match(policy, facts, &compiled))
		return EX_FAILED;
	if (compiled != rule) {
		log_error("the compiled policy says '%s', but its text '%s': this is a bug, please report it with the policy",
			  smcpol_rule_name(policy, compiled), smcpol_rule_name(policy, rule));
		return EX_FAILED;
	}
	warn_of_unknown(policy, facts);
	if (!set->json) {
		for (i = 0; i < end; i++)
			printf("  %s: does not match, %s differs\n", smcpol_rule_name(policy, i),
			       smcpol_why_not(policy, i, flow, facts->cgroup));
		printf("%s: %s\n", smcpol_rule_name(policy, rule), action);
		return EX_DONE;
	}
	passed = json_array();
	for (i = 0; i < end; i++)
		json_array_append_new(passed, json_pack("{s:s, s:s}", "rule", smcpol_rule_name(policy, i), "differs",
							smcpol_why_not(policy, i, flow, facts->cgroup)));
	return out_json(json_pack("{s:s, s:s, s:o}", "rule", smcpol_rule_name(policy, rule), "action", action, "passed",
				  passed));
}

int cmd_explain(const struct settings *set, char **operands)
{
	struct smcpol *policy = NULL;
	struct policy_info info;
	struct facts facts;
	int code = EX_FAILED;

	(void)operands;
	if (!parse_facts(set, &facts)) {
		code = EX_USAGE_ERROR;
		goto out;
	}
	if (set->policy) {
		policy = policy_read_file(set->policy, &code);
	} else if (!in_force_read(set, &info)) {
		policy = policy_read_text("policy in force", info.text, &code);
		policy_info_free(&info);
	}
	if (policy)
		code = explain(set, policy, &facts);
	smcpol_free(policy);
out:
	free(facts.cgroup);
	return code;
}
