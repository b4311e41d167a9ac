/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/* The library's own types: the YAML tree with positions, and the policy made of it. Not for users of the library. */
#ifndef SMCPOL_AST_H
#define SMCPOL_AST_H

#include "smcpol.h"

/* A place in the source, counted from 1. len is for the caret line. */
struct pos {
	unsigned int line;
	unsigned int col;
	unsigned int len;
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* A YAML node. A map's children alternate key, value. */
struct node {
	enum node_kind kind;
	struct pos pos;
	char *text; /* scalars: NUL-terminated, no NUL inside */
	struct node *child;
	struct node *next;
};

struct cidr {
	__u8 af; /* 4 or 6 */
	__u8 plen;
	__u8 addr[16];
};

struct range {
	__u32 lo;
	__u32 hi;
};

/* A list of alternatives. Absent (nr 0) means that the rule does not constrain it: an empty list is an error when read. */
struct cidrs {
	unsigned int nr;
	struct cidr *at;
};

struct ranges {
	unsigned int nr;
	struct range *at;
};

struct rule {
	char name[SMCU_POLICY_NAME_LEN];
	struct pos pos;
	struct pos dst_pos;
	__u32 action;
	unsigned int dirs; /* bits 1 << SMCU_DIR_*; 0: not constrained */
	struct cidrs dst;
	struct cidrs src;
	struct ranges port;
	struct ranges pid;
};

struct smcpol {
	__u32 dflt;
	unsigned int nr_rules;
	struct rule *rules;
};

/* The text being read, for messages. */
struct source {
	const char *name;
	const char *text;
	size_t len;
	struct smcpol_diag *diag;
};

/* diag.c */
void diag_error(const struct source *src, struct pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(const struct source *src, struct pos pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *diag_nearest(const char *word, const char *const *known);

/* load.c */
struct node *node_load(const struct source *src);
void node_free(struct node *node);

/* parse.c */
bool policy_parse(const struct source *src, const struct node *root, struct smcpol *policy);

/* check.c */
bool policy_check(const struct source *src, const struct smcpol *policy);

/* compile.c: how many trie entries a range of values needs. */
unsigned int range_prefixes(struct range range, unsigned int bits,
			    void (*emit)(void *arg, __u32 value, unsigned int plen), void *arg);

#endif
