/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/* The library's own types: the YAML tree with positions, and the policy made of it. Not for users of the library. */
#ifndef SMCPOL_AST_H
#define SMCPOL_AST_H

#include "smcpol.h"

/**
 * struct pos - a place in the source
 * @line: from 1
 * @col: from 1, in characters
 * @len: how many characters the caret line marks; 0 counts as 1
 */
struct pos {
	unsigned int line;
	unsigned int col;
	unsigned int len;
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/**
 * struct node - a YAML node
 * @kind: what it is
 * @pos: where it begins
 * @text: of a scalar: NUL-terminated, no NUL inside; else NULL. Its own
 * @child: the first of a list or map, whose children alternate key and value; NULL: it is empty. Its own
 * @next: what follows it in its list or map
 */
struct node {
	enum node_kind kind;
	struct pos pos;
	char *text;
	struct node *child;
	struct node *next;
};

/**
 * struct cidr - a prefix of addresses
 * @af: 4 or 6
 * @plen: its length in bits, 0 to 32 or 128
 * @addr: network byte order, an IPv4 address in the first four; 0 beyond @plen
 */
struct cidr {
	__u8 af;
	__u8 plen;
	__u8 addr[16];
};

/**
 * struct range - numbers from one to another
 * @lo: the first
 * @hi: the last; not less than @lo
 */
struct range {
	__u32 lo;
	__u32 hi;
};

/**
 * struct comm - a task's name, or how it begins
 * @text: 1 to 15 printable characters, padded with NUL; without the '*' of a prefix
 * @is_prefix: any that begins so
 */
struct comm {
	char text[SMCU_COMM_LEN];
	bool is_prefix;
};

/*
 * Lists of alternatives. Absent (nr 0) means that the rule does not constrain it: an empty list is an error when read. What at points
 * to is the policy's.
 */

/**
 * struct cidrs - prefixes of both families
 * @nr: how many
 * @at: in the order in which they were written
 */
struct cidrs {
	unsigned int nr;
	struct cidr *at;
};

/**
 * struct ranges - numbers
 * @nr: how many ranges
 * @at: in the order in which they were written; they may overlap
 */
struct ranges {
	unsigned int nr;
	struct range *at;
};

/**
 * struct comms - names of tasks
 * @nr: how many
 * @at: in the order in which they were written
 */
struct comms {
	unsigned int nr;
	struct comm *at;
};

/**
 * struct globs - patterns of cgroups
 * @nr: how many
 * @at: absolute paths whose names may hold '*' and '?', and that may end with the name "**"; each at most 1024 bytes
 */
struct globs {
	unsigned int nr;
	char **at;
};

/**
 * struct rule - one rule
 * @name: 1 to 63 characters, NUL-terminated
 * @pos: of its name; where it has none, of the rule
 * @dst_pos: of the value of the key dst, if it is there
 * @action: SMCU_ACTION_*
 * @dirs: bits 1 << SMCU_DIR_*; 0: not constrained
 * @dst: addresses connected to
 * @src: the socket's own addresses
 * @port: 0 to 65535
 * @pid: 0 to 4194304, as the initial namespace numbers them
 * @uid: 0 to 4294967294, as @pid
 * @gid: as @uid
 * @netns: inode numbers, not 0; each range is of one
 * @comm: names of tasks
 * @cgroup: patterns of the task's cgroup
 */
struct rule {
	char name[SMCU_POLICY_NAME_LEN];
	struct pos pos;
	struct pos dst_pos;
	__u32 action;
	unsigned int dirs;
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

/**
 * struct smcpol - a policy
 * @dflt: what happens when no rule matches, SMCU_ACTION_*
 * @nr_rules: 0 to SMCU_POLICY_MAX_RULES
 * @rules: in the order in which they are tried; its own
 */
struct smcpol {
	__u32 dflt;
	unsigned int nr_rules;
	struct rule *rules;
};

/**
 * struct source - the text being read, and who hears of it. All of it the caller's
 * @name: what messages call it
 * @text: not NUL-terminated
 * @len: of @text, in bytes
 * @resolver: for names; NULL: only numbers are accepted
 * @diag: takes the messages
 * @is_canonical: of smcpol_print(): checked when its source was read, so no warning is given again
 */
struct source {
	const char *name;
	const char *text;
	size_t len;
	const struct smcpol_resolver *resolver;
	struct smcpol_diag *diag;
	bool is_canonical;
};

/* diag.c. Only the first 20 messages are shown; all are counted. */

/**
 * diag_error() - add an error
 * @src: the text
 * @pos: where in it
 * @fmt: what is wrong, as of printf(), without a newline
 */
void diag_error(const struct source *src, struct pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * diag_warning() - add a warning
 * @src: the text
 * @pos: where in it
 * @fmt: what is odd, as of printf(), without a newline
 */
void diag_warning(const struct source *src, struct pos pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * diag_suggestion() - add an error whose message goes on with ": did you mean 'SUGGESTION'?"
 * @src: the text
 * @pos: where in it
 * @suggestion: what was probably meant; copied
 * @fmt: what is wrong, as of printf(), without a newline
 */
void diag_suggestion(const struct source *src, struct pos pos, const char *suggestion, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * diag_nearest() - the word that was likely meant
 * @word: what is there
 * @known: words there are, with a NULL at the end
 *
 * Return: the one of @known that is nearest, at most two slips and half of its letters away; or NULL.
 */
const char *diag_nearest(const char *word, const char *const *known);

/* load.c */

/**
 * node_load() - the whole text as a tree
 * @src: the text
 *
 * Return: the root, to be freed with node_free(); or NULL, with the reason in @src->diag unless it is want of memory.
 */
struct node *node_load(const struct source *src);

/**
 * node_free() - free a node, what is in it and what follows it
 * @node: from node_load(), or NULL
 */
void node_free(struct node *node);

/* parse.c */

/**
 * policy_parse() - fill an empty policy
 * @src: the text, for messages and names
 * @root: its tree; not kept
 * @policy: all zero
 *
 * Return: false: there were errors, all of which were reported, and what was filled is only good for being freed.
 */
bool policy_parse(const struct source *src, const struct node *root, struct smcpol *policy);

/* check.c */

/**
 * policy_check() - what is well-formed but cannot be meant, or cannot be carried out
 * @src: the text, for messages
 * @policy: the policy of it
 *
 * Return: false: an error was reported. Warnings alone do not fail a policy.
 */
bool policy_check(const struct source *src, const struct smcpol *policy);

/* spans.c: the values a rule names in one dimension, as intervals of numbers. */
typedef unsigned __int128 value_t;

/**
 * struct span - an interval of a tree's values
 * @lo: the first
 * @hi: the last; not less than @lo
 */
struct span {
	value_t lo;
	value_t hi;
};

/* By SMCU_TREE_*: its dimension, and how many bits its values have (32 or 128). */
extern const unsigned int tree_dim[SMCU_TREE_COUNT];
extern const unsigned int tree_bits[SMCU_TREE_COUNT];

/**
 * rule_dims() - the dimensions a rule constrains
 * @rule: the rule
 *
 * Return: bits 1 << SMCU_DIM_*. Both directions are no constraint: there is no third.
 */
unsigned int rule_dims(const struct rule *rule);

/**
 * rule_values() - how many values a rule names, in all dimensions together
 * @rule: the rule
 *
 * Return: their number: room enough for the spans of any tree.
 */
unsigned int rule_values(const struct rule *rule);

/**
 * rule_spans() - the values a rule names that belong into a tree
 * @rule: the rule
 * @tree: SMCU_TREE_*
 * @spans: room for rule_values(); filled in order, none touching the next
 *
 * Return: how many spans there are.
 */
unsigned int rule_spans(const struct rule *rule, unsigned int tree, struct span *spans);

/* glob.c, beside glob_holds() */

/**
 * glob_holds_below() - does a pattern hold every path below a path, whatever its names
 * @pattern: of a rule
 * @path: as of glob_holds()
 *
 * Return: whether it does.
 */
bool glob_holds_below(const char *pattern, const char *path);

/**
 * glob_covers() - does a pattern hold every path that another one holds
 * @outer: the one
 * @inner: the other
 *
 * Return: true only if it does; false also where that is not obvious.
 */
bool glob_covers(const char *outer, const char *inner);

#endif
