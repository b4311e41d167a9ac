// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * A policy to its image. Every value a rule names becomes prefixes with that rule's bit; sorted, a prefix comes right after those
 * that contain it, so one pass with a stack gives each entry the rules of all entries above it, which longest-prefix lookup needs.
 */
#include <stdlib.h>
#include <string.h>

#include "ast.h"

/* A prefix and one rule that asks for it. */
struct atom {
	struct smcu_policy_key key;
	unsigned int rule;
};

struct compiler {
	struct atom *atoms;
	unsigned int nr;
	unsigned int room;
	unsigned int dims; /* dimensions that some rule constrains */
	bool out_of_memory;
};

/*
 * The fewest aligned blocks of values that make up a range, each as a value and a prefix length. emit may be NULL.
 *
 * Return: their number, at most 2 * bits - 2.
 */
unsigned int range_prefixes(struct range range, unsigned int bits,
			    void (*emit)(void *arg, __u32 value, unsigned int plen), void *arg)
{
	__u64 lo = range.lo, end = (__u64)range.hi + 1;
	unsigned int n = 0;

	while (lo < end) {
		unsigned int free_bits = 0;

		while (free_bits < bits && !(lo >> free_bits & 1) && lo + (2ULL << free_bits) <= end)
			free_bits++;
		if (emit)
			emit(arg, lo, bits - free_bits);
		lo += 1ULL << free_bits;
		n++;
	}
	return n;
}

static struct smcu_policy_key *add(struct compiler *c, unsigned int dim, unsigned int rule)
{
	struct atom *atom;

	if (c->nr == c->room) {
		unsigned int room = c->room ? 2 * c->room : 64;

		atom = reallocarray(c->atoms, room, sizeof(*atom));
		if (!atom) {
			c->out_of_memory = true;
			return NULL;
		}
		c->atoms = atom;
		c->room = room;
	}
	atom = &c->atoms[c->nr++];
	memset(atom, 0, sizeof(*atom));
	atom->rule = rule;
	atom->key.dim = dim;
	atom->key.prefixlen = SMCU_KEY_DIM_BITS;
	return &atom->key;
}

static void add_cidrs(struct compiler *c, unsigned int dim, unsigned int rule, const struct cidrs *list)
{
	struct smcu_policy_key *key;
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		key = add(c, dim, rule);
		if (!key)
			return;
		key->af = list->at[i].af;
		key->prefixlen = SMCU_KEY_HEAD_BITS + list->at[i].plen;
		memcpy(key->data, list->at[i].addr, sizeof(key->data));
	}
}

/* range_prefixes() hands back to this. */
struct emit_arg {
	struct compiler *c;
	unsigned int dim;
	unsigned int rule;
	unsigned int bits;
};

static void emit_prefix(void *arg, __u32 value, unsigned int plen)
{
	const struct emit_arg *e = arg;
	struct smcu_policy_key *key = add(e->c, e->dim, e->rule);
	unsigned int i;

	if (!key)
		return;
	key->prefixlen = SMCU_KEY_HEAD_BITS + plen;
	for (i = 0; i < e->bits / 8; i++)
		key->data[i] = value >> (e->bits - 8 * (i + 1));
}

static void add_ranges(struct compiler *c, unsigned int dim, unsigned int rule, const struct ranges *list,
		       unsigned int bits)
{
	struct emit_arg arg = { c, dim, rule, bits };
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		range_prefixes(list->at[i], bits, emit_prefix, &arg);
}

static void add_dirs(struct compiler *c, unsigned int rule, unsigned int dirs)
{
	struct smcu_policy_key *key;
	unsigned int dir;

	for (dir = SMCU_DIR_OUT; dir <= SMCU_DIR_IN; dir++) {
		if (!(dirs >> dir & 1))
			continue;
		key = add(c, SMCU_DIM_DIR, rule);
		if (!key)
			return;
		key->prefixlen = SMCU_KEY_HEAD_BITS + 8;
		key->data[0] = dir;
	}
}

static unsigned int dims_of(const struct rule *rule)
{
	return (rule->dirs ? 1U << SMCU_DIM_DIR : 0) | (rule->dst.nr ? 1U << SMCU_DIM_DST : 0) |
	       (rule->src.nr ? 1U << SMCU_DIM_SRC : 0) | (rule->port.nr ? 1U << SMCU_DIM_PORT : 0) |
	       (rule->pid.nr ? 1U << SMCU_DIM_PID : 0);
}

static void add_rule(struct compiler *c, unsigned int index, const struct rule *rule)
{
	unsigned int dim, dims = dims_of(rule);

	add_dirs(c, index, rule->dirs);
	add_cidrs(c, SMCU_DIM_DST, index, &rule->dst);
	add_cidrs(c, SMCU_DIM_SRC, index, &rule->src);
	add_ranges(c, SMCU_DIM_PORT, index, &rule->port, 16);
	add_ranges(c, SMCU_DIM_PID, index, &rule->pid, 32);

	for (dim = 0; dim < SMCU_DIM_COUNT; dim++) {
		if (!(dims >> dim & 1))
			add(c, dim, index);
	}
	c->dims |= dims;
}

/* The bytes of a key that its prefix is counted over. */
static int compare_keys(const struct smcu_policy_key *a, const struct smcu_policy_key *b)
{
	int d = memcmp(&a->dim, &b->dim, sizeof(*a) - offsetof(struct smcu_policy_key, dim));

	return d ? d : (a->prefixlen > b->prefixlen) - (a->prefixlen < b->prefixlen);
}

static int compare_atoms(const void *a, const void *b)
{
	return compare_keys(&((const struct atom *)a)->key, &((const struct atom *)b)->key);
}

static bool contains(const struct smcu_policy_key *outer, const struct smcu_policy_key *inner)
{
	const __u8 *a = &outer->dim, *b = &inner->dim;
	unsigned int whole = outer->prefixlen / 8, rest = outer->prefixlen % 8;

	if (outer->prefixlen > inner->prefixlen || memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static void set_bit(struct smcu_policy_bits *bits, unsigned int rule)
{
	bits->word[rule / 64] |= 1ULL << (rule % 64);
	bits->summary |= 1ULL << (rule / 64);
}

/*
 * Sorted atoms to entries. The stack holds the entries that contain the current one, outermost first: each longer than the one
 * below, hence no deeper than a key has bits.
 */
static void merge(struct compiler *c, struct smcpol_image *image)
{
	unsigned int stack[SMCU_KEY_HEAD_BITS + 128 + 1];
	unsigned int i, depth = 0;

	for (i = 0; i < c->nr; i++) {
		const struct atom *atom = &c->atoms[i];
		struct smcpol_entry *entry;

		if (!i || compare_keys(&c->atoms[i - 1].key, &atom->key)) {
			while (depth && !contains(&image->entries[stack[depth - 1]].key, &atom->key))
				depth--;
			entry = &image->entries[image->nr_entries];
			entry->key = atom->key;
			if (depth)
				entry->bits = image->entries[stack[depth - 1]].bits;
			stack[depth++] = image->nr_entries++;
		}
		set_bit(&image->entries[image->nr_entries - 1].bits, atom->rule);
	}
}

static unsigned int count_distinct(const struct compiler *c)
{
	unsigned int i, n = 0;

	for (i = 0; i < c->nr; i++)
		n += !i || compare_keys(&c->atoms[i - 1].key, &c->atoms[i].key);
	return n;
}

static void fill_records(const struct smcpol *policy, unsigned int dims, struct smcu_policy_rule *records)
{
	unsigned int i;

	strcpy(records[0].name, "default");
	records[0].action = policy->dflt;
	records[0].dims = dims;
	for (i = 0; i < policy->nr_rules; i++) {
		memcpy(records[i + 1].name, policy->rules[i].name, sizeof(records[i + 1].name));
		records[i + 1].action = policy->rules[i].action;
	}
}

/**
 * smcpol_compile() - a policy in the form the programs read
 * @policy: a policy
 *
 * Return: to be freed with smcpol_image_free(); NULL without memory.
 */
struct smcpol_image *smcpol_compile(const struct smcpol *policy)
{
	struct smcpol_image *image;
	struct compiler c = { 0 };
	unsigned int i;

	image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	for (i = 0; i < policy->nr_rules; i++)
		add_rule(&c, i, &policy->rules[i]);
	if (c.out_of_memory)
		goto err_free;
	if (c.nr)
		qsort(c.atoms, c.nr, sizeof(*c.atoms), compare_atoms);

	image->nr_rules = policy->nr_rules;
	image->records = calloc(image->nr_rules + 1, sizeof(*image->records));
	image->entries = calloc(count_distinct(&c) + 1, sizeof(*image->entries));
	if (!image->records || !image->entries)
		goto err_free;
	fill_records(policy, c.dims, image->records);
	merge(&c, image);
	free(c.atoms);
	return image;

err_free:
	free(c.atoms);
	smcpol_image_free(image);
	return NULL;
}

/**
 * smcpol_image_free() - free an image
 * @image: from smcpol_compile(), or NULL
 */
void smcpol_image_free(struct smcpol_image *image)
{
	if (!image)
		return;
	free(image->records);
	free(image->entries);
	free(image);
}

/* What the kernel's trie would find. Not fast: all entries are looked at. */
static const struct smcpol_entry *longest(const struct smcpol_image *image, const struct smcu_policy_key *key)
{
	const struct smcpol_entry *best = NULL;
	unsigned int i;

	for (i = 0; i < image->nr_entries; i++) {
		const struct smcpol_entry *entry = &image->entries[i];

		if (contains(&entry->key, key) && (!best || entry->key.prefixlen > best->key.prefixlen))
			best = entry;
	}
	return best;
}

/**
 * smcpol_image_match() - which rule decides a flow, by way of the image
 * @image: the image
 * @flow: the flow
 *
 * What the BPF programs do, with the same bpf/match.h and the same shortcut for unused dimensions.
 *
 * Return: the rule's index, or SMCU_NO_MATCH if the default does.
 */
int smcpol_image_match(const struct smcpol_image *image, const struct smcu_flow *flow)
{
	const struct smcu_policy_bits *set[SMCU_DIM_COUNT];
	const struct smcpol_entry *entry;
	struct smcu_policy_key key;
	int dim;

	for (dim = 0; dim < SMCU_DIM_COUNT; dim++) {
		if (dim != SMCU_DIM_DIR && !(image->records[0].dims >> dim & 1)) {
			set[dim] = set[SMCU_DIM_DIR];
			continue;
		}
		smcu_match_key(&key, flow, dim);
		entry = longest(image, &key);
		if (!entry)
			return SMCU_NO_MATCH;
		set[dim] = &entry->bits;
	}
	return smcu_match_first(set);
}
