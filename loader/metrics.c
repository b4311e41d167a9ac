// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Metrics: gathered as an array of families, {name, type, help, samples: [{labels, value}]}, and written as OpenMetrics text
 * (prometheus.io/docs/specs/om/open_metrics_spec): counters end with _total, the text with # EOF.
 */
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

static json_t *family(json_t *families, const char *name, const char *type, const char *help)
{
	json_t *samples = json_array();

	json_array_append_new(families, json_pack("{s:s, s:s, s:s, s:o}", "name", name, "type", type, "help", help, "samples",
						  samples));
	return samples;
}

/* Takes labels, which may be NULL. */
static void sample(json_t *samples, json_t *labels, json_int_t value)
{
	json_array_append_new(samples, json_pack("{s:o, s:I}", "labels", labels ? labels : json_object(), "value", value));
}

static void single(json_t *families, const char *name, const char *type, const char *help, json_int_t value)
{
	sample(family(families, name, type, help), NULL, value);
}

void policy_hash(const char *text, char hex[65])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	unsigned int i;

	sha256_init(&ctx);
	sha256_update(&ctx, strlen(text), (const uint8_t *)text);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void add_rules(json_t *families, const struct policy_info *info)
{
	json_t *hits = family(families, "smc_ulp_rule_hits", "counter", "Sockets that a rule decided.");
	json_t *enabled = family(families, "smc_ulp_rule_enabled", "counter", "Of these: moved to SMC, or being so already.");
	json_t *failed = family(families, "smc_ulp_rule_failed", "counter", "Of these: to be moved, but the kernel refused.");
	json_t *decisions = family(families, "smc_ulp_decisions", "counter", "Sockets decided, by what was decided.");
	uint64_t sum[2] = { info->past[SMCU_ACTION_TCP], info->past[SMCU_ACTION_SMC] };
	unsigned int i;

	for (i = 0; i < info->nr_records; i++) {
		const struct smcu_policy_rule *r = &info->records[i];
		bool is_smc = r->action == SMCU_ACTION_SMC;

		sum[r->action] += r->hits;
		sample(hits, json_pack("{s:s, s:s}", "rule", r->name, "action", is_smc ? "smc" : "tcp"), r->hits);
		if (!is_smc)
			continue;
		sample(enabled, json_pack("{s:s}", "rule", r->name), r->enabled);
		sample(failed, json_pack("{s:s}", "rule", r->name), r->failed);
	}
	sample(decisions, json_pack("{s:s}", "action", "smc"), sum[SMCU_ACTION_SMC]);
	sample(decisions, json_pack("{s:s}", "action", "tcp"), sum[SMCU_ACTION_TCP]);
}

static void add_policy(json_t *families, const struct pins *pins)
{
	struct policy_info info;
	struct maps maps;
	char hash[65];

	if (maps_open(&maps, pins))
		return;
	if (maps_have_policy(&maps) && !maps_read(&maps, pins, &info)) {
		policy_hash(info.text, hash);
		single(families, "smc_ulp_policy_generation", "gauge", "Number of the policy in force.", info.generation);
		single(families, "smc_ulp_policy_loaded_timestamp_seconds", "gauge", "When it was put in force.", info.loaded);
		single(families, "smc_ulp_policy_off", "gauge", "1 if the policy is switched off.", maps.word->off != 0);
		sample(family(families, "smc_ulp_policy", "info", "The policy in force, by the hash of its canonical text."),
		       json_pack("{s:s}", "sha256", hash), 1);
		add_rules(families, &info);
		policy_info_free(&info);
	}
	maps_close(&maps);
}

static void add_links(json_t *families, const struct pins *pins)
{
	struct link_state *links;
	int i, nr, live = 0, dead = 0;
	json_t *samples;

	nr = links_list(pins, &links);
	for (i = 0; i < nr; i++) {
		live += links[i].id != 0;
		dead += !links[i].id;
	}
	if (nr >= 0)
		free(links);
	samples = family(families, "smc_ulp_links", "gauge", "Programs attached to cgroups; dead: the cgroup was removed.");
	sample(samples, json_pack("{s:s}", "state", "attached"), live);
	sample(samples, json_pack("{s:s}", "state", "dead"), dead);
}

/* Counters with a family of their own; all others become events. */
static const struct {
	const char *key, *name, *label, *value, *help;
} kernel_families[] = {
	{ "smc_client", "smc_ulp_conversions", "role", "client", "Connections that became SMC." },
	{ "smc_server", "smc_ulp_conversions", "role", "server", NULL },
	{ "hs_client", "smc_ulp_handshakes", "role", "client", "SMC handshakes begun." },
	{ "hs_server", "smc_ulp_handshakes", "role", "server", NULL },
	{ "tx_bytes", "smc_ulp_bytes", "direction", "sent", "Bytes that programs moved over SMC." },
	{ "rx_bytes", "smc_ulp_bytes", "direction", "received", NULL },
};

#define NR_KERNEL_FAMILIES (sizeof(kernel_families) / sizeof(*kernel_families))
#define FALLBACK "fallback_"

static bool has_family(const char *key)
{
	unsigned int i;

	for (i = 0; i < NR_KERNEL_FAMILIES; i++) {
		if (!strcmp(kernel_families[i].key, key))
			return true;
	}
	return !strcmp(key, "handshakes_now") || !strncmp(key, FALLBACK, strlen(FALLBACK));
}

static void add_kernel(json_t *families, struct kstats *kstats)
{
	json_t *counters = kstats_read(kstats), *samples = NULL, *value;
	unsigned int i;
	const char *key;

	if (!json_object_size(counters)) {
		json_decref(counters);
		return;
	}
	for (i = 0; i < NR_KERNEL_FAMILIES; i++) {
		if (kernel_families[i].help)
			samples = family(families, kernel_families[i].name, "counter", kernel_families[i].help);
		sample(samples, json_pack("{s:s}", kernel_families[i].label, kernel_families[i].value),
		       json_integer_value(json_object_get(counters, kernel_families[i].key)));
	}
	samples = family(families, "smc_ulp_fallbacks", "counter", "Converted sockets that went back to TCP, by reason.");
	json_object_foreach(counters, key, value) {
		if (!strncmp(key, FALLBACK, strlen(FALLBACK)))
			sample(samples, json_pack("{s:s}", "reason", key + strlen(FALLBACK)), json_integer_value(value));
	}
	samples = family(families, "smc_ulp_events", "counter", "What else the module counts.");
	json_object_foreach(counters, key, value) {
		if (!has_family(key))
			sample(samples, json_pack("{s:s}", "event", key), json_integer_value(value));
	}
	single(families, "smc_ulp_handshakes_running", "gauge", "SMC handshakes under way.",
	       json_integer_value(json_object_get(counters, "handshakes_now")));
	json_decref(counters);
}

static void add_daemon(json_t *families, const struct daemon_stats *d)
{
	json_t *samples = family(families, "smc_ulp_policy_reloads", "counter", "Times the policy file was looked at, by outcome.");

	sample(samples, json_pack("{s:s}", "outcome", "loaded"), d->loaded);
	sample(samples, json_pack("{s:s}", "outcome", "unchanged"), d->unchanged);
	sample(samples, json_pack("{s:s}", "outcome", "invalid"), d->invalid);
	sample(samples, json_pack("{s:s}", "outcome", "failed"), d->failed);
	single(families, "smc_ulp_policy_file_bad", "gauge", "1 if the policy file as it is now could not be loaded.", d->is_bad);
	single(families, "smc_ulp_attach_failures", "counter", "Cgroups that could not be attached.", d->attach_failed);
}

json_t *metrics_gather(const struct settings *set, const struct daemon_stats *daemon, struct kstats *kstats)
{
	json_t *families = json_array(), *samples;
	struct features features;
	struct pins pins;
	int ret;

	sample(family(families, "smc_ulp_loader", "info", "This program."), json_pack("{s:s}", "version", VERSION), 1);
	features_probe(&features);
	samples = family(families, "smc_ulp_module_loaded", "gauge", "1 if the module is loaded.");
	sample(samples, json_pack("{s:s}", "module", "smc_ulp"), features.has_module);
	sample(samples, json_pack("{s:s}", "module", "smc_ulp_bpf"), features.has_redirect);

	ret = pins_open(&pins, set, false);
	if (ret < 0) {
		json_decref(families);
		return NULL;
	}
	if (ret) {
		add_links(families, &pins);
		add_policy(families, &pins);
		pins_close(&pins);
	}
	add_kernel(families, kstats);
	if (daemon)
		add_daemon(families, daemon);
	return families;
}

static void write_value(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
}

static void write_sample(FILE *out, const char *name, const char *type, const json_t *s)
{
	const char *suffix = !strcmp(type, "counter") ? "_total" : !strcmp(type, "info") ? "_info" : "";
	const char *key, *sep = "{";
	json_t *value;

	fprintf(out, "%s%s", name, suffix);
	json_object_foreach(json_object_get(s, "labels"), key, value) {
		fprintf(out, "%s%s=\"", sep, key);
		write_value(out, json_string_value(value));
		fputc('"', out);
		sep = ",";
	}
	fprintf(out, "%s %lld\n", *sep == ',' ? "}" : "", (long long)json_integer_value(json_object_get(s, "value")));
}

void metrics_write(FILE *out, const json_t *families)
{
	const char *name, *type;
	json_t *f, *s;
	size_t i, k;

	json_array_foreach((json_t *)families, i, f) {
		name = json_string_value(json_object_get(f, "name"));
		type = json_string_value(json_object_get(f, "type"));
		fprintf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, json_string_value(json_object_get(f, "help")));
		json_array_foreach(json_object_get(f, "samples"), k, s)
			write_sample(out, name, type, s);
	}
	fputs("# EOF\n", out);
}

int cmd_metrics(const struct settings *set, char **operands)
{
	json_t *families = metrics_gather(set, NULL, NULL);

	(void)operands;
	if (!families)
		return EX_FAILED;
	if (set->json)
		return out_json(families);
	metrics_write(stdout, families);
	json_decref(families);
	return EX_DONE;
}
