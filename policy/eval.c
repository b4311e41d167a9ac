// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The policy decided rule by rule, as its documentation reads: the oracle for the compiler and the matcher, and the one that can say why
 * a rule does not match. It shares no code with them on purpose.
 */
#include <string.h>

#include "ast.h"

static bool holds_addr(const struct cidrs *list, const __u32 *addr, __u8 af)
{
	const __u8 *bytes = (const __u8 *)addr;
	unsigned int i, bit;

	for (i = 0; i < list->nr; i++) {
		const struct cidr *cidr = &list->at[i];

		if (cidr->af != af)
			continue;
		for (bit = 0; bit < cidr->plen; bit++) {
			if ((bytes[bit / 8] ^ cidr->addr[bit / 8]) >> (7 - bit % 8) & 1)
				break;
		}
		if (bit == cidr->plen)
			return true;
	}
	return false;
}

static bool holds_number(const struct ranges *list, __u32 n)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		if (n >= list->at[i].lo && n <= list->at[i].hi)
			return true;
	}
	return false;
}

static bool holds_comm(const struct comms *list, const char *comm)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		const struct comm *c = &list->at[i];

		if (c->is_prefix ? !strncmp(comm, c->text, strlen(c->text)) : !strncmp(comm, c->text, SMCU_COMM_LEN))
			return true;
	}
	return false;
}

/* One name of a path against one of a pattern; both end at '/' or NUL. */
static bool holds_name(const char *pattern, const char *name)
{
	if (!*pattern || *pattern == '/')
		return !*name || *name == '/';
	if (*pattern == '*') {
		for (;; name++) {
			if (holds_name(pattern + 1, name))
				return true;
			if (!*name || *name == '/')
				return false;
		}
	}
	return *name && *name != '/' && (*pattern == '?' || *pattern == *name) && holds_name(pattern + 1, name + 1);
}

/* What follows text's next '/'; NULL for no name, as after a '/' at the end. */
static const char *next_name(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && slash[1] ? slash + 1 : NULL;
}

/* What follows a '/' of the pattern, and one of the path; NULL where there is none. */
static bool holds_path(const char *pattern, const char *path)
{
	if (pattern && !strcmp(pattern, "**"))
		return true;
	if (!pattern || !path)
		return !pattern && !path;
	return holds_name(pattern, path) && holds_path(next_name(pattern), next_name(path));
}

static bool holds_cgroup(const struct globs *list, const char *path)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		if (holds_path(next_name(list->at[i]), next_name(path)))
			return true;
	}
	return false;
}

const char *smcpol_why_not(const struct smcpol *policy, int rule, const struct smcu_flow *flow, const char *cgroup)
{
	const struct rule *r = &policy->rules[rule];
	unsigned int unknown = ~(unsigned int)flow->known;

#define UNKNOWN(dim) (unknown >> (dim) & 1)
	if (r->dirs && (UNKNOWN(SMCU_DIM_DIR) || !(r->dirs >> flow->dir & 1)))
		return "direction";
	if (r->dst.nr && (UNKNOWN(SMCU_DIM_DST) || !holds_addr(&r->dst, flow->dst, flow->dst_af)))
		return "dst";
	if (r->src.nr && (UNKNOWN(SMCU_DIM_SRC) || !holds_addr(&r->src, flow->src, flow->src_af)))
		return "src";
	if (r->port.nr && (UNKNOWN(SMCU_DIM_PORT) || !holds_number(&r->port, flow->port)))
		return "port";
	if (r->pid.nr && (UNKNOWN(SMCU_DIM_PID) || !holds_number(&r->pid, flow->pid)))
		return "pid";
	if (r->uid.nr && (UNKNOWN(SMCU_DIM_UID) || !holds_number(&r->uid, flow->uid)))
		return "uid";
	if (r->gid.nr && (UNKNOWN(SMCU_DIM_GID) || !holds_number(&r->gid, flow->gid)))
		return "gid";
	if (r->comm.nr && (UNKNOWN(SMCU_DIM_COMM) || !holds_comm(&r->comm, flow->comm)))
		return "comm";
	if (r->cgroup.nr && (!cgroup || !holds_cgroup(&r->cgroup, cgroup)))
		return "cgroup";
	if (r->netns.nr && (UNKNOWN(SMCU_DIM_NETNS) || !holds_number(&r->netns, flow->netns)))
		return "netns";
#undef UNKNOWN
	return NULL;
}

int smcpol_eval(const struct smcpol *policy, const struct smcu_flow *flow, const char *cgroup)
{
	unsigned int i;

	for (i = 0; i < policy->nr_rules; i++) {
		if (!smcpol_why_not(policy, i, flow, cgroup))
			return i;
	}
	return SMCU_NO_MATCH;
}
