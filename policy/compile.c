// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * A policy to its image (include/uapi/smc_ulp_policy.h). For each tree the spans of all rules cut the values into intervals; a sweep over
 * them keeps the rules that hold the current one, and names that set. Equal sets are stored once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"

#define BLOCKS_BEFORE_SETS 2
#define POINTS_FOR_HASH 8 /* fewer single values are found as soon in a tree */
#define UNITS_MAX (SMCPOL_MAX_IMAGE / 8)

/* A set while it is computed: one bit for each rule. */
struct bits {
	__u64 word[SMCU_POLICY_WORDS];
};

/* A rule begins or ends to hold the values from at on. */
struct change {
	value_t at;
	unsigned int rule;
	bool is_end;
	bool is_single; /* begins for this one value */
};

/* Single values that are found by hash: in order. */
struct points {
	unsigned int nr;
	value_t *at;
};

/* A dimension's intervals: set[i] holds for the values up to last[i]; the last interval has no end. */
struct intervals {
	unsigned int nr;
	value_t *last;
	__u32 *set;
};

struct compiler {
	const struct smcpol *policy;
	struct smcpol_image *image;
	__u32 used;  /* units */
	__u32 *seen; /* hash of the sets that were stored, by their number; 0 is free */
	unsigned int nr_seen;
	unsigned int room_seen;
	int err;
};

static void fail(struct compiler *c, int err)
{
	if (!c->err)
		c->err = err;
}

/* Room for n units more, zero. Return: the first one's number; 0 on failure, which is never the number of a set or a tree. */
static __u32 take(struct compiler *c, unsigned int n)
{
	unsigned int need = (c->used + n + SMCU_BLOCK_UNITS - 1) / SMCU_BLOCK_UNITS, room = c->image->nr_blocks;
	union smcu_block *grown;
	__u32 first = c->used;

	if (c->err)
		return 0;
	if (n > UNITS_MAX - c->used) {
		fail(c, E2BIG);
		return 0;
	}
	if (need > room) {
		room = need > 2 * room ? need : 2 * room;
		grown = reallocarray(c->image->blocks, room, sizeof(*grown));
		if (!grown) {
			fail(c, ENOMEM);
			return 0;
		}
		memset(grown + c->image->nr_blocks, 0, (room - c->image->nr_blocks) * sizeof(*grown));
		c->image->blocks = grown;
		c->image->nr_blocks = room;
	}
	c->used += n;
	return first;
}

static __u64 *unit_of(union smcu_block *blocks, __u32 unit)
{
	return &blocks[unit / SMCU_BLOCK_UNITS].unit[unit % SMCU_BLOCK_UNITS];
}

static unsigned int count(__u64 x)
{
	return __builtin_popcountll(x);
}

static __u64 summary_of(const struct bits *bits)
{
	__u64 summary = 0;
	unsigned int w;

	for (w = 0; w < SMCU_POLICY_WORDS; w++)
		summary |= (__u64)!!bits->word[w] << w;
	return summary;
}

/* Units are consecutive in memory, whatever block they are in. */
static bool set_equals(union smcu_block *blocks, __u32 set, const struct bits *bits, __u64 summary)
{
	const __u64 *unit = unit_of(blocks, set);
	unsigned int w;

	if (*unit++ != summary)
		return false;
	for (w = 0; w < SMCU_POLICY_WORDS; w++) {
		if (bits->word[w] && bits->word[w] != *unit++)
			return false;
	}
	return true;
}

static void set_write(union smcu_block *blocks, __u32 set, const struct bits *bits, __u64 summary)
{
	__u64 *unit = unit_of(blocks, set);
	unsigned int w;

	*unit++ = summary;
	for (w = 0; w < SMCU_POLICY_WORDS; w++) {
		if (bits->word[w])
			*unit++ = bits->word[w];
	}
}

static unsigned int hash_bits(const struct bits *bits)
{
	__u64 h = 0xcbf29ce484222325ULL;
	unsigned int w;

	for (w = 0; w < SMCU_POLICY_WORDS; w++) {
		h = (h ^ bits->word[w]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h ^ h >> 32;
}

static void read_bits(union smcu_block *blocks, __u32 set, struct bits *bits)
{
	const __u64 *unit = unit_of(blocks, set);
	__u64 summary = *unit++;
	unsigned int w;

	for (w = 0; w < SMCU_POLICY_WORDS; w++)
		bits->word[w] = summary >> w & 1 ? *unit++ : 0;
}

/* Twice the room of what is stored, so that a search ends soon. */
static bool grow_seen(struct compiler *c)
{
	unsigned int room = c->room_seen ? 2 * c->room_seen : 256, i, at;
	__u32 *fresh = calloc(room, sizeof(*fresh));
	struct bits bits;

	if (!fresh)
		return false;
	for (i = 0; i < c->room_seen; i++) {
		if (!c->seen[i])
			continue;
		read_bits(c->image->blocks, c->seen[i], &bits);
		for (at = hash_bits(&bits); fresh[at & (room - 1)]; at++)
			;
		fresh[at & (room - 1)] = c->seen[i];
	}
	free(c->seen);
	c->seen = fresh;
	c->room_seen = room;
	return true;
}

/* The number of the set of these rules, stored if it was not before. 0 on failure. */
static __u32 name_set(struct compiler *c, const struct bits *bits)
{
	__u64 summary = summary_of(bits);
	unsigned int at;
	__u32 set;

	if (2 * c->nr_seen >= c->room_seen && !grow_seen(c)) {
		fail(c, ENOMEM);
		return 0;
	}
	for (at = hash_bits(bits);; at++) {
		set = c->seen[at & (c->room_seen - 1)];
		if (!set)
			break;
		if (set_equals(c->image->blocks, set, bits, summary))
			return set;
	}
	set = take(c, 1 + count(summary));
	if (!set)
		return 0;
	set_write(c->image->blocks, set, bits, summary);
	c->seen[at & (c->room_seen - 1)] = set;
	c->nr_seen++;
	return set;
}

static void put(struct bits *bits, unsigned int rule, bool is_member)
{
	if (is_member)
		bits->word[rule / 64] |= 1ULL << rule % 64;
	else
		bits->word[rule / 64] &= ~(1ULL << rule % 64);
}

/* The rules that do not constrain a dimension. */
static void unconstrained(const struct smcpol *policy, unsigned int dim, struct bits *bits)
{
	unsigned int i;

	memset(bits, 0, sizeof(*bits));
	for (i = 0; i < policy->nr_rules; i++)
		put(bits, i, !(rule_dims(&policy->rules[i]) >> dim & 1));
}

static int by_place(const void *a, const void *b)
{
	const struct change *ca = a, *cb = b;

	return (ca->at > cb->at) - (ca->at < cb->at);
}

static int by_value(const void *a, const void *b)
{
	const value_t *va = a, *vb = b;

	return (*va > *vb) - (*va < *vb);
}

static bool is_among(const struct points *points, const struct span *span)
{
	return span->lo == span->hi && points->nr && bsearch(&span->lo, points->at, points->nr, sizeof(value_t), by_value);
}

/* Where each rule begins and ends to hold, in order, leaving out single values that a hash has. NULL without memory. */
static struct change *collect(struct compiler *c, unsigned int tree, const struct points *hashed, unsigned int *nr)
{
	value_t max = ~(value_t)0 >> (128 - tree_bits[tree]);
	unsigned int i, j, n, room = 1, most = 1;
	struct change *changes;
	struct span *spans;

	for (i = 0; i < c->policy->nr_rules; i++) {
		n = rule_values(&c->policy->rules[i]);
		room += 2 * n;
		most = n > most ? n : most;
	}
	changes = calloc(room, sizeof(*changes));
	spans = calloc(most, sizeof(*spans));
	*nr = 0;
	for (i = 0; changes && spans && i < c->policy->nr_rules; i++) {
		n = rule_spans(&c->policy->rules[i], tree, spans);
		for (j = 0; j < n; j++) {
			if (is_among(hashed, &spans[j]))
				continue;
			changes[(*nr)++] = (struct change){ spans[j].lo, i, false, spans[j].lo == spans[j].hi };
			if (spans[j].hi < max)
				changes[(*nr)++] = (struct change){ spans[j].hi + 1, i, true, false };
		}
	}
	if (!spans) {
		free(changes);
		changes = NULL;
	}
	free(spans);
	if (changes)
		qsort(changes, *nr, sizeof(*changes), by_place);
	else
		fail(c, ENOMEM);
	return changes;
}

/* Cut the values of a tree into intervals of one set each. */
static void sweep(struct compiler *c, unsigned int tree, const struct points *hashed, struct intervals *in)
{
	struct change *changes;
	unsigned int i = 0, nr;
	struct bits bits;
	__u32 set;

	memset(in, 0, sizeof(*in));
	changes = collect(c, tree, hashed, &nr);
	if (!changes)
		return;
	in->last = calloc(nr + 1, sizeof(*in->last));
	in->set = calloc(nr + 1, sizeof(*in->set));
	if (!in->last || !in->set) {
		fail(c, ENOMEM);
		free(changes);
		return;
	}
	unconstrained(c->policy, tree_dim[tree], &bits);
	for (; i < nr && !changes[i].at; i++)
		put(&bits, changes[i].rule, !changes[i].is_end);
	set = name_set(c, &bits);
	while (i < nr && set) {
		value_t at = changes[i].at;
		__u32 before = set;

		/* A rule's spans do not touch, so no rule ends and begins at one place. */
		for (; i < nr && changes[i].at == at; i++)
			put(&bits, changes[i].rule, !changes[i].is_end);
		set = name_set(c, &bits);
		if (set == before)
			continue;
		in->last[in->nr] = at - 1;
		in->set[in->nr++] = before;
	}
	in->set[in->nr++] = set;
	free(changes);
}

static void intervals_free(struct intervals *in)
{
	free(in->last);
	free(in->set);
	memset(in, 0, sizeof(*in));
}

/* Child i of the level above the one that has been written: the last value below it. */
struct level {
	unsigned int nr;
	__u32 first; /* block */
	value_t *last;
};

static void write_keys(union smcu_block *block, unsigned int bits, unsigned int keys, const value_t *last, unsigned int nr)
{
	unsigned int k;

	for (k = 0; k < keys; k++) {
		value_t key = k < nr ? last[k] : ~(value_t)0;

		if (bits == 32) {
			block->node32.key[k] = key;
		} else {
			block->node128.key[k].hi = key >> 64;
			block->node128.key[k].lo = key;
		}
	}
}

/* Blocks at the next boundary. Return: the first one's number, 0 on failure. */
static __u32 take_blocks(struct compiler *c, unsigned int n)
{
	unsigned int pad = -c->used % SMCU_BLOCK_UNITS;

	if (n > UNITS_MAX / SMCU_BLOCK_UNITS) {
		fail(c, E2BIG);
		return 0;
	}
	return (take(c, pad + n * SMCU_BLOCK_UNITS) + pad) / SMCU_BLOCK_UNITS;
}

static void write_leaves(struct compiler *c, unsigned int bits, const struct intervals *in, struct level *level)
{
	unsigned int keys = bits == 32 ? SMCU_LEAF32_KEYS : SMCU_NODE128_KEYS, fan = keys + 1, i, k;

	level->nr = (in->nr + fan - 1) / fan;
	level->first = take_blocks(c, level->nr);
	for (i = 0; !c->err && i < level->nr; i++) {
		union smcu_block *block = &c->image->blocks[level->first + i];
		unsigned int from = i * fan, n = in->nr - from < fan ? in->nr - from : fan;
		__u32 *set = bits == 32 ? block->leaf32.set : block->leaf128.set;

		write_keys(block, bits, keys, in->last + from, n == fan ? keys : n - 1);
		for (k = 0; k < fan; k++)
			set[k] = in->set[from + (k < n ? k : n - 1)];
		level->last[i] = in->last[from + n - 1];
	}
}

/* In place: the upper level's values are written behind those that were read. */
static void write_nodes(struct compiler *c, unsigned int bits, struct level *level)
{
	unsigned int keys = bits == 32 ? SMCU_NODE32_KEYS : SMCU_NODE128_KEYS, fan = keys + 1, i;
	unsigned int nr = (level->nr + fan - 1) / fan;
	__u32 first = take_blocks(c, nr);

	for (i = 0; !c->err && i < nr; i++) {
		union smcu_block *block = &c->image->blocks[first + i];
		unsigned int from = i * fan, n = level->nr - from < fan ? level->nr - from : fan;

		write_keys(block, bits, keys, level->last + from, n - 1);
		if (bits == 32)
			block->node32.child = level->first + from;
		else
			block->node128.child = level->first + from;
		level->last[i] = level->last[from + n - 1];
	}
	level->first = first;
	level->nr = nr;
}

/* Return: the tree's name. */
static __u32 write_tree(struct compiler *c, unsigned int bits, const struct intervals *in)
{
	unsigned int height = 0, most = bits == 32 ? SMCU_TREE_LEVELS32 : SMCU_TREE_LEVELS128;
	struct level level;

	level.last = calloc(in->nr + 1, sizeof(*level.last));
	if (!level.last) {
		fail(c, ENOMEM);
		return 0;
	}
	write_leaves(c, bits, in, &level);
	for (; level.nr > 1 && !c->err; height++)
		write_nodes(c, bits, &level);
	free(level.last);
	if (height > most || level.first > SMCU_TREE_ROOT_MASK)
		fail(c, E2BIG);
	return height << SMCU_TREE_ROOT_BITS | level.first;
}

/* The single values that rules name, each once. */
static bool find_points(struct compiler *c, unsigned int tree, struct points *points)
{
	static const struct points none;
	unsigned int i, nr, kept = 0;
	struct change *changes = collect(c, tree, &none, &nr);

	memset(points, 0, sizeof(*points));
	if (!changes)
		return false;
	points->at = calloc(nr + 1, sizeof(*points->at));
	for (i = 0; points->at && i < nr; i++) {
		if (changes[i].is_single && (!kept || points->at[kept - 1] != changes[i].at))
			points->at[kept++] = changes[i].at;
	}
	free(changes);
	points->nr = kept;
	if (!points->at)
		fail(c, ENOMEM);
	return points->at;
}

static __u32 set_at(const struct intervals *in, value_t value)
{
	unsigned int lo = 0, hi = in->nr - 1;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (in->last[mid] < value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return in->set[lo];
}

/* Into its bucket, if that has room. */
static bool put_point(struct compiler *c, unsigned int bits, __u32 hash, value_t value, __u32 set)
{
	unsigned int keys = bits == 32 ? SMCU_LEAF32_KEYS : SMCU_NODE128_KEYS, k;
	struct smcu_key128 key = { value >> 64, value };
	union smcu_block *bucket;
	__u32 *sets;

	bucket = &c->image->blocks[smcu_match_bucket(hash, bits == 32 ? smcu_match_hash32(value) : smcu_match_hash128(&key))];
	sets = bits == 32 ? bucket->leaf32.set : bucket->leaf128.set;
	for (k = 0; k < keys && sets[k]; k++)
		;
	if (k == keys)
		return false;
	if (bits == 32)
		bucket->leaf32.key[k] = value;
	else
		bucket->leaf128.key[k] = key;
	sets[k] = set;
	return true;
}

/*
 * A tree, behind a hash if many single values are named. What its bucket has no room for stays in the tree. Return: the name for the head.
 */
static __u32 write_lookup(struct compiler *c, unsigned int tree, const struct intervals *in, struct points *points)
{
	unsigned int bits = tree_bits[tree], log = 0, i, kept = 0;
	__u32 hash, first, name;
	struct intervals rest;

	if (points->nr < POINTS_FOR_HASH)
		return write_tree(c, bits, in);
	while ((bits == 32 ? 2U : 1U) << log < points->nr)
		log++;
	first = take_blocks(c, 1U << log);
	if (!first)
		return 0;
	hash = SMCU_TREE_IS_HASH | log << SMCU_TREE_ROOT_BITS | first;
	for (i = 0; i < points->nr; i++) {
		if (put_point(c, bits, hash, points->at[i], set_at(in, points->at[i])))
			points->at[kept++] = points->at[i];
	}
	points->nr = kept;
	sweep(c, tree, points, &rest);
	name = c->err ? 0 : write_tree(c, bits, &rest);
	intervals_free(&rest);
	for (i = 0; !c->err && i < 1U << log; i++) {
		union smcu_block *bucket = &c->image->blocks[first + i];

		*(bits == 32 ? &bucket->leaf32.set[SMCU_LEAF32_KEYS] : &bucket->leaf128.set[SMCU_NODE128_KEYS]) = name;
	}
	return hash;
}

static void name_directions(struct compiler *c)
{
	unsigned int dir, i;
	struct bits bits;
	__u32 set;

	for (dir = 0; dir < SMCU_DIR_COUNT; dir++) {
		memset(&bits, 0, sizeof(bits));
		for (i = 0; i < c->policy->nr_rules; i++)
			put(&bits, i, !c->policy->rules[i].dirs || c->policy->rules[i].dirs >> dir & 1);
		set = name_set(c, &bits);
		if (!c->err)
			c->image->blocks[0].head.dir[dir] = set;
	}
}

static void fill_records(const struct smcpol *policy, struct smcu_policy_rule *records)
{
	unsigned int i;

	strcpy(records[0].name, "default");
	records[0].action = policy->dflt;
	for (i = 0; i < policy->nr_rules; i++) {
		memcpy(records[i + 1].name, policy->rules[i].name, sizeof(records[i + 1].name));
		records[i + 1].action = policy->rules[i].action;
	}
}

static void fill_blocks(struct compiler *c, unsigned int dims)
{
	static const struct points none;
	struct intervals in[SMCU_TREE_COUNT] = { 0 };
	struct points points[SMCU_TREE_COUNT] = { 0 };
	__u32 any[SMCU_DIM_COUNT], tree[SMCU_TREE_COUNT] = { 0 };
	struct smcu_image_head *head;
	struct smcu_image_foot *foot;
	struct bits bits;
	unsigned int i;

	take(c, BLOCKS_BEFORE_SETS * SMCU_BLOCK_UNITS);
	name_directions(c);
	for (i = 0; i < SMCU_DIM_COUNT; i++) {
		unconstrained(c->policy, i, &bits);
		any[i] = name_set(c, &bits);
	}
	for (i = 0; i < SMCU_TREE_COUNT && !c->err; i++) {
		if (dims >> tree_dim[i] & 1 && find_points(c, i, &points[i]))
			sweep(c, i, &none, &in[i]);
	}
	for (i = 0; i < SMCU_TREE_COUNT && !c->err; i++) {
		if (in[i].nr)
			tree[i] = write_lookup(c, i, &in[i], &points[i]);
	}
	for (i = 0; i < SMCU_TREE_COUNT; i++) {
		intervals_free(&in[i]);
		free(points[i].at);
	}
	take_blocks(c, 0);
	if (c->err)
		return;

	head = &c->image->blocks[0].head;
	foot = &c->image->blocks[1].foot;
	head->dims = dims;
	memcpy(head->tree, tree, sizeof(head->tree));
	memcpy(foot->any, any, sizeof(foot->any));
	foot->nr_rules = c->policy->nr_rules;
	foot->cgroup_first = c->used;
	foot->used = c->used;
}

/* Exactly as many blocks as are used, and room for so many units behind them. */
static bool set_room(struct smcpol_image *image, unsigned int units)
{
	unsigned int used = image->blocks[1].foot.used, nr;
	union smcu_block *fitting;

	if (units > UNITS_MAX - used) {
		errno = E2BIG;
		return false;
	}
	nr = (used + units + SMCU_BLOCK_UNITS - 1) / SMCU_BLOCK_UNITS;
	fitting = reallocarray(image->blocks, nr, sizeof(*fitting));
	if (!fitting)
		return false;
	if (nr > image->nr_blocks)
		memset(fitting + image->nr_blocks, 0, (nr - image->nr_blocks) * sizeof(*fitting));
	image->blocks = fitting;
	image->nr_blocks = nr;
	fitting[1].foot.nr_blocks = nr;
	return true;
}

struct smcpol_image *smcpol_compile(const struct smcpol *policy)
{
	struct compiler c = { .policy = policy };
	unsigned int dims = smcpol_dims(policy);
	struct smcpol_image *image;

	image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	image->nr_rules = policy->nr_rules;
	image->records = calloc(image->nr_rules + 1, sizeof(*image->records));
	c.image = image;
	if (!image->records)
		fail(&c, ENOMEM);
	else
		fill_records(policy, image->records);
	/* Some dimension has to say which rules there are at all. */
	fill_blocks(&c, dims ? dims : 1U << SMCU_DIM_DIR);
	free(c.seen);
	if (c.err) {
		errno = c.err;
		goto err_free;
	}
	if (set_room(image, 0))
		return image;

err_free:
	dims = errno;
	smcpol_image_free(image);
	errno = dims;
	return NULL;
}

bool smcpol_image_reserve(struct smcpol_image *image, unsigned int sets)
{
	return set_room(image, sets * (1 + (image->nr_rules + 63) / 64));
}

void smcpol_image_free(struct smcpol_image *image)
{
	if (!image)
		return;
	free(image->records);
	free(image->blocks);
	free(image);
}

/* A cgroup's set: one that is there, or appended. 0: no room. */
static __u32 append_set(union smcu_block *blocks, const struct bits *bits)
{
	struct smcu_image_foot *foot = &blocks[1].foot;
	__u64 summary = summary_of(bits);
	__u32 set;

	for (set = foot->cgroup_first; set < foot->used; set += 1 + count(*unit_of(blocks, set))) {
		if (set_equals(blocks, set, bits, summary))
			return set;
	}
	if (1 + count(summary) > foot->nr_blocks * SMCU_BLOCK_UNITS - foot->used)
		return 0;
	/* Programs reach the set only by the hash, which is written later: they never see half of it. */
	set = foot->used;
	set_write(blocks, set, bits, summary);
	foot->used += 1 + count(summary);
	return set;
}

bool smcpol_image_cgroup(union smcu_block *blocks, const struct smcpol *policy, const char *path,
			 struct smcu_policy_cgroup *sets)
{
	struct bits self = { 0 }, below = { 0 };
	unsigned int i, j;

	for (i = 0; i < policy->nr_rules; i++) {
		const struct globs *list = &policy->rules[i].cgroup;
		bool in_self = !list->nr, in_below = !list->nr;

		for (j = 0; j < list->nr && !(in_self && in_below); j++) {
			in_self |= glob_holds(list->at[j], path);
			in_below |= glob_holds_below(list->at[j], path);
		}
		put(&self, i, in_self);
		put(&below, i, in_below);
	}
	sets->self = append_set(blocks, &self);
	sets->below = append_set(blocks, &below);
	return sets->self && sets->below;
}
