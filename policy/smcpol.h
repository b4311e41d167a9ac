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

/* The caller's knowledge of this machine. resolve says what number a name stands for; false: there is no such name. */
struct smcpol_resolver {
	bool (*resolve)(void *arg, enum smcpol_name kind, const char *name, __u32 *number);
	void *arg;
};

/*
 * What is put into the maps: records 0 (default) to nr_rules, and the image's blocks, all of which are allocated; the foot says
 * how many units are used.
 */
struct smcpol_image {
	unsigned int nr_rules;
	unsigned int nr_blocks;
	struct smcu_policy_rule *records; /* nr_rules + 1 of them */
	union smcu_block *blocks;
};

/* One error or warning. The texts are the collection's. */
struct smcpol_message {
	bool is_error;
	unsigned int line; /* from 1, as column */
	unsigned int column;
	char *text;
	char *suggestion; /* what was probably meant, instead of what is there; NULL where nobody knows */
};

struct smcpol_diag *smcpol_diag_new(void);
void smcpol_diag_free(struct smcpol_diag *diag);
const char *smcpol_diag_text(const struct smcpol_diag *diag);
const struct smcpol_message *smcpol_diag_messages(const struct smcpol_diag *diag, unsigned int *nr);
unsigned int smcpol_diag_errors(const struct smcpol_diag *diag);
unsigned int smcpol_diag_warnings(const struct smcpol_diag *diag);

struct smcpol *smcpol_load(const char *name, const char *text, size_t len, struct smcpol_diag *diag);
struct smcpol *smcpol_load_named(const char *name, const char *text, size_t len, const struct smcpol_resolver *resolver,
				 struct smcpol_diag *diag);
void smcpol_free(struct smcpol *policy);
unsigned int smcpol_nr_rules(const struct smcpol *policy);
const char *smcpol_rule_name(const struct smcpol *policy, int rule);
bool smcpol_rule_is_smc(const struct smcpol *policy, int rule);
unsigned int smcpol_dims(const struct smcpol *policy);

bool smcpol_names_cgroups(const struct smcpol *policy);

/* The pattern of a rule's key cgroup, for those who look for cgroups by the same language (policy/glob.c). */
bool glob_holds(const char *pattern, const char *path);

int smcpol_eval(const struct smcpol *policy, const struct smcu_flow *flow, const char *cgroup);
const char *smcpol_why_not(const struct smcpol *policy, int rule, const struct smcu_flow *flow, const char *cgroup);
char *smcpol_print(const struct smcpol *policy);

struct smcpol_image *smcpol_compile(const struct smcpol *policy);
void smcpol_image_free(struct smcpol_image *image);
bool smcpol_image_reserve(struct smcpol_image *image, unsigned int sets);
int smcpol_image_match(const struct smcpol_image *image, const struct smcu_flow *flow);
bool smcpol_image_cgroup(union smcu_block *blocks, const struct smcpol *policy, const char *path,
			 struct smcu_policy_cgroup *sets);

#endif
