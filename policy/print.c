// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * A policy as canonical text: one rule a line, keys in a fixed order, numbers instead of names. Reading it again gives the same policy,
 * on whatever machine.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "ast.h"

static const char *action_name(__u32 action)
{
	return action == SMCU_ACTION_SMC ? "smc" : "tcp";
}

/* Starts a key's list, after a comma if another key came before. */
static void open_list(FILE *out, const char *key, bool *is_first)
{
	fprintf(out, "%s%s: [", *is_first ? " " : ", ", key);
	*is_first = false;
}

static void print_cidrs(FILE *out, const char *key, const struct cidrs *list, bool *is_first)
{
	char text[INET6_ADDRSTRLEN];
	unsigned int i;

	if (!list->nr)
		return;
	open_list(out, key, is_first);
	for (i = 0; i < list->nr; i++) {
		const struct cidr *cidr = &list->at[i];

		inet_ntop(cidr->af == 4 ? AF_INET : AF_INET6, cidr->addr, text, sizeof(text));
		/* Quoted: '::/0' begins like a mapping's value indicator. */
		fprintf(out, "%s\"%s/%u\"", i ? ", " : "", text, cidr->plen);
	}
	fputc(']', out);
}

static void print_ranges(FILE *out, const char *key, const struct ranges *list, bool *is_first)
{
	unsigned int i;

	if (!list->nr)
		return;
	open_list(out, key, is_first);
	for (i = 0; i < list->nr; i++) {
		fprintf(out, "%s%u", i ? ", " : "", list->at[i].lo);
		if (list->at[i].lo != list->at[i].hi)
			fprintf(out, "-%u", list->at[i].hi);
	}
	fputc(']', out);
}

/* In double quotes, as texts may look like anything. They hold printable ASCII only. */
static void print_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_comms(FILE *out, const struct comms *list, bool *is_first)
{
	unsigned int i;

	if (!list->nr)
		return;
	open_list(out, "comm", is_first);
	for (i = 0; i < list->nr; i++) {
		fputs(i ? ", " : "", out);
		print_text(out, list->at[i].text);
		fputs(list->at[i].is_prefix ? "*\"" : "\"", out);
	}
	fputc(']', out);
}

static void print_globs(FILE *out, const char *key, const struct globs *list, bool *is_first)
{
	unsigned int i;

	if (!list->nr)
		return;
	open_list(out, key, is_first);
	for (i = 0; i < list->nr; i++) {
		fputs(i ? ", " : "", out);
		print_text(out, list->at[i]);
		fputc('"', out);
	}
	fputc(']', out);
}

static void print_rule(FILE *out, const struct rule *rule)
{
	bool is_first = true;

	fprintf(out, "  - { name: %s, match: {", rule->name);
	if (rule->dirs) {
		open_list(out, "direction", &is_first);
		fprintf(out, "%s%s%s]", rule->dirs >> SMCU_DIR_OUT & 1 ? "out" : "",
			rule->dirs == (1U << SMCU_DIR_IN | 1U << SMCU_DIR_OUT) ? ", " : "",
			rule->dirs >> SMCU_DIR_IN & 1 ? "in" : "");
	}
	print_cidrs(out, "dst", &rule->dst, &is_first);
	print_cidrs(out, "src", &rule->src, &is_first);
	print_ranges(out, "port", &rule->port, &is_first);
	print_ranges(out, "pid", &rule->pid, &is_first);
	print_ranges(out, "uid", &rule->uid, &is_first);
	print_ranges(out, "gid", &rule->gid, &is_first);
	print_comms(out, &rule->comm, &is_first);
	print_globs(out, "cgroup", &rule->cgroup, &is_first);
	print_ranges(out, "netns", &rule->netns, &is_first);
	fprintf(out, "%s}, action: %s }\n", is_first ? "" : " ", action_name(rule->action));
}

char *smcpol_print(const struct smcpol *policy)
{
	char *text = NULL;
	unsigned int i;
	size_t len;
	FILE *out;

	out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	fprintf(out, "version: 1\ndefault: %s\n", action_name(policy->dflt));
	if (policy->nr_rules)
		fputs("rules:\n", out);
	for (i = 0; i < policy->nr_rules; i++)
		print_rule(out, &policy->rules[i]);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
