// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* policy check, policy show, explain: what a policy says, without changing anything. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

int cmd_policy_check(const struct settings *set, char **operands)
{
	struct smcpol *policy;
	int code;

	policy = policy_read_file(operands[0], &code);
	if (!policy)
		return code;
	code = EX_DONE;
	if (set->json)
		code = out_json(json_pack("{s:b, s:i}", "valid", 1, "rules", smcpol_nr_rules(policy)));
	else if (!set->quiet)
		printf("%s: valid, %u rules\n", operands[0], smcpol_nr_rules(policy));
	smcpol_free(policy);
	return code;
}

/* The policy in force, or NULL with the reason printed. */
static char *text_in_force(const struct settings *set, unsigned int *generation)
{
	struct policy_info info = { 0 };
	char *text = NULL;
	struct maps maps;
	struct pins pins;
	int ret, err;

	ret = pins_open(&pins, set, false);
	if (ret < 0)
		return NULL;
	err = ret ? maps_open(&maps, &pins) : -ENOENT;
	if (!err) {
		err = maps_have_policy(&maps) ? maps_read(&maps, &pins, &info) : -ENOENT;
		maps_close(&maps);
	}
	if (ret)
		pins_close(&pins);
	if (err) {
		log_error("%s%s", err == -ENOENT ? "no policy is in force: attach one" : "the policy cannot be read: ",
			  err == -ENOENT ? "" : strerror(-err));
		return NULL;
	}
	text = strdup(info.text);
	*generation = info.generation;
	policy_info_free(&info);
	return text;
}

int cmd_policy_show(const struct settings *set, char **operands)
{
	unsigned int generation;
	char *text;
	int code = EX_DONE;

	(void)operands;
	text = text_in_force(set, &generation);
	if (!text)
		return EX_FAILED;
	if (set->json)
		code = out_json(json_pack("{s:i, s:s}", "generation", generation, "text", text));
	else
		fputs(text, stdout);
	free(text);
	return code;
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

static bool parse_flow(const struct settings *set, struct smcu_flow *flow)
{
	unsigned long n;

	memset(flow, 0, sizeof(*flow));
	flow->dir = SMCU_DIR_OUT;
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
	if (set->dst && !parse_address("dst", set->dst, flow->dst, &flow->dst_af))
		return false;
	if (set->src && !parse_address("src", set->src, flow->src, &flow->src_af))
		return false;
	if (set->port) {
		if (!parse_number("port", set->port, 65535, &n))
			return false;
		flow->port = n;
	}
	if (set->pid) {
		if (!parse_number("pid", set->pid, 4194304, &n))
			return false;
		flow->pid = n;
	}
	return true;
}

/* Each rule that was passed over and why, then the one that decides. */
static int explain(const struct settings *set, const struct smcpol *policy, const struct smcu_flow *flow)
{
	int rule = smcpol_eval(policy, flow), i;
	int end = rule == SMCU_NO_MATCH ? (int)smcpol_nr_rules(policy) : rule;
	const char *action = smcpol_rule_is_smc(policy, rule) ? "smc" : "tcp";
	json_t *passed;

	if (!set->json) {
		for (i = 0; i < end; i++)
			printf("  %s: does not match, %s differs\n", smcpol_rule_name(policy, i),
			       smcpol_why_not(policy, i, flow));
		printf("%s: %s\n", smcpol_rule_name(policy, rule), action);
		return EX_DONE;
	}
	passed = json_array();
	for (i = 0; i < end; i++)
		json_array_append_new(passed, json_pack("{s:s, s:s}", "rule", smcpol_rule_name(policy, i), "differs",
							smcpol_why_not(policy, i, flow)));
	return out_json(json_pack("{s:s, s:s, s:o}", "rule", smcpol_rule_name(policy, rule), "action", action, "passed",
				  passed));
}

int cmd_explain(const struct settings *set, char **operands)
{
	struct smcpol_diag *diag = NULL;
	struct smcpol *policy = NULL;
	struct smcu_flow flow;
	unsigned int generation;
	char *text = NULL;
	int code = EX_FAILED;

	(void)operands;
	if (!parse_flow(set, &flow))
		return EX_USAGE_ERROR;
	if (set->policy) {
		policy = policy_read_file(set->policy, &code);
	} else {
		text = text_in_force(set, &generation);
		diag = text ? smcpol_diag_new() : NULL;
		policy = diag ? smcpol_load("policy in force", text, strlen(text), diag) : NULL;
	}
	if (policy)
		code = explain(set, policy, &flow);
	smcpol_free(policy);
	smcpol_diag_free(diag);
	free(text);
	return code;
}
