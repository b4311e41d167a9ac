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

/**
 * smcpol_load_named() - read a policy in which users, groups and network namespaces may have names
 * @name: what messages call the text, usually a file name
 * @text: YAML; need not be NUL-terminated
 * @len: its length
 * @resolver: knows users, groups and network namespaces; NULL: only numbers are accepted
 * @diag: takes errors and warnings
 *
 * Return: a policy without errors, which can be compiled and whose canonical text can be read again, to be freed with smcpol_free(); or
 * NULL, and the reasons are in @diag.
 */
struct smcpol *smcpol_load_named(const char *name, const char *text, size_t len, const struct smcpol_resolver *resolver,
				 struct smcpol_diag *diag)
{
	const struct source src = { .name = name, .text = text, .len = len, .resolver = resolver, .diag = diag };

	return load(&src);
}

/**
 * smcpol_load() - read a policy as smcpol_print() writes it: numbers only
 * @name: what messages call the text
 * @text: YAML; need not be NUL-terminated
 * @len: its length
 * @diag: takes errors; of what takes long to find or was told when the source was read, nothing is said
 *
 * Return: as smcpol_load_named().
 */
struct smcpol *smcpol_load(const char *name, const char *text, size_t len, struct smcpol_diag *diag)
{
	const struct source src = { .name = name, .text = text, .len = len, .diag = diag, .is_canonical = true };

	return load(&src);
}

/**
 * smcpol_free() - free a policy
 * @policy: from smcpol_load(), or NULL
 */
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

/**
 * smcpol_names_cgroups() - does any rule ask for the cgroup
 * @policy: the policy
 *
 * Return: true if cgroups that appear have to be classified.
 */
bool smcpol_names_cgroups(const struct smcpol *policy)
{
	unsigned int i;

	for (i = 0; i < policy->nr_rules; i++) {
		if (policy->rules[i].cgroup.nr)
			return true;
	}
	return false;
}

/**
 * smcpol_nr_rules() - the number of rules, the default not counted
 * @policy: the policy
 *
 * Return: 0 to SMCU_POLICY_MAX_RULES.
 */
unsigned int smcpol_nr_rules(const struct smcpol *policy)
{
	return policy->nr_rules;
}

/**
 * smcpol_rule_name() - what a rule is called
 * @policy: the policy
 * @rule: its index, or SMCU_NO_MATCH
 *
 * Return: "default" for SMCU_NO_MATCH.
 */
const char *smcpol_rule_name(const struct smcpol *policy, int rule)
{
	return rule == SMCU_NO_MATCH ? "default" : policy->rules[rule].name;
}

/**
 * smcpol_rule_is_smc() - what a rule decides
 * @policy: the policy
 * @rule: its index, or SMCU_NO_MATCH for the default
 *
 * Return: true for SMC, false for TCP.
 */
bool smcpol_rule_is_smc(const struct smcpol *policy, int rule)
{
	return (rule == SMCU_NO_MATCH ? policy->dflt : policy->rules[rule].action) == SMCU_ACTION_SMC;
}

/**
 * smcpol_dims() - which facts a policy's rules ask for
 * @policy: the policy
 *
 * Return: bit d is set if any rule constrains dimension d (SMCU_DIM_*).
 */
unsigned int smcpol_dims(const struct smcpol *policy)
{
	unsigned int i, dims = 0;

	for (i = 0; i < policy->nr_rules; i++)
		dims |= rule_dims(&policy->rules[i]);
	return dims;
}
