// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The tree to a policy: which keys there are and what each value may be. One table for each kind of map; a new kind of match is a row
 * in match_keys[] and a function. All errors are reported, not only the first.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"

#define MAX_KEYS 16
#define MAX_PID 4194304	   /* the kernel's PID_MAX_LIMIT */
#define MAX_ID 4294967294U /* the next one is "no such user" */
#define MAX_NUMBER 4294967295U
#define MAX_PATH 1024
#define MAX_STARS 3

/* One key of a map. into is what the caller passed to map_parse(). */
struct key {
	const char *name;
	bool (*parse)(const struct source *src, const struct node *value, void *into);
	bool is_required;
};

static const char *kind_name(enum node_kind kind)
{
	return kind == NODE_SCALAR ? "a value" : kind == NODE_LIST ? "a list" : "a map of keys";
}

static bool expect_kind(const struct source *src, const struct node *node, enum node_kind kind, const char *what)
{
	if (node->kind == kind)
		return true;
	diag_error(src, node->pos, "%s must be %s, this is %s", what, kind_name(kind), kind_name(node->kind));
	return false;
}

/* "word 'x' is not one of a, b, c" with the likely one named. */
static void unknown_word(const struct source *src, struct pos pos, const char *what, const char *word,
			 const char *const *known)
{
	const char *near = diag_nearest(word, known);
	char list[256] = "";
	size_t n = 0;

	if (near) {
		diag_suggestion(src, pos, near, "unknown %s '%.64s'", what, word);
		return;
	}
	for (; *known && n < sizeof(list) - 1; known++)
		n += snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", *known);
	diag_error(src, pos, "unknown %s '%.64s': there are %s", what, word, list);
}

static bool map_parse(const struct source *src, const struct node *map, const char *what, const struct key *keys,
		      void *into)
{
	const struct node *seen[MAX_KEYS] = { NULL };
	const char *names[MAX_KEYS + 1];
	const struct node *node;
	bool ok = true;
	int i, nr;

	if (!expect_kind(src, map, NODE_MAP, what))
		return false;
	for (nr = 0; keys[nr].name; nr++)
		names[nr] = keys[nr].name;
	names[nr] = NULL;

	for (node = map->child; node && node->next; node = node->next->next) {
		if (!expect_kind(src, node, NODE_SCALAR, "a key")) {
			ok = false;
			continue;
		}
		for (i = 0; i < nr && strcmp(node->text, names[i]); i++)
			;
		if (i == nr) {
			unknown_word(src, node->pos, "key", node->text, names);
			ok = false;
		} else if (seen[i]) {
			diag_error(src, node->pos, "key '%s' appears twice: the first is in line %u", names[i],
				   seen[i]->pos.line);
			ok = false;
		} else {
			seen[i] = node;
			ok &= keys[i].parse(src, node->next, into);
		}
	}
	for (i = 0; i < nr; i++) {
		if (keys[i].is_required && !seen[i]) {
			diag_error(src, map->pos, "%s lacks the key '%s'", what, names[i]);
			ok = false;
		}
	}
	return ok;
}

/* Each value of a list, or the one value that stands for a list of one. */
static bool list_parse(const struct source *src, const struct node *node, const char *what,
		       bool (*parse)(const struct source *src, const struct node *value, void *into), void *into)
{
	bool ok = true;

	if (node->kind == NODE_SCALAR)
		return parse(src, node, into);
	if (!expect_kind(src, node, NODE_LIST, what))
		return false;
	if (!node->child) {
		diag_error(src, node->pos, "%s is empty, so the rule could never match: leave the key out for any",
			   what);
		return false;
	}
	for (node = node->child; node; node = node->next)
		ok &= expect_kind(src, node, NODE_SCALAR, what) && parse(src, node, into);
	return ok;
}

/* Room for one more element, doubling. */
static bool grow(void **at, unsigned int nr, size_t size)
{
	void *grown;

	if (nr & (nr - 1))
		return true;
	grown = reallocarray(*at, nr ? 2 * (size_t)nr : 1, size);
	if (!grown)
		return false;
	*at = grown;
	return true;
}

/* A plain decimal number up to max: no sign, no blank, no other base. Ends at the first other character. */
static bool number(const char **text, __u32 max, __u32 *out)
{
	const char *p = *text;
	__u64 n = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (*p - '0');
		if (n > max)
			return false;
	}
	*text = p;
	*out = n;
	return true;
}

/* Values of the match keys */

static bool parse_direction(const struct source *src, const struct node *node, void *into)
{
	static const char *const known[] = { "in", "out", NULL };
	struct rule *rule = into;

	if (!strcmp(node->text, "out")) {
		rule->dirs |= 1U << SMCU_DIR_OUT;
	} else if (!strcmp(node->text, "in")) {
		rule->dirs |= 1U << SMCU_DIR_IN;
	} else {
		unknown_word(src, node->pos, "direction", node->text, known);
		return false;
	}
	return true;
}

static void mask(__u8 *addr, unsigned int plen)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		if (plen >= 8 * (i + 1))
			continue;
		addr[i] &= plen <= 8 * i ? 0 : 0xff << (8 - (plen - 8 * i));
	}
}

static bool parse_cidr(const struct source *src, const struct node *node, void *into)
{
	struct cidrs *list = into;
	struct cidr cidr = { .af = 4 };
	char text[INET6_ADDRSTRLEN], meant[INET6_ADDRSTRLEN + 4], *slash;
	__u8 given[16];
	__u32 plen;
	size_t len;

	slash = strchr(node->text, '/');
	len = slash ? (size_t)(slash - node->text) : strlen(node->text);
	if (len >= sizeof(text))
		goto err_no_address;
	memcpy(text, node->text, len);
	text[len] = '\0';

	if (strchr(text, ':'))
		cidr.af = 6;
	if (inet_pton(cidr.af == 4 ? AF_INET : AF_INET6, text, cidr.addr) != 1)
		goto err_no_address;
	plen = cidr.af == 4 ? 32 : 128;
	if (slash) {
		const char *p = slash + 1;

		if (!number(&p, plen, &plen) || *p) {
			diag_error(src, node->pos, "'%.64s': the prefix length is a number from 0 to %d", node->text,
				   cidr.af == 4 ? 32 : 128);
			return false;
		}
	}
	cidr.plen = plen;

	memcpy(given, cidr.addr, sizeof(given));
	mask(cidr.addr, cidr.plen);
	if (memcmp(given, cidr.addr, sizeof(given))) {
		inet_ntop(cidr.af == 4 ? AF_INET : AF_INET6, cidr.addr, text, sizeof(text));
		snprintf(meant, sizeof(meant), "%s/%u", text, cidr.plen);
		diag_suggestion(src, node->pos, meant, "'%.64s' has bits beyond its prefix", node->text);
		return false;
	}
	if (cidr.af == 6 && cidr.plen >= 96 && !memcmp(cidr.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)) {
		diag_error(src, node->pos, "'%.64s' is an IPv4 address in IPv6 form and would never match: write it as IPv4",
			   node->text);
		return false;
	}

	if (!grow((void **)&list->at, list->nr, sizeof(cidr))) {
		diag_error(src, node->pos, "out of memory");
		return false;
	}
	list->at[list->nr++] = cidr;
	return true;

err_no_address:
	diag_error(src, node->pos, "'%.64s' is neither an address nor a prefix (10.1.0.0/16, fd00::/48)", node->text);
	return false;
}

static bool add_range(const struct source *src, const struct node *node, struct ranges *list, struct range range)
{
	if (!grow((void **)&list->at, list->nr, sizeof(range))) {
		diag_error(src, node->pos, "out of memory");
		return false;
	}
	list->at[list->nr++] = range;
	return true;
}

static bool parse_range(const struct source *src, const struct node *node, struct ranges *list, const char *what,
			__u32 max)
{
	const char *p = node->text;
	struct range range;
	char meant[32];

	if (!number(&p, max, &range.lo))
		goto err_no_range;
	range.hi = range.lo;
	if (*p == '-') {
		p++;
		if (!number(&p, max, &range.hi))
			goto err_no_range;
	}
	if (*p)
		goto err_no_range;
	if (range.lo > range.hi) {
		snprintf(meant, sizeof(meant), "%u-%u", range.hi, range.lo);
		diag_suggestion(src, node->pos, meant, "'%.64s' runs backwards", node->text);
		return false;
	}
	return add_range(src, node, list, range);

err_no_range:
	diag_error(src, node->pos, "'%.64s' is not a %s: a number from 0 to %u, or two with '-' between", node->text,
		   what, max);
	return false;
}

static bool parse_port(const struct source *src, const struct node *node, void *into)
{
	return parse_range(src, node, into, "port", 65535);
}

static bool parse_pid(const struct source *src, const struct node *node, void *into)
{
	return parse_range(src, node, into, "pid", MAX_PID);
}

/* A name becomes the number it stands for now: what is compared in the kernel are numbers. */
static bool parse_name(const struct source *src, const struct node *node, struct ranges *list, enum smcpol_name kind,
		       const char *what)
{
	struct range range;

	if (!src->resolver) {
		diag_error(src, node->pos, "%s '%.64s': names cannot be looked up here, write the number", what, node->text);
		return false;
	}
	if (!*node->text || !src->resolver->resolve(src->resolver->arg, kind, node->text, &range.lo)) {
		diag_error(src, node->pos, "there is no %s '%.64s' on this machine", what, node->text);
		return false;
	}
	range.hi = range.lo;
	return add_range(src, node, list, range);
}

static bool begins_with_digit(const char *text)
{
	return *text >= '0' && *text <= '9';
}

static bool parse_uid(const struct source *src, const struct node *node, void *into)
{
	if (begins_with_digit(node->text))
		return parse_range(src, node, into, "uid", MAX_ID);
	return parse_name(src, node, into, SMCPOL_UID, "user");
}

static bool parse_gid(const struct source *src, const struct node *node, void *into)
{
	if (begins_with_digit(node->text))
		return parse_range(src, node, into, "gid", MAX_ID);
	return parse_name(src, node, into, SMCPOL_GID, "group");
}

static bool parse_netns(const struct source *src, const struct node *node, void *into)
{
	const char *p = node->text;
	struct range range;

	if (!begins_with_digit(p))
		return parse_name(src, node, into, SMCPOL_NETNS, "network namespace");
	if (!number(&p, MAX_NUMBER, &range.lo) || *p || !range.lo) {
		diag_error(src, node->pos, "'%.64s' is not the inode number of a network namespace: lsns -t net lists them",
			   node->text);
		return false;
	}
	range.hi = range.lo;
	return add_range(src, node, into, range);
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

static bool parse_comm(const struct source *src, const struct node *node, void *into)
{
	size_t len = strlen(node->text);
	char meant[SMCU_COMM_LEN] = "";
	struct comms *list = into;
	struct comm comm = { 0 };

	if (len && node->text[len - 1] == '*') {
		comm.is_prefix = true;
		len--;
	}
	if (!len || !is_printable(node->text)) {
		diag_error(src, node->pos, "'%.64s' is not a comm: printable characters, and '*' at the end for any that begins so",
			   node->text);
		return false;
	}
	if (memchr(node->text, '*', len)) {
		diag_error(src, node->pos, "'%.64s': '*' stands at the end only, for any comm that begins so", node->text);
		return false;
	}
	if (len >= SMCU_COMM_LEN) {
		memcpy(meant, node->text, SMCU_COMM_LEN - 1);
		diag_suggestion(src, node->pos, meant, "'%.64s' would never match, the kernel keeps %d characters", node->text,
				SMCU_COMM_LEN - 1);
		return false;
	}
	memcpy(comm.text, node->text, len);

	if (!grow((void **)&list->at, list->nr, sizeof(comm))) {
		diag_error(src, node->pos, "out of memory");
		return false;
	}
	list->at[list->nr++] = comm;
	return true;
}

/* Each multiplies the work of the interpreter. */
static unsigned int count_stars(const char *name, size_t len)
{
	unsigned int n = 0;

	while (len--)
		n += name[len] == '*';
	return n;
}

/* What is wrong with a cgroup's path, or NULL. */
static const char *path_fault(const char *path)
{
	unsigned int levels = 0;
	size_t len;

	if (*path != '/')
		return "begins with '/', the root of the cgroup2 hierarchy, as in /proc/PID/cgroup";
	if (strlen(path) > MAX_PATH)
		return "has at most 1024 characters";
	if (!is_printable(path))
		return "has printable characters only";
	if (strchr(path, '['))
		return "has no character classes: '*' and '?' are known, and a list holds alternatives";
	if (!path[1])
		return NULL;
	for (path++;; path += len + 1) {
		len = strcspn(path, "/");
		if (!len)
			return "has no empty names and no '/' at its end";
		if (!strncmp(path, "..", len) && len <= 2)
			return "has no '.' and '..'";
		if (len == 2 && !strncmp(path, "**", 2)) {
			if (path[2])
				return "has '**' at its end only, for what is there and everything below";
		} else if (memmem(path, len, "**", 2)) {
			return "has '**' as a name of its own only: '/x/**' is x and everything below";
		} else if (count_stars(path, len) > MAX_STARS) {
			return "has at most three '*' in one name";
		} else if (++levels > SMCU_CGROUP_LEVELS) {
			return "has at most 31 levels";
		}
		if (!path[len])
			return NULL;
	}
}

static bool parse_cgroup(const struct source *src, const struct node *node, void *into)
{
	const char *fault = path_fault(node->text);
	struct globs *list = into;

	if (fault) {
		diag_error(src, node->pos, "'%.64s': a cgroup's path %s", node->text, fault);
		return false;
	}
	if (!grow((void **)&list->at, list->nr, sizeof(*list->at)) || !(list->at[list->nr] = strdup(node->text))) {
		diag_error(src, node->pos, "out of memory");
		return false;
	}
	list->nr++;
	return true;
}

static bool match_direction(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "direction", parse_direction, into);
}

static bool match_dst(const struct source *src, const struct node *node, void *into)
{
	((struct rule *)into)->dst_pos = node->pos;
	return list_parse(src, node, "dst", parse_cidr, &((struct rule *)into)->dst);
}

static bool match_src(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "src", parse_cidr, &((struct rule *)into)->src);
}

static bool match_port(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "port", parse_port, &((struct rule *)into)->port);
}

static bool match_pid(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "pid", parse_pid, &((struct rule *)into)->pid);
}

static bool match_uid(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "uid", parse_uid, &((struct rule *)into)->uid);
}

static bool match_gid(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "gid", parse_gid, &((struct rule *)into)->gid);
}

static bool match_comm(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "comm", parse_comm, &((struct rule *)into)->comm);
}

static bool match_cgroup(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "cgroup", parse_cgroup, &((struct rule *)into)->cgroup);
}

static bool match_netns(const struct source *src, const struct node *node, void *into)
{
	return list_parse(src, node, "netns", parse_netns, &((struct rule *)into)->netns);
}

static const struct key match_keys[] = {
	{ "direction", match_direction, false },
	{ "dst", match_dst, false },
	{ "src", match_src, false },
	{ "port", match_port, false },
	{ "pid", match_pid, false },
	{ "uid", match_uid, false },
	{ "gid", match_gid, false },
	{ "comm", match_comm, false },
	{ "cgroup", match_cgroup, false },
	{ "netns", match_netns, false },
	{ 0 },
};

/* Rules */

static bool parse_action(const struct source *src, const struct node *node, __u32 *action)
{
	static const char *const known[] = { "smc", "tcp", NULL };

	if (!expect_kind(src, node, NODE_SCALAR, "an action"))
		return false;
	if (!strcmp(node->text, "smc")) {
		*action = SMCU_ACTION_SMC;
	} else if (!strcmp(node->text, "tcp")) {
		*action = SMCU_ACTION_TCP;
	} else {
		unknown_word(src, node->pos, "action", node->text, known);
		return false;
	}
	return true;
}

static bool rule_name(const struct source *src, const struct node *node, void *into)
{
	struct rule *rule = into;
	const char *p;

	if (!expect_kind(src, node, NODE_SCALAR, "a rule's name"))
		return false;
	for (p = node->text; *p; p++) {
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		      *p == '-' || *p == '_' || *p == '.'))
			break;
	}
	if (*p || p == node->text || p - node->text >= SMCU_POLICY_NAME_LEN) {
		diag_error(src, node->pos, "a rule's name is 1 to %d letters, digits, '-', '_' or '.'",
			   SMCU_POLICY_NAME_LEN - 1);
		return false;
	}
	if (!strcmp(node->text, "default")) {
		diag_error(src, node->pos, "'default' names what happens when no rule matches: choose another name");
		return false;
	}
	memcpy(rule->name, node->text, p - node->text + 1);
	rule->pos = node->pos;
	return true;
}

static bool rule_match(const struct source *src, const struct node *node, void *into)
{
	return map_parse(src, node, "match", match_keys, into);
}

static bool rule_action(const struct source *src, const struct node *node, void *into)
{
	return parse_action(src, node, &((struct rule *)into)->action);
}

static const struct key rule_keys[] = {
	{ "name", rule_name, true },
	{ "match", rule_match, true },
	{ "action", rule_action, true },
	{ 0 },
};

/* The policy */

static bool policy_version(const struct source *src, const struct node *node, void *into)
{
	(void)into;
	if (!expect_kind(src, node, NODE_SCALAR, "version"))
		return false;
	if (strcmp(node->text, "1")) {
		diag_error(src, node->pos, "version '%.32s' is not known: this program reads version 1", node->text);
		return false;
	}
	return true;
}

static bool policy_default(const struct source *src, const struct node *node, void *into)
{
	return parse_action(src, node, &((struct smcpol *)into)->dflt);
}

static bool policy_rules(const struct source *src, const struct node *node, void *into)
{
	struct smcpol *policy = into;
	bool ok = true;

	if (!expect_kind(src, node, NODE_LIST, "rules"))
		return false;
	for (node = node->child; node; node = node->next) {
		struct rule *rule;

		if (policy->nr_rules == SMCU_POLICY_MAX_RULES) {
			diag_error(src, node->pos, "too many rules: at most %d", SMCU_POLICY_MAX_RULES);
			return false;
		}
		if (!grow((void **)&policy->rules, policy->nr_rules, sizeof(*rule))) {
			diag_error(src, node->pos, "out of memory");
			return false;
		}
		rule = &policy->rules[policy->nr_rules++];
		memset(rule, 0, sizeof(*rule));
		rule->pos = node->pos;
		ok &= map_parse(src, node, "a rule", rule_keys, rule);
	}
	return ok;
}

static const struct key policy_keys[] = {
	{ "version", policy_version, true },
	{ "default", policy_default, false },
	{ "rules", policy_rules, false },
	{ 0 },
};

bool policy_parse(const struct source *src, const struct node *root, struct smcpol *policy)
{
	return map_parse(src, root, "a policy", policy_keys, policy);
}
