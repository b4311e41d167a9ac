// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* policy check, show, diff, load, rollback, off, on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

/* A file's name, or what was read in it, may be no UTF-8. */
static json_t *text_json(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();
	char *name = json ? NULL : out_name(text);

	if (name)
		json = json_string(name);
	free(name);
	return json;
}

static json_t *messages_json(const char *file, const struct smcpol_diag *diag)
{
	json_t *list = json_array();
	unsigned int nr, i;
	const struct smcpol_message *m = smcpol_diag_messages(diag, &nr);

	for (i = 0; i < nr; i++, m++)
		json_array_append_new(list, json_pack("{s:o, s:i, s:i, s:s, s:o, s:o}", "file", text_json(file), "line", m->line,
						      "column", m->column, "severity", m->is_error ? "error" : "warning",
						      "message", text_json(m->text), "suggestion", text_json(m->suggestion)));
	return list;
}

static int check_policy(const struct settings *set, const char *file, struct smcpol_diag *diag)
{
	unsigned int rules = 0, bytes = 0;
	struct smcpol_image *image;
	struct smcpol *policy;
	int code;

	policy = policy_read_diag(file, diag, &code);
	if (policy) {
		image = smcpol_compile(policy);
		rules = smcpol_nr_rules(policy);
		if (image)
			bytes = image->nr_blocks * SMCU_BLOCK_SIZE;
		else
			log_error("%s cannot be compiled: %s", file, strerror(errno));
		code = image ? EX_DONE : EX_FAILED;
		smcpol_image_free(image);
		smcpol_free(policy);
	}
	if (code != EX_DONE && code != EX_BAD_POLICY)
		return code;
	if (set->json) {
		json_t *out = json_pack("{s:b, s:i, s:i, s:o}", "valid", code == EX_DONE, "errors", smcpol_diag_errors(diag), "warnings",
					smcpol_diag_warnings(diag), "diagnostics",
					messages_json(strcmp(file, "-") ? file : STDIN_NAME, diag));

		if (code == EX_DONE)
			json_object_update_new(out, json_pack("{s:i, s:i}", "rules", rules, "bytes", bytes));
		return out_json(out) ? EX_FAILED : code;
	}
	if (code == EX_DONE && !set->quiet)
		printf("%s: valid, %u rules, %u bytes compiled\n", file, rules, bytes);
	return code;
}

int cmd_policy_check(const struct settings *set, char **operands)
{
	struct smcpol_diag *diag = smcpol_diag_new();
	int code = EX_FAILED;

	if (diag)
		code = check_policy(set, operands[0], diag);
	else
		log_error("out of memory");
	smcpol_diag_free(diag);
	return code;
}

int cmd_policy_show(const struct settings *set, char **operands)
{
	struct policy_info info;
	int code = EX_DONE;

	(void)operands;
	if (in_force_read(set, &info))
		return EX_FAILED;
	if (set->json)
		code = out_json(json_pack("{s:i, s:s}", "generation", info.generation, "text", info.text));
	else
		fputs(info.text, stdout);
	policy_info_free(&info);
	return code;
}

/* Differences. Canonical text has a rule in a line, so lines are what is compared. */

struct lines {
	const char **at;
	unsigned int nr;
	char *text;
};

static bool split(struct lines *lines, const char *text)
{
	char *p;

	memset(lines, 0, sizeof(*lines));
	lines->text = strdup(text);
	/* The longest policy has a line for each rule, and three before. */
	lines->at = calloc(SMCU_POLICY_MAX_RULES + 8, sizeof(*lines->at));
	if (!lines->text || !lines->at)
		return false;
	for (p = strtok(lines->text, "\n"); p && lines->nr < SMCU_POLICY_MAX_RULES + 8; p = strtok(NULL, "\n"))
		lines->at[lines->nr++] = p;
	return true;
}

static void lines_free(struct lines *lines)
{
	free(lines->text);
	free(lines->at);
}

typedef void difference(void *arg, char sign, const char *line);

/* The longest common subsequence, by the table of its lengths: row a, column b, for what follows line a and line b. */
static bool compare(const struct lines *old, const struct lines *new, difference *tell, void *arg)
{
	unsigned int width = new->nr + 1, a, b;
	unsigned short *length = calloc((size_t)(old->nr + 1) * width, sizeof(*length));

	if (!length)
		return false;
	for (a = old->nr; a-- > 0;) {
		for (b = new->nr; b-- > 0;) {
			unsigned short down = length[(size_t)(a + 1) * width + b], right = length[(size_t)a * width + b + 1];

			if (!strcmp(old->at[a], new->at[b]))
				length[(size_t)a * width + b] = length[(size_t)(a + 1) * width + b + 1] + 1;
			else
				length[(size_t)a * width + b] = down > right ? down : right;
		}
	}
	for (a = b = 0; a < old->nr || b < new->nr;) {
		if (a < old->nr && b < new->nr && !strcmp(old->at[a], new->at[b])) {
			a++;
			b++;
		} else if (b == new->nr || (a < old->nr && length[(size_t)(a + 1) * width + b] >= length[(size_t)a * width + b + 1])) {
			tell(arg, '-', old->at[a++]);
		} else {
			tell(arg, '+', new->at[b++]);
		}
	}
	free(length);
	return true;
}

static void print_difference(void *arg, char sign, const char *line)
{
	(void)arg;
	printf("%c%s\n", sign, line);
}

static void collect_difference(void *arg, char sign, const char *line)
{
	json_t **lists = arg;

	json_array_append_new(lists[sign == '+'], json_string(line));
}

/* What changes from one canonical text to another, to stdout. Return: an exit code. */
static int print_changes(const struct settings *set, const char *from, const char *to)
{
	json_t *lists[2] = { NULL };
	struct lines old, new;
	int code = EX_DONE;
	bool ok;

	ok = split(&old, from);
	ok = split(&new, to) && ok;
	if (ok && set->json) {
		lists[0] = json_array();
		lists[1] = json_array();
		ok = compare(&old, &new, collect_difference, lists);
		code = out_json(json_pack("{s:b, s:o, s:o}", "equal", !strcmp(from, to), "removed", lists[0], "added", lists[1]));
	} else if (ok) {
		ok = compare(&old, &new, print_difference, NULL);
	}
	lines_free(&old);
	lines_free(&new);
	if (!ok)
		log_error("out of memory");
	return ok ? code : EX_FAILED;
}

int cmd_policy_diff(const struct settings *set, char **operands)
{
	struct policy_info info;
	struct smcpol *policy;
	char *text;
	int code;

	policy = policy_read_file(operands[0], &code);
	if (!policy)
		return code;
	code = EX_FAILED;
	text = smcpol_print(policy);
	if (text && !in_force_read(set, &info)) {
		code = print_changes(set, info.text, text);
		policy_info_free(&info);
	}
	free(text);
	smcpol_free(policy);
	return code;
}

/* Put a policy in force, or with --dry-run say what that would change. Closes both. Return: an exit code. */
static int replace(const struct settings *set, struct maps *maps, struct pins *pins, const struct smcpol *policy)
{
	struct policy_info info = { 0 };
	unsigned int gen;
	char *text;
	int code, err = 0;

	if (!set->dry_run)
		err = control_publish(maps, pins, policy);
	else if (maps_have_policy(maps))
		err = maps_read(maps, pins, &info);
	gen = maps->word->gen;
	maps_close(maps);
	/* Nothing is printed under the lock, for which the daemon and hooks wait: who reads it may take long. */
	pins_close(pins);

	if (err) {
		if (set->dry_run)
			log_error("the policy in force cannot be read: %s", strerror(-err));
		return EX_FAILED;
	}
	if (!set->dry_run) {
		log_info("in force: generation %u: %u rules", gen, smcpol_nr_rules(policy));
		return set->json ? out_json(json_pack("{s:i, s:i}", "generation", gen, "rules", smcpol_nr_rules(policy))) : EX_DONE;
	}
	log_info("would follow generation %u: %u rules", gen, smcpol_nr_rules(policy));
	text = smcpol_print(policy);
	/* Where none is in force, all of it is new. */
	code = text ? print_changes(set, info.text ? info.text : "", text) : EX_FAILED;
	free(text);
	policy_info_free(&info);
	return code;
}

int cmd_policy_load(const struct settings *set, char **operands)
{
	struct smcpol *policy;
	struct maps maps;
	struct pins pins;
	int code;

	policy = policy_read_file(operands[0], &code);
	if (!policy)
		return code;
	code = EX_FAILED;
	if (!in_force_open(set, &pins, &maps))
		code = replace(set, &maps, &pins, policy);
	smcpol_free(policy);
	return code;
}

int cmd_policy_rollback(const struct settings *set, char **operands)
{
	struct smcpol *policy;
	struct maps maps;
	struct pins pins;
	int code = EX_FAILED;
	char *text;

	(void)operands;
	if (in_force_open(set, &pins, &maps))
		return EX_FAILED;
	text = maps_previous(&maps, &pins);
	policy = text ? policy_read_text("previous policy", text, &code) : NULL;
	if (policy) {
		code = replace(set, &maps, &pins, policy);
	} else {
		if (!text)
			log_error("there is no policy before generation %u to return to: policy load FILE", maps.word->gen);
		maps_close(&maps);
		pins_close(&pins);
	}
	smcpol_free(policy);
	free(text);
	return code;
}

/* One word that every decision reads first. */
static int switch_off(const struct settings *set, bool off)
{
	struct maps maps;
	struct pins pins;
	bool changes;

	if (in_force_open(set, &pins, &maps))
		return EX_FAILED;
	changes = !maps.word->off == off;
	if (!set->dry_run)
		__atomic_store_n(&maps.word->off, off, __ATOMIC_RELEASE);
	else if (!changes)
		log_info("nothing would change: it is switched %s already", off ? "off" : "on");
	else
		log_info("would %s", off ? "leave every socket on TCP" : "follow the policy again");
	maps_close(&maps);
	pins_close(&pins);
	return set->json ? out_json(json_pack("{s:b, s:b, s:b}", "off", off, "changed", changes, "dry_run", set->dry_run)) : EX_DONE;
}

int cmd_policy_off(const struct settings *set, char **operands)
{
	(void)operands;
	return switch_off(set, true);
}

int cmd_policy_on(const struct settings *set, char **operands)
{
	(void)operands;
	return switch_off(set, false);
}
