// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * What a rule names, as intervals of numbers: a prefix is an interval of addresses, a comm a 16-byte number, a comm's beginning an interval
 * of them. For the compiler and the search for rules that are never reached; the interpreter has its own understanding.
 */
#include <stdlib.h>
#include <string.h>

#include "ast.h"

const unsigned int tree_dim[SMCU_TREE_COUNT] = {
	[SMCU_TREE_DST4] = SMCU_DIM_DST, [SMCU_TREE_DST6] = SMCU_DIM_DST,     [SMCU_TREE_SRC4] = SMCU_DIM_SRC,
	[SMCU_TREE_SRC6] = SMCU_DIM_SRC, [SMCU_TREE_PORT] = SMCU_DIM_PORT,    [SMCU_TREE_PID] = SMCU_DIM_PID,
	[SMCU_TREE_UID] = SMCU_DIM_UID,	 [SMCU_TREE_GID] = SMCU_DIM_GID,      [SMCU_TREE_COMM] = SMCU_DIM_COMM,
	[SMCU_TREE_NETNS] = SMCU_DIM_NETNS,
};

const unsigned int tree_bits[SMCU_TREE_COUNT] = {
	[SMCU_TREE_DST4] = 32, [SMCU_TREE_DST6] = 128, [SMCU_TREE_SRC4] = 32, [SMCU_TREE_SRC6] = 128, [SMCU_TREE_PORT] = 32,
	[SMCU_TREE_PID] = 32,  [SMCU_TREE_UID] = 32,   [SMCU_TREE_GID] = 32,  [SMCU_TREE_COMM] = 128, [SMCU_TREE_NETNS] = 32,
};

unsigned int rule_dims(const struct rule *rule)
{
	unsigned int both = 1U << SMCU_DIR_IN | 1U << SMCU_DIR_OUT;

	return (rule->dirs && rule->dirs != both) << SMCU_DIM_DIR | !!rule->dst.nr << SMCU_DIM_DST |
	       !!rule->src.nr << SMCU_DIM_SRC | !!rule->port.nr << SMCU_DIM_PORT | !!rule->pid.nr << SMCU_DIM_PID |
	       !!rule->uid.nr << SMCU_DIM_UID | !!rule->gid.nr << SMCU_DIM_GID | !!rule->comm.nr << SMCU_DIM_COMM |
	       !!rule->cgroup.nr << SMCU_DIM_CGROUP | !!rule->netns.nr << SMCU_DIM_NETNS;
}

unsigned int rule_values(const struct rule *rule)
{
	return rule->dst.nr + rule->src.nr + rule->port.nr + rule->pid.nr + rule->uid.nr + rule->gid.nr + rule->comm.nr +
	       rule->cgroup.nr + rule->netns.nr;
}

/* The values whose first plen of bits are those of bytes. */
static struct span prefix(const __u8 *bytes, unsigned int bits, unsigned int plen)
{
	value_t below = plen < bits ? ~(value_t)0 >> (128 - (bits - plen)) : 0;
	struct span span = { 0, 0 };
	unsigned int i;

	for (i = 0; i < bits / 8; i++)
		span.lo = span.lo << 8 | bytes[i];
	span.hi = span.lo | below;
	return span;
}

static unsigned int cidr_spans(const struct cidrs *list, unsigned int bits, struct span *spans)
{
	unsigned int i, n = 0;

	for (i = 0; i < list->nr; i++) {
		if (list->at[i].af == (bits == 32 ? 4 : 6))
			spans[n++] = prefix(list->at[i].addr, bits, list->at[i].plen);
	}
	return n;
}

static unsigned int range_spans(const struct ranges *list, struct span *spans)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		spans[i] = (struct span){ list->at[i].lo, list->at[i].hi };
	return list->nr;
}

static unsigned int comm_spans(const struct comms *list, struct span *spans)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		const struct comm *comm = &list->at[i];

		spans[i] = prefix((const __u8 *)comm->text, 8 * SMCU_COMM_LEN,
				  comm->is_prefix ? 8 * strlen(comm->text) : 8 * SMCU_COMM_LEN);
	}
	return list->nr;
}

static int by_start(const void *a, const void *b)
{
	const struct span *sa = a, *sb = b;

	return (sa->lo > sb->lo) - (sa->lo < sb->lo);
}

unsigned int rule_spans(const struct rule *rule, unsigned int tree, struct span *spans)
{
	unsigned int i, n, kept = 0;

	switch (tree) {
	case SMCU_TREE_DST4:
	case SMCU_TREE_DST6: n = cidr_spans(&rule->dst, tree_bits[tree], spans); break;
	case SMCU_TREE_SRC4:
	case SMCU_TREE_SRC6: n = cidr_spans(&rule->src, tree_bits[tree], spans); break;
	case SMCU_TREE_PORT: n = range_spans(&rule->port, spans); break;
	case SMCU_TREE_PID: n = range_spans(&rule->pid, spans); break;
	case SMCU_TREE_UID: n = range_spans(&rule->uid, spans); break;
	case SMCU_TREE_GID: n = range_spans(&rule->gid, spans); break;
	case SMCU_TREE_COMM: n = comm_spans(&rule->comm, spans); break;
	default: n = range_spans(&rule->netns, spans); break;
	}
	if (!n)
		return 0;
	qsort(spans, n, sizeof(*spans), by_start);
	for (i = 1; i < n; i++) {
		/* No value lies beyond the largest one, so + 1 is not asked for there. */
		if (spans[i].lo <= spans[kept].hi || spans[i].lo == spans[kept].hi + 1) {
			if (spans[i].hi > spans[kept].hi)
				spans[kept].hi = spans[i].hi;
		} else {
			spans[++kept] = spans[i];
		}
	}
	return kept + 1;
}
