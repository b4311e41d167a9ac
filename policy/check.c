// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* What is well-formed but cannot be meant, or cannot be carried out. */
#include <stdlib.h>
#include <string.h>

#include "ast.h"

static int by_name(const void *a, const void *b)
{
	const struct rule *ra = *(const struct rule *const *)a, *rb = *(const struct rule *const *)b;
	int d = strcmp(ra->name, rb->name);

	return d ? d : (ra > rb) - (ra < rb);
}

static bool names_are_unique(const struct source *src, const struct smcpol *policy)
{
	const struct rule **sorted;
	unsigned int i;
	bool ok = true;

	sorted = calloc(policy->nr_rules + 1, sizeof(*sorted));
	if (!sorted) {
		diag_error(src, (struct pos){ 1, 1, 1 }, "out of memory");
		return false;
	}
	for (i = 0; i < policy->nr_rules; i++)
		sorted[i] = &policy->rules[i];
	qsort(sorted, policy->nr_rules, sizeof(*sorted), by_name);
	for (i = 1; i < policy->nr_rules; i++) {
		if (strcmp(sorted[i - 1]->name, sorted[i]->name))
			continue;
		diag_error(src, sorted[i]->pos, "rule '%s' exists already, in line %u: names tell counters apart",
			   sorted[i]->name, sorted[i - 1]->pos.line);
		ok = false;
	}
	free(sorted);
	return ok;
}

/* At most, before equal entries are merged. */
static unsigned int entries(const struct rule *rule)
{
	unsigned int i, n = 2 + rule->dst.nr + rule->src.nr;

	for (i = 0; i < rule->port.nr; i++)
		n += range_prefixes(rule->port.at[i], 16, NULL, NULL);
	for (i = 0; i < rule->pid.nr; i++)
		n += range_prefixes(rule->pid.at[i], 32, NULL, NULL);
	return n;
}

static bool is_unconstrained(const struct rule *rule)
{
	return (!rule->dirs || rule->dirs == (1U << SMCU_DIR_IN | 1U << SMCU_DIR_OUT)) && !rule->dst.nr &&
	       !rule->src.nr && !rule->port.nr && !rule->pid.nr;
}

/* false: an error was reported. Warnings alone do not fail a policy. */
bool policy_check(const struct source *src, const struct smcpol *policy)
{
	const struct rule *catches_all = NULL;
	unsigned int i, total = SMCU_DIM_COUNT;
	bool ok = names_are_unique(src, policy);

	for (i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->dst.nr && rule->dirs == 1U << SMCU_DIR_IN) {
			diag_error(src, rule->dst_pos,
				   "rule '%s' could never match: who will connect is not known when a server binds; 'src' is its own address",
				   rule->name);
			ok = false;
		}
		if (catches_all)
			diag_warning(src, rule->pos, "rule '%s' is never reached: '%s' in line %u matches everything",
				     rule->name, catches_all->name, catches_all->pos.line);
		else if (is_unconstrained(rule))
			catches_all = rule;

		total += entries(rule);
		if (total > SMCPOL_MAX_ENTRIES) {
			diag_error(src, rule->pos, "too large: addresses and port ranges up to here need more than %u entries",
				   SMCPOL_MAX_ENTRIES);
			return false;
		}
	}
	return ok;
}
