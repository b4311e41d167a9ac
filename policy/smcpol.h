/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * The policy library's door: text of a policy in, checked policy and compiled image out. No files, no system calls, no printing, no
 * BPF: the caller reads and writes. Phases, each in its file: load (YAML to tree), parse (tree to policy), check, compile; print
 * gives canonical text, eval decides slowly and obviously.
 */
#ifndef SMCPOL_H
#define SMCPOL_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/match.h"

#define SMCPOL_MAX_TEXT (1U << 20)  /* bytes of source */
#define SMCPOL_MAX_ENTRIES 65536U   /* entries of the compiled trie */

struct smcpol;
struct smcpol_diag;

/* One entry of the compiled trie. */
struct smcpol_entry {
	struct smcu_policy_key key;
	struct smcu_policy_bits bits;
};

/* What goes into the maps: records 0 (default) to nr_rules, and the trie's entries, shortest prefixes first within a dimension. */
struct smcpol_image {
	unsigned int nr_rules;
	unsigned int nr_entries;
	struct smcu_policy_rule *records; /* nr_rules + 1 of them */
	struct smcpol_entry *entries;
};

struct smcpol_diag *smcpol_diag_new(void);
void smcpol_diag_free(struct smcpol_diag *diag);
const char *smcpol_diag_text(const struct smcpol_diag *diag);
unsigned int smcpol_diag_errors(const struct smcpol_diag *diag);
unsigned int smcpol_diag_warnings(const struct smcpol_diag *diag);

struct smcpol *smcpol_load(const char *name, const char *text, size_t len, struct smcpol_diag *diag);
void smcpol_free(struct smcpol *policy);
unsigned int smcpol_nr_rules(const struct smcpol *policy);
const char *smcpol_rule_name(const struct smcpol *policy, int rule);
bool smcpol_rule_is_smc(const struct smcpol *policy, int rule);
unsigned int smcpol_rule_line(const struct smcpol *policy, int rule);

int smcpol_eval(const struct smcpol *policy, const struct smcu_flow *flow);
const char *smcpol_why_not(const struct smcpol *policy, int rule, const struct smcu_flow *flow);
char *smcpol_print(const struct smcpol *policy);

struct smcpol_image *smcpol_compile(const struct smcpol *policy);
void smcpol_image_free(struct smcpol_image *image);
int smcpol_image_match(const struct smcpol_image *image, const struct smcu_flow *flow);

#endif
