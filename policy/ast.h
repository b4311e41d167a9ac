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

struct comm {
	char text[SMCU_COMM_LEN]; /* padded with NUL; without the '*' of a prefix */
	bool is_prefix;
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

struct comms {
	unsigned int nr;
	struct comm *at;
};

/* Absolute paths whose components may hold '*' and '?', and that may end with the component "**". */
struct globs {
	unsigned int nr;
	char **at;
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
	struct ranges uid;
	struct ranges gid;
	struct ranges netns;
	struct comms comm;
	struct globs cgroup;
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
	const struct smcpol_resolver *resolver;
	struct smcpol_diag *diag;
	bool is_canonical; /* of smcpol_print(): checked when its source was read */
};

/* diag.c. diag_suggestion() is an error whose message goes on with ": did you mean 'SUGGESTION'?". */
void diag_error(const struct source *src, struct pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(const struct source *src, struct pos pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_suggestion(const struct source *src, struct pos pos, const char *suggestion, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
const char *diag_nearest(const char *word, const char *const *known);

/* load.c */
struct node *node_load(const struct source *src);
void node_free(struct node *node);

/* parse.c */
bool policy_parse(const struct source *src, const struct node *root, struct smcpol *policy);

/* check.c */
bool policy_check(const struct source *src, const struct smcpol *policy);

/* spans.c: the values a rule names in one dimension, as intervals of numbers. */
typedef unsigned __int128 value_t;

struct span {
	value_t lo;
	value_t hi;
};

extern const unsigned int tree_dim[SMCU_TREE_COUNT];
extern const unsigned int tree_bits[SMCU_TREE_COUNT];

unsigned int rule_dims(const struct rule *rule);
unsigned int rule_values(const struct rule *rule);
unsigned int rule_spans(const struct rule *rule, unsigned int tree, struct span *spans);

/* glob.c */
bool glob_holds(const char *pattern, const char *path);
bool glob_holds_below(const char *pattern, const char *path);
bool glob_covers(const char *outer, const char *inner);

#endif
