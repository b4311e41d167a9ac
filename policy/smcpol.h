/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * The policy library's door: text of a policy in, checked policy and compiled image out. No files, no system calls, no printing, no
 * BPF: the caller reads and writes, and resolves names. Phases, each in its file: load (YAML to tree), parse (tree to policy), check,
 * compile; print gives canonical text, eval decides slowly and obviously, image decides as the programs do.
 */
#ifndef SMCPOL_H
#define SMCPOL_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/flow.h"

#define SMCPOL_MAX_TEXT (2U << 20)    /* bytes of text, as written and in canonical form */
#define SMCPOL_MAX_VALUES 65536U      /* addresses, ranges, names and paths in all rules together */
#define SMCPOL_MAX_IMAGE (64U << 20)  /* bytes of a compiled policy */
#define SMCPOL_CGROUP_ROOM 256U	      /* sets of cgroups to come that room is left for, where a rule names cgroups */

struct smcpol;
struct smcpol_diag;

/* What a name may stand for. */
enum smcpol_name { SMCPOL_UID, SMCPOL_GID, SMCPOL_NETNS };

/**
 * struct smcpol_resolver - the caller's knowledge of this machine
 * @resolve: puts the number a name stands for into *number; false: there is no such name. The name is not empty and begins with no
 *           digit
 * @arg: handed to @resolve
 */
struct smcpol_resolver {
	bool (*resolve)(void *arg, enum smcpol_name kind, const char *name, __u32 *number);
	void *arg;
};

/**
 * struct smcpol_image - what is put into the maps
 * @nr_rules: 0 to SMCU_POLICY_MAX_RULES
 * @nr_blocks: that are allocated; the foot says how many units of them are used
 * @records: @nr_rules + 1 of them, the default's first; name and action are set, counters are 0
 * @blocks: the image; moves when room is made (smcpol_image_reserve())
 */
struct smcpol_image {
	unsigned int nr_rules;
	unsigned int nr_blocks;
	struct smcu_policy_rule *records;
	union smcu_block *blocks;
};

/**
 * struct smcpol_message - one error or warning
 * @is_error: else it is a warning
 * @line: where, from 1
 * @column: in it, from 1, in characters
 * @text: one line of printable text, without place and severity; the collection's, NULL without memory
 * @suggestion: what was probably meant instead of what is there, NULL where nobody knows; the collection's
 */
struct smcpol_message {
	bool is_error;
	unsigned int line;
	unsigned int column;
	char *text;
	char *suggestion;
};

/**
 * smcpol_diag_new() - an empty collection of messages
 *
 * Return: to be freed with smcpol_diag_free(); NULL without memory.
 */
struct smcpol_diag *smcpol_diag_new(void);

/**
 * smcpol_diag_free() - free a collection and its messages
 * @diag: from smcpol_diag_new(), or NULL
 */
void smcpol_diag_free(struct smcpol_diag *diag);

/**
 * smcpol_diag_text() - all messages, each ended by a newline
 * @diag: the collection
 *
 * Return: "" if there is none. Valid until the next message is added.
 */
const char *smcpol_diag_text(const struct smcpol_diag *diag);

/**
 * smcpol_diag_messages() - all messages, one by one
 * @diag: the collection
 * @nr: how many; no more are kept than are shown
 *
 * Return: the first one, in the order in which they were found. Valid as long as the collection.
 */
const struct smcpol_message *smcpol_diag_messages(const struct smcpol_diag *diag, unsigned int *nr);

/**
 * smcpol_diag_errors() - how many errors were found
 * @diag: the collection
 *
 * Return: their number, those not shown included.
 */
unsigned int smcpol_diag_errors(const struct smcpol_diag *diag);

/**
 * smcpol_diag_warnings() - how many warnings were found
 * @diag: the collection
 *
 * Return: their number, those not shown included.
 */
unsigned int smcpol_diag_warnings(const struct smcpol_diag *diag);

/**
 * smcpol_load() - read a policy as smcpol_print() writes it: numbers only
 * @name: what messages call the text
 * @text: YAML; need not be NUL-terminated
 * @len: its length in bytes
 * @diag: takes errors; of what takes long to find or was told when the source was read, nothing is said
 *
 * Return: as smcpol_load_named().
 */
struct smcpol *smcpol_load(const char *name, const char *text, size_t len, struct smcpol_diag *diag);

/**
 * smcpol_load_named() - read a policy in which users, groups and network namespaces may have names
 * @name: what messages call the text, usually a file name
 * @text: YAML; need not be NUL-terminated
 * @len: its length in bytes
 * @resolver: knows users, groups and network namespaces; NULL: only numbers are accepted
 * @diag: takes errors and warnings
 *
 * Return: a policy without errors, which can be compiled and whose canonical text can be read again, to be freed with smcpol_free();
 * or NULL, and the reasons are in @diag. Nothing of the arguments is kept.
 */
struct smcpol *smcpol_load_named(const char *name, const char *text, size_t len, const struct smcpol_resolver *resolver,
				 struct smcpol_diag *diag);

/**
 * smcpol_free() - free a policy
 * @policy: from smcpol_load() or smcpol_load_named(), or NULL
 */
void smcpol_free(struct smcpol *policy);

/**
 * smcpol_nr_rules() - the number of rules, the default not counted
 * @policy: the policy
 *
 * Return: 0 to SMCU_POLICY_MAX_RULES.
 */
unsigned int smcpol_nr_rules(const struct smcpol *policy);

/**
 * smcpol_rule_name() - what a rule is called
 * @policy: the policy
 * @rule: its index, or SMCU_NO_MATCH
 *
 * Return: "default" for SMCU_NO_MATCH; else the policy's.
 */
const char *smcpol_rule_name(const struct smcpol *policy, int rule);

/**
 * smcpol_rule_is_smc() - what a rule decides
 * @policy: the policy
 * @rule: its index, or SMCU_NO_MATCH for the default
 *
 * Return: true for SMC, false for TCP.
 */
bool smcpol_rule_is_smc(const struct smcpol *policy, int rule);

/**
 * smcpol_dims() - which facts a policy's rules ask for
 * @policy: the policy
 *
 * Return: bit d is set if any rule constrains dimension d (SMCU_DIM_*).
 */
unsigned int smcpol_dims(const struct smcpol *policy);

/**
 * smcpol_names_cgroups() - does any rule ask for the cgroup
 * @policy: the policy
 *
 * Return: true if cgroups that appear have to be classified.
 */
bool smcpol_names_cgroups(const struct smcpol *policy);

/**
 * glob_holds() - does a pattern of cgroups hold a path
 * @pattern: as of a rule's key cgroup; absolute
 * @path: of a cgroup; absolute, a '/' at its end says nothing
 *
 * Also for those who look for cgroups by the same language.
 *
 * Return: whether it does.
 */
bool glob_holds(const char *pattern, const char *path);

/**
 * smcpol_eval() - which rule decides a flow, found rule by rule
 * @policy: the policy
 * @flow: the flow; what it has in cgroup is not looked at
 * @cgroup: the task's cgroup, as a path; NULL: not known
 *
 * Return: the rule's index, or SMCU_NO_MATCH if the default does.
 */
int smcpol_eval(const struct smcpol *policy, const struct smcu_flow *flow, const char *cgroup);

/**
 * smcpol_why_not() - what keeps a rule from matching a flow
 * @policy: the policy
 * @rule: index of the rule
 * @flow: the flow; what it has in cgroup is not looked at
 * @cgroup: the task's cgroup, as a path; NULL: not known
 *
 * Return: the first key that does not hold the flow's value, or NULL if the rule matches.
 */
const char *smcpol_why_not(const struct smcpol *policy, int rule, const struct smcu_flow *flow, const char *cgroup);

/**
 * smcpol_print() - a policy's canonical text
 * @policy: the policy
 *
 * Return: to be freed with free(); NULL without memory.
 */
char *smcpol_print(const struct smcpol *policy);

/**
 * smcpol_compile() - a policy in the form the programs read
 * @policy: the policy
 *
 * Return: to be freed with smcpol_image_free(); NULL with errno ENOMEM, or E2BIG where it would exceed SMCPOL_MAX_IMAGE.
 */
struct smcpol_image *smcpol_compile(const struct smcpol *policy);

/**
 * smcpol_image_free() - free an image
 * @image: from smcpol_compile(), or NULL
 */
void smcpol_image_free(struct smcpol_image *image);

/**
 * smcpol_image_reserve() - leave room for cgroups to come, in place of the room that is left now
 * @image: an image of smcpol_compile()
 * @sets: room for so many sets, whatever rules are in them
 *
 * Return: false with errno ENOMEM, or E2BIG where it would exceed SMCPOL_MAX_IMAGE; the image is as before then.
 */
bool smcpol_image_reserve(struct smcpol_image *image, unsigned int sets);

/**
 * smcpol_image_match() - which rule decides a flow, by way of the image
 * @image: the image
 * @flow: the flow; cgroup is the set smcpol_image_cgroup() said, if it is known
 *
 * Return: the rule's index, or SMCU_NO_MATCH if the default does.
 */
int smcpol_image_match(const struct smcpol_image *image, const struct smcu_flow *flow);

/**
 * smcpol_image_cgroup() - the sets of a cgroup
 * @blocks: an image that was compiled from @policy; may be the one the kernel is using
 * @policy: the policy
 * @path: the cgroup's path, beginning with '/' at the hierarchy's root
 * @sets: filled in; where there is no room, with 0
 *
 * Return: false if the image has no room for another set.
 */
bool smcpol_image_cgroup(union smcu_block *blocks, const struct smcpol *policy, const char *path,
			 struct smcu_policy_cgroup *sets);

#endif
