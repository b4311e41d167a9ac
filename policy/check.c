// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* What is well-formed but cannot be meant, or cannot be carried out. */
#include <errno.h>
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

/* A rule as the search below sees it. spans has those of all trees, one tree's behind the other's. */
struct view {
	const struct rule *rule;
	unsigned int dims;
	unsigned int end[SMCU_TREE_COUNT];
	struct span *spans;
};

static bool view_init(struct view *view, const struct rule *rule)
{
	unsigned int tree, n = 0;

	view->rule = rule;
	view->dims = rule_dims(rule);
	/* calloc: a rule without values has spans, of no length. */
	view->spans = calloc(rule_values(rule) + 1, sizeof(*view->spans));
	if (!view->spans)
		return false;
	for (tree = 0; tree < SMCU_TREE_COUNT; tree++) {
		n += rule_spans(rule, tree, view->spans + n);
		view->end[tree] = n;
	}
	return true;
}

/* Does each of inner's spans lie in one of outer's? Both are in order. */
static bool spans_cover(const struct view *outer, const struct view *inner, unsigned int tree)
{
	unsigned int o = tree ? outer->end[tree - 1] : 0, i = tree ? inner->end[tree - 1] : 0;

	for (; i < inner->end[tree]; i++) {
		while (o < outer->end[tree] && outer->spans[o].hi < inner->spans[i].lo)
			o++;
		if (o == outer->end[tree] || outer->spans[o].lo > inner->spans[i].lo ||
		    outer->spans[o].hi < inner->spans[i].hi)
			return false;
	}
	return true;
}

/*
 * What all comparisons of globs together may cost, in pairs of characters: some tenths of a second. Every glob is compared with every other,
 * so two rules of some ten thousand each would take long. Beyond that nothing covers anything, and a warning is missed.
 */
#define GLOBS_WORK (1UL << 28)

static bool globs_cover(const struct globs *outer, const struct globs *inner, unsigned long *work)
{
	unsigned int o, i;

	for (i = 0; i < inner->nr; i++) {
		size_t len = strlen(inner->at[i]);

		for (o = 0; o < outer->nr; o++) {
			unsigned long cost = len * strlen(outer->at[o]);

			if (cost > *work) {
				*work = 0;
				return false;
			}
			*work -= cost;
			if (glob_covers(outer->at[o], inner->at[i]))
				break;
		}
		if (o == outer->nr)
			return false;
	}
	return true;
}

/* Does outer match whatever inner matches? */
static bool covers(const struct view *outer, const struct view *inner, unsigned long *globs_work)
{
	unsigned int tree;

	/* What the other leaves open is more than any list of values. */
	if (outer->dims & ~inner->dims)
		return false;
	if (outer->dims & 1U << SMCU_DIM_DIR && outer->rule->dirs != inner->rule->dirs)
		return false;
	for (tree = 0; tree < SMCU_TREE_COUNT; tree++) {
		if (outer->dims >> tree_dim[tree] & 1 && !spans_cover(outer, inner, tree))
			return false;
	}
	return !(outer->dims & 1U << SMCU_DIM_CGROUP) || globs_cover(&outer->rule->cgroup, &inner->rule->cgroup, globs_work);
}

/* Rules that one before them keeps from ever deciding. That several together do is not looked for. */
static void warn_of_shadows(const struct source *src, const struct smcpol *policy)
{
	unsigned long globs_work = GLOBS_WORK;
	unsigned int i, j, seen;
	struct view *views;

	views = calloc(policy->nr_rules + 1, sizeof(*views));
	for (seen = 0; views && seen < policy->nr_rules && view_init(&views[seen], &policy->rules[seen]); seen++)
		;
	for (j = 1; j < seen; j++) {
		for (i = 0; i < j && !covers(&views[i], &views[j], &globs_work); i++)
			;
		if (i < j)
			diag_warning(src, policy->rules[j].pos, "rule '%s' is never reached: '%s' in line %u matches %s",
				     policy->rules[j].name, policy->rules[i].name, policy->rules[i].pos.line,
				     views[i].dims ? "all that it does" : "everything");
	}
	while (seen--)
		free(views[seen].spans);
	free(views);
}

/* A policy in force is kept as canonical text, which is longer than its source may be, and compiled. */
static bool fits(const struct source *src, const struct smcpol *policy)
{
	struct smcpol_image *image = smcpol_compile(policy);
	bool is_too_large = !image && errno == E2BIG;
	char *text = smcpol_print(policy);
	bool ok = image && text;

	if (is_too_large)
		diag_error(src, (struct pos){ 1, 1, 1 }, "too large: more than %u bytes when compiled; name fewer values in its rules",
			   SMCPOL_MAX_IMAGE);
	else if (!ok)
		diag_error(src, (struct pos){ 1, 1, 1 }, "out of memory");
	if (ok && strlen(text) > SMCPOL_MAX_TEXT) {
		diag_error(src, (struct pos){ 1, 1, 1 }, "too large: %zu bytes in canonical form, at most %u are kept; name fewer values in its rules",
			   strlen(text), SMCPOL_MAX_TEXT);
		ok = false;
	}
	smcpol_image_free(image);
	free(text);
	return ok;
}

bool policy_check(const struct source *src, const struct smcpol *policy)
{
	unsigned int i, total = 0;
	bool ok = names_are_unique(src, policy);

	for (i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->dst.nr && rule->dirs == 1U << SMCU_DIR_IN) {
			diag_error(src, rule->dst_pos,
				   "rule '%s' could never match: who will connect is not known when a server binds; 'src' is its own address",
				   rule->name);
			ok = false;
		} else if (rule->dst.nr && rule->dirs >> SMCU_DIR_IN & 1 && !src->is_canonical) {
			diag_warning(src, rule->dst_pos,
				     "rule '%s' never matches a bind: 'dst' is not known there; write a rule of its own with direction: in",
				     rule->name);
		}
		total += rule_values(rule);
		if (total > SMCPOL_MAX_VALUES) {
			diag_error(src, rule->pos, "too large: the rules up to here name more than %u values",
				   SMCPOL_MAX_VALUES);
			return false;
		}
	}
	if (!ok || src->is_canonical)
		return ok;
	warn_of_shadows(src, policy);
	return fits(src, policy);
}
