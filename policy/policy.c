// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* The policy as an object: made of text by the phases in order, asked about its rules, freed. */
#include <stdlib.h>

#include "ast.h"

static struct smcpol *load(const struct source *src)
{
	struct smcpol *policy;
	struct node *root;

	root = node_load(src);
	if (!root)
		return NULL;
	policy = calloc(1, sizeof(*policy));
	if (policy && !(policy_parse(src, root, policy) && policy_check(src, policy))) {
		smcpol_free(policy);
		policy = NULL;
	}
	node_free(root);
	return policy;
}

struct smcpol *smcpol_load_named(const char *name, const char *text, size_t len, const struct smcpol_resolver *resolver,
				 struct smcpol_diag *diag)
{
	const struct source src = { .name = name, .text = text, .len = len, .resolver = resolver, .diag = diag };

	return load(&src);
}

struct smcpol *smcpol_load(const char *name, const char *text, size_t len, struct smcpol_diag *diag)
{
	const struct source src = { .name = name, .text = text, .len = len, .diag = diag, .is_canonical = true };

	return load(&src);
}

void smcpol_free(struct smcpol *policy)
{
	unsigned int i, j;

	if (!policy)
		return;
	for (i = 0; i < policy->nr_rules; i++) {
		struct rule *rule = &policy->rules[i];

		free(rule->dst.at);
		free(rule->src.at);
		free(rule->port.at);
		free(rule->pid.at);
		free(rule->uid.at);
		free(rule->gid.at);
		free(rule->netns.at);
		free(rule->comm.at);
		for (j = 0; j < rule->cgroup.nr; j++)
			free(rule->cgroup.at[j]);
		free(rule->cgroup.at);
	}
	free(policy->rules);
	free(policy);
}

bool smcpol_names_cgroups(const struct smcpol *policy)
{
	unsigned int i;

	for (i = 0; i < policy->nr_rules; i++) {
		if (policy->rules[i].cgroup.nr)
			return true;
	}
	return false;
}

unsigned int smcpol_nr_rules(const struct smcpol *policy)
{
	return policy->nr_rules;
}

const char *smcpol_rule_name(const struct smcpol *policy, int rule)
{
	return rule == SMCU_NO_MATCH ? "default" : policy->rules[rule].name;
}

bool smcpol_rule_is_smc(const struct smcpol *policy, int rule)
{
	return (rule == SMCU_NO_MATCH ? policy->dflt : policy->rules[rule].action) == SMCU_ACTION_SMC;
}

unsigned int smcpol_dims(const struct smcpol *policy)
{
	unsigned int i, dims = 0;

	for (i = 0; i < policy->nr_rules; i++)
		dims |= rule_dims(&policy->rules[i]);
	return dims;
}
