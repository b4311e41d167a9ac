// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* status, features: what is there, as tables or JSON made of the same objects. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader.h"

static json_t *features_json(const struct features *f)
{
	return json_pack("{s:b, s:b, s:b, s:s}", "smc_ulp", f->has_module, "smc_ulp_bpf", f->has_redirect, "kfunc",
			 f->has_kfunc, "enabling", way_name(f->way));
}

static json_t *links_json(const struct settings *set, const struct pins *pins)
{
	json_t *rows = json_array();
	struct link_state *links;
	int i, nr;

	nr = links_list(pins, &links);
	for (i = 0; i < nr; i++) {
		char *path = links[i].id ? cgroup_path(set, links[i].id) : NULL, *name = out_name(path);

		json_array_append_new(rows, json_pack("{s:s?, s:I, s:s, s:i, s:s}", "cgroup", name, "cgroup_id",
						      (json_int_t)links[i].pinned_id, "hook", links[i].hook, "program",
						      links[i].prog, "state", links[i].id ? "attached" : "cgroup removed"));
		free(name);
		free(path);
	}
	if (nr >= 0)
		free(links);
	return rows;
}

static json_t *rules_json(const struct policy_info *info)
{
	json_t *rows = json_array();
	unsigned int i;

	/* In the order in which they are tried: the default, record 0, comes last. */
	for (i = 1; i <= info->nr_records; i++) {
		const struct smcu_policy_rule *r = &info->records[i % info->nr_records];

		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:I, s:I, s:I, s:s?}", "rule", r->name, "action",
					r->action == SMCU_ACTION_SMC ? "smc" : "tcp", "hits", (json_int_t)r->hits, "enabled",
					(json_int_t)r->enabled, "failed", (json_int_t)r->failed, "last_error",
					r->last_error ? strerror(-r->last_error) : NULL));
	}
	return rows;
}

static json_t *policy_json(const struct pins *pins)
{
	struct policy_info info;
	char when[32] = "", hash[65];
	struct maps maps;
	time_t loaded;
	json_t *out;

	if (maps_open(&maps, pins))
		return json_null();
	if (!maps_have_policy(&maps) || maps_read(&maps, pins, &info)) {
		maps_close(&maps);
		return json_null();
	}
	loaded = info.loaded;
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&loaded));
	policy_hash(info.text, hash);
	out = json_pack("{s:i, s:s, s:s, s:b, s:o}", "generation", info.generation, "loaded", when, "sha256", hash, "off",
			maps.word->off != 0, "rules", rules_json(&info));
	policy_info_free(&info);
	maps_close(&maps);
	return out;
}

static void print_features(const struct features *f)
{
	printf("module smc_ulp        %s\n", f->has_module ? "loaded" : "not loaded");
	printf("module smc_ulp_bpf    %s\n", f->has_redirect ? "loaded" : "not loaded");
	printf("kfunc                 %s\n", f->has_kfunc ? "available" : "not available");
	printf("sockets are enabled   %s\n", f->way == WAY_KFUNC      ? "by kfunc" :
					     f->way == WAY_SETSOCKOPT ? "by bpf_setsockopt(TCP_ULP)" :
									"not at all: connections stay on TCP");
}

static const struct column link_columns[] = {
	{ "cgroup", "CGROUP" }, { "hook", "HOOK" }, { "program", "PROGRAM", true }, { "state", "STATE", false, true }, { 0 },
};

static void print_status(const struct features *f, json_t *links, const json_t *policy, bool has_daemon)
{
	static const struct column rule_columns[] = {
		{ "rule", "RULE" },		  { "action", "ACTION" },	  { "hits", "HITS", true },
		{ "enabled", "ENABLED", true }, { "failed", "FAILED", true }, { "last_error", "LAST-ERROR" },
		{ 0 },
	};

	print_features(f);
	printf("daemon                %s\n", has_daemon ? "running" : "not running");
	if (json_is_object(policy))
		printf("policy                generation %d, loaded %s, sha256 %.12s%s\n\n",
		       (int)json_integer_value(json_object_get(policy, "generation")),
		       json_string_value(json_object_get(policy, "loaded")),
		       json_string_value(json_object_get(policy, "sha256")),
		       json_is_true(json_object_get(policy, "off")) ? ", switched off" : "");
	else
		puts("policy                none\n");
	if (!json_array_size(links)) {
		puts("Nothing is attached.");
		return;
	}
	out_table(links, link_columns);
	if (json_is_object(policy)) {
		putchar('\n');
		out_table(json_object_get(policy, "rules"), rule_columns);
	}
}

static bool all_attached(const json_t *links)
{
	const json_t *row;
	size_t i;

	json_array_foreach(links, i, row) {
		if (strcmp(json_string_value(json_object_get(row, "state")), "attached"))
			return false;
	}
	return json_array_size(links);
}

/* What is attached may have been loaded when less was there, or more: a module, a privilege. */
static void look_at_programs(const struct pins *pins, struct features *f)
{
	struct programs *programs = programs_open(pins);

	if (!programs)
		return;
	f->way = programs_way(programs);
	programs_free(programs);
	features_warn(f);
	if (!features_can_enable(f))
		f->way = WAY_NONE;
}

int cmd_status(const struct settings *set, char **operands)
{
	struct features features;
	json_t *links, *policy;
	bool has_daemon;
	struct pins pins;
	int ret, code;

	(void)operands;
	features_probe(&features);
	ret = pins_open(&pins, set, false);
	if (ret < 0)
		return EX_FAILED;
	if (ret)
		look_at_programs(&pins, &features);
	links = ret ? links_json(set, &pins) : json_array();
	policy = ret ? policy_json(&pins) : json_null();
	has_daemon = ret && daemon_is_running(&pins);
	if (ret)
		pins_close(&pins);

	code = features.way != WAY_NONE && json_is_object(policy) && all_attached(links) &&
			       !json_is_true(json_object_get(policy, "off")) ? EX_DONE : EX_DEGRADED;
	if (set->json) {
		ret = out_json(json_pack("{s:o, s:o, s:o, s:b, s:b}", "kernel", features_json(&features), "links", links,
					 "policy", policy, "daemon", has_daemon, "degraded", code == EX_DEGRADED));
		return ret ? ret : code;
	}
	ret = set->columns ? out_table(links, link_columns) : 0;
	if (!set->columns)
		print_status(&features, links, policy, has_daemon);
	json_decref(links);
	json_decref(policy);
	return ret ? ret : code;
}

int cmd_features(const struct settings *set, char **operands)
{
	static const struct column columns[] = {
		{ "feature", "FEATURE" }, { "available", "AVAILABLE", false, true }, { "detail", "DETAIL" }, { 0 },
	};
	struct features features;
	json_t *rows, *out;
	int ret;

	(void)operands;
	features_probe(&features);
	rows = probes_report(set, &features);
	if (set->json) {
		out = features_json(&features);
		json_object_set(out, "features", rows);
		ret = out_json(out);
	} else {
		ret = out_table(rows, columns);
	}
	json_decref(rows);
	if (ret)
		return ret;
	if (features.way != WAY_NONE)
		return EX_DONE;
	return modules_would_help(&features) ? EX_DEGRADED : EX_UNSUPPORTED;
}
