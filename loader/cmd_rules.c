// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* rules: the counters of the policy in force. */
#include <stdlib.h>
#include <string.h>

#include "loader.h"

static const struct column columns[] = {
	{ "rule", "RULE" },		{ "action", "ACTION" },		{ "hits", "HITS", true },
	{ "enabled", "ENABLED", true }, { "failed", "FAILED", true },	{ "last_error", "LAST-ERROR" },
	{ 0 },
};

static int by_hits(const void *a, const void *b)
{
	const struct smcu_policy_rule *const *ra = a, *const *rb = b;

	return ((*ra)->hits < (*rb)->hits) - ((*ra)->hits > (*rb)->hits);
}

static int by_enabled(const void *a, const void *b)
{
	const struct smcu_policy_rule *const *ra = a, *const *rb = b;

	return ((*ra)->enabled < (*rb)->enabled) - ((*ra)->enabled > (*rb)->enabled);
}

static int by_failed(const void *a, const void *b)
{
	const struct smcu_policy_rule *const *ra = a, *const *rb = b;

	return ((*ra)->failed < (*rb)->failed) - ((*ra)->failed > (*rb)->failed);
}

static int by_name(const void *a, const void *b)
{
	const struct smcu_policy_rule *const *ra = a, *const *rb = b;

	return strcmp((*ra)->name, (*rb)->name);
}

static const struct {
	const char *name;
	int (*compare)(const void *a, const void *b);
} orders[] = { { "hits", by_hits }, { "enabled", by_enabled }, { "failed", by_failed }, { "name", by_name } };

/* In the order in which they are tried, the default last; or as --sort says. NULL without memory. */
static const struct smcu_policy_rule **order(const struct policy_info *info, int (*compare)(const void *a, const void *b))
{
	const struct smcu_policy_rule **sorted = calloc(info->nr_records, sizeof(*sorted));
	unsigned int i;

	for (i = 0; sorted && i < info->nr_records; i++)
		sorted[i] = &info->records[(i + 1) % info->nr_records];
	if (sorted && compare)
		qsort(sorted, info->nr_records, sizeof(*sorted), compare);
	return sorted;
}

int cmd_rules(const struct settings *set, char **operands)
{
	int (*compare)(const void *a, const void *b) = NULL;
	const struct smcu_policy_rule **sorted;
	struct policy_info info;
	unsigned int i;
	json_t *rows;
	int code;

	(void)operands;
	for (i = 0; set->sort && !compare && i < sizeof(orders) / sizeof(*orders); i++) {
		if (!strcasecmp(set->sort, orders[i].name))
			compare = orders[i].compare;
	}
	if (set->sort && !compare) {
		log_error("--sort is hits, enabled, failed or name, not '%s'", set->sort);
		return EX_USAGE_ERROR;
	}
	if (in_force_read(set, &info))
		return EX_FAILED;

	rows = json_array();
	sorted = order(&info, compare);
	for (i = 0; sorted && i < info.nr_records; i++) {
		const struct smcu_policy_rule *r = sorted[i];

		json_array_append_new(rows, json_pack("{s:s, s:s, s:I, s:I, s:I, s:s?}", "rule", r->name, "action",
						      r->action == SMCU_ACTION_SMC ? "smc" : "tcp", "hits", (json_int_t)r->hits,
						      "enabled", (json_int_t)r->enabled, "failed", (json_int_t)r->failed,
						      "last_error", r->last_error ? strerror(-r->last_error) : NULL));
	}
	free(sorted);
	policy_info_free(&info);
	if (set->json)
		return out_json(rows);
	code = out_table(rows, columns);
	json_decref(rows);
	return code;
}
