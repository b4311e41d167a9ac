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

/**
 * smcpol_why_not() - what keeps a rule from matching a flow
 * @policy: the policy
 * @rule: index of the rule
 * @flow: the flow
 *
 * Return: the first key that does not hold the flow's value, or NULL if the rule matches.
 */
const char *smcpol_why_not(const struct smcpol *policy, int rule, const struct smcu_flow *flow)
{
	const struct rule *r = &policy->rules[rule];

	if (r->dirs && !(r->dirs >> flow->dir & 1))
		return "direction";
	if (r->dst.nr && !holds_addr(&r->dst, flow->dst, flow->dst_af))
		return "dst";
	if (r->src.nr && !holds_addr(&r->src, flow->src, flow->src_af))
		return "src";
	if (r->port.nr && !holds_number(&r->port, flow->port))
		return "port";
	if (r->pid.nr && !holds_number(&r->pid, flow->pid))
		return "pid";
	return NULL;
}

/**
 * smcpol_eval() - which rule decides a flow
 * @policy: the policy
 * @flow: the flow
 *
 * Return: the rule's index, or SMCU_NO_MATCH if the default does.
 */
int smcpol_eval(const struct smcpol *policy, const struct smcu_flow *flow)
{
	unsigned int i;

	for (i = 0; i < policy->nr_rules; i++) {
		if (!smcpol_why_not(policy, i, flow))
			return i;
	}
	return SMCU_NO_MATCH;
}
