// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* The policy as an object: made of text by the phases in order, asked about its rules, freed. */
#include <stdlib.h>

#include "ast.h"

/**
 * smcpol_load() - read a policy
 * @name: what messages call the text, usually a file name
 * @text: YAML; need not be NUL-terminated
 * @len: its length
 * @diag: takes errors and warnings
 *
 * Return: a policy without errors, to be freed with smcpol_free(); or NULL, and the reasons are in @diag.
 */
struct smcpol *smcpol_load(const char *name, const char *text, size_t len, struct smcpol_diag *diag)
{
	const struct source src = { .name = name, .text = text, .len = len, .diag = diag };
	struct smcpol *policy;
	struct node *root;

	root = node_load(&src);
	if (!root)
		return NULL;
	policy = calloc(1, sizeof(*policy));
	if (policy && !(policy_parse(&src, root, policy) && policy_check(&src, policy))) {
		smcpol_free(policy);
		policy = NULL;
	}
	node_free(root);
	return policy;
}

/**
 * smcpol_free() - free a policy
 * @policy: from smcpol_load(), or NULL
 */
void smcpol_free(struct smcpol *policy)
{
	unsigned int i;

	if (!policy)
		return;
	for (i = 0; i < policy->nr_rules; i++) {
		free(policy->rules[i].dst.at);
		free(policy->rules[i].src.at);
		free(policy->rules[i].port.at);
		free(policy->rules[i].pid.at);
	}
	free(policy->rules);
	free(policy);
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
 * smcpol_rule_line() - where a rule stands
 * @policy: the policy
 * @rule: its index
 *
 * Return: the line of its name in the source; 0 for SMCU_NO_MATCH.
 */
unsigned int smcpol_rule_line(const struct smcpol *policy, int rule)
{
	return rule == SMCU_NO_MATCH ? 0 : policy->rules[rule].pos.line;
}
