// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Reading policies: what is accepted, and for what is not, the message and its place. */
#include "check.h"
#include "policy/smcpol.h"

static const __u32 known_number[] = { [SMCPOL_UID] = 64045, [SMCPOL_GID] = 6, [SMCPOL_NETNS] = 4026532000 };

/* A machine that knows one name of each kind. */
static bool resolve(void *arg, enum smcpol_name kind, const char *name, __u32 *number)
{
	static const char *const known[] = { [SMCPOL_UID] = "ceph", [SMCPOL_GID] = "disk", [SMCPOL_NETNS] = "/run/netns/blue" };

	assert_ptr_equal(arg, known_number);
	*number = known_number[kind];
	return !strcmp(name, known[kind]);
}

static const struct smcpol_resolver resolver = { resolve, (void *)known_number };

static struct smcpol *load(const char *text, struct smcpol_diag **diag)
{
	/* Memory that ends where the text does: nothing may rely on a NUL. */
	size_t len = strlen(text);
	u8 *copy = exact_copy((const u8 *)text, len);
	struct smcpol *policy;

	*diag = smcpol_diag_new();
	assert_non_null(*diag);
	policy = smcpol_load_named("p.yaml", (const char *)copy, len, &resolver, *diag);
	free(copy);
	return policy;
}

static void expect_error(const char *text, const char *place, const char *message)
{
	struct smcpol_diag *diag;
	struct smcpol *policy = load(text, &diag);
	char want[512];

	snprintf(want, sizeof(want), "p.yaml:%s: error: ", place);
	CHECK(!policy, "accepted: %s", text);
	CHECK(smcpol_diag_errors(diag) > 0, "no error counted: %s", text);
	CHECK(strstr(smcpol_diag_text(diag), want), "not at %s: %s", place, smcpol_diag_text(diag));
	CHECK(strstr(smcpol_diag_text(diag), message), "no '%s': %s", message, smcpol_diag_text(diag));
	smcpol_diag_free(diag);
}

/* One rule whose match is given; it begins at column 26 of line 3. */
static void expect_match_error(const char *match, const char *column, const char *message)
{
	char text[512], place[16];

	snprintf(text, sizeof(text), "version: 1\nrules:\n  - { name: r, match: { %s }, action: smc }\n", match);
	snprintf(place, sizeof(place), "3:%s", column);
	expect_error(text, place, message);
}

static void expect_valid(const char *text)
{
	struct smcpol_diag *diag;
	struct smcpol *policy = load(text, &diag);

	CHECK(policy, "refused: %s", smcpol_diag_text(diag));
	CHECK(!smcpol_diag_errors(diag), "errors: %s", smcpol_diag_text(diag));
	smcpol_free(policy);
	smcpol_diag_free(diag);
}

static void test_smallest_policies(void **state)
{
	expect_valid("version: 1");
	expect_valid("version: 1\ndefault: smc\nrules: []\n");
	expect_valid("{\"version\": 1, \"rules\": [{\"name\": \"a\", \"match\": {}, \"action\": \"smc\"}]}");
}

static void test_not_a_policy(void **state)
{
	expect_error("", "1:1", "the policy is empty");
	expect_error("# nothing\n", "2:1", "the policy is empty");
	expect_error("- 1\n", "1:1", "must be a map of keys, this is a list");
	expect_error("version: [1\n", "2:1", "not YAML");
	expect_error("version: 1\n--- \nversion: 1\n", "2:1", "a second document");
	expect_error("default: smc\n", "1:1", "lacks the key 'version'");
	expect_error("version: 2\n", "1:10", "this program reads version 1");
	expect_error("version: 1\nrules: {}\n", "2:8", "must be a list");
}

static void test_unknown_words(void **state)
{
	expect_error("version: 1\ndefaul: smc\n", "2:1", "did you mean 'default'?");
	expect_error("version: 1\ndefault: scm\n", "2:10", "did you mean 'smc'?");
	expect_error("version: 1\nzzz: smc\n", "2:1", "there are version, default, rules");
	expect_match_error("prot: 1", "25", "did you mean 'port'?");
	expect_match_error("direction: inn", "36", "did you mean 'in'?");
}

static void test_repeated_keys(void **state)
{
	expect_error("version: 1\nversion: 1\n", "2:1", "appears twice: the first is in line 1");
	expect_match_error("port: 1, port: 2", "34", "appears twice");
}

static void test_yaml_we_do_not_want(void **state)
{
	expect_error("version: &a 1\n", "1:10", "anchors and aliases");
	expect_error("version: 1\ndefault: *a\n", "2:10", "anchors and aliases");
	expect_error("version: !!int 1\n", "1:10", "tags are not supported");
	expect_error("version: \"1\\0\"\n", "1:10", "NUL");
	expect_error("[[[[[[[[[[1]]]]]]]]]]", "1:9", "nested too deeply");
}

static void test_addresses(void **state)
{
	expect_match_error("dst: 10.0.0.1/8", "30", "did you mean '10.0.0.0/8'?");
	expect_match_error("dst: 10.0.0.0/33", "30", "a number from 0 to 32");
	expect_match_error("dst: \"fd00::/129\"", "30", "a number from 0 to 128");
	expect_match_error("dst: 10.0.0", "30", "neither an address nor a prefix");
	expect_match_error("dst: [10.0.0.0/8, localhost]", "43", "neither an address nor a prefix");
	expect_match_error("dst: []", "30", "could never match");
	expect_match_error("dst: \"::ffff:10.0.0.1\"", "30", "write it as IPv4");
	expect_match_error("dst: 10.0.0.0/", "30", "a number from 0 to 32");
	expect_match_error("dst: 10.0.0.0/8x", "30", "a number from 0 to 32");
	expect_match_error("dst: \"0000:0000:0000:0000:0000:0000:0000:0000:0000\"", "30", "neither");
	expect_match_error("direction: in, dst: 10.0.0.0/8", "45", "could never match");
	expect_valid("version: 1\nrules:\n- { name: a, match: { dst: [0.0.0.0/0, \"::/0\", \"::fffe:0:0/95\"] }, action: smc }\n");
}

static void test_ranges(void **state)
{
	expect_match_error("port: 65536", "31", "a number from 0 to 65535");
	expect_match_error("port: 99999999999999999999", "31", "a number from 0 to 65535");
	expect_match_error("port: 10-5", "31", "did you mean '5-10'?");
	expect_match_error("port: -5", "31", "is not a port");
	expect_match_error("port: 5-", "31", "is not a port");
	expect_match_error("port: 0x10", "31", "is not a port");
	expect_match_error("port: { a: 1 }", "31", "must be a list");
	expect_match_error("pid: 4194305", "30", "is not a pid");
}

static void test_who(void **state)
{
	static const char name[] = "version: 1\nrules:\n- { name: a, match: { uid: ceph }, action: smc }\n";
	struct smcpol_diag *diag = smcpol_diag_new();

	expect_match_error("uid: 4294967295", "30", "is not a uid");
	expect_match_error("gid: 0x5", "30", "is not a gid");
	expect_match_error("uid: cepf", "30", "there is no user 'cepf' on this machine");
	expect_match_error("gid: [6, disk, dusk]", "40", "there is no group 'dusk'");
	expect_match_error("uid: -1", "30", "there is no user");
	expect_match_error("netns: blue", "32", "there is no network namespace 'blue'");
	expect_match_error("netns: 0", "32", "lsns -t net");
	expect_match_error("netns: 1-2", "32", "lsns -t net");
	expect_match_error("comm: kube-controller-manager", "31", "did you mean 'kube-controller'?");
	expect_match_error("comm: 'ngi*nx'", "31", "stands at the end only");
	expect_match_error("comm: '*'", "31", "is not a comm");
	expect_match_error("comm: \"a\\x01\"", "31", "is not a comm");
	expect_match_error("com: a", "25", "did you mean 'comm'?");
	expect_valid("version: 1\nrules:\n- { name: a, match: { comm: [nginx, ngin*, a2345678901234*, 'a b\"'], uid: [ceph, 0, 1-5], "
		     "gid: disk, netns: [/run/netns/blue, 4026531840] }, action: smc }\n");

	/* Without a resolver only numbers are known. */
	assert_null(smcpol_load("p.yaml", name, strlen(name), diag));
	assert_non_null(strstr(smcpol_diag_text(diag), "write the number"));
	smcpol_diag_free(diag);
}

static void test_cgroups(void **state)
{
	expect_match_error("cgroup: system.slice", "33", "begins with '/'");
	expect_match_error("cgroup: /a//b", "33", "no empty names");
	expect_match_error("cgroup: /a/", "33", "no '/' at its end");
	expect_match_error("cgroup: /a/../b", "33", "no '.' and '..'");
	expect_match_error("cgroup: /a/./b", "33", "no '.' and '..'");
	expect_match_error("cgroup: '/a/**/b'", "33", "'**' at its end only");
	expect_match_error("cgroup: '/a/b**'", "33", "as a name of its own only");
	expect_match_error("cgroup: '/a/[bc]'", "33", "no character classes");
	expect_match_error("cgroup: '/a*b*c*d*'", "33", "at most three '*'");
	expect_match_error("cgroup: /1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2", "33", "at most 31 levels");
	expect_match_error("cgrup: /", "25", "did you mean 'cgroup'?");
	expect_valid("version: 1\nrules:\n- { name: a, match: { cgroup: [/, '/**', '/a.b/*', '/a?/x*/**', '/a\\x2db', /.a] }, "
		     "action: smc }\n");
}

static void test_names(void **state)
{
	expect_error("version: 1\nrules:\n- { name: a, match: {}, action: smc }\n- { name: a, match: {}, action: smc }\n",
		     "4:11", "exists already, in line 3");
	expect_error("version: 1\nrules:\n- { name: default, match: {}, action: smc }\n", "3:11", "choose another");
	expect_error("version: 1\nrules:\n- { name: \"a b\", match: {}, action: smc }\n", "3:11", "letters, digits");
	expect_error("version: 1\nrules:\n- { match: {}, action: smc }\n", "3:3", "lacks the key 'name'");
	expect_error("version: 1\nrules:\n- { name: a, action: smc }\n", "3:3", "lacks the key 'match'");
}

static void test_the_whole_message(void **state)
{
	struct smcpol_diag *diag;

	assert_null(load("version: 1\n\tdefault: smc\n", &diag));
	smcpol_diag_free(diag);

	assert_null(load("version: 1\nrules:\n  - { name: x, match: { prot: [80] }, action: smc }\n", &diag));
	assert_string_equal(smcpol_diag_text(diag),
			    "p.yaml:3:25: error: unknown key 'prot': did you mean 'port'?\n"
			    "  - { name: x, match: { prot: [80] }, action: smc }\n"
			    "                        ^~~~\n");
	smcpol_diag_free(diag);

	/* An escape sequence in the text is not carried to a terminal. */
	assert_null(load("version: 1\n\"a\\e[31mb\": \x7f 1\n", &diag));
	assert_null(strchr(smcpol_diag_text(diag), 0x1b));
	assert_null(strchr(smcpol_diag_text(diag), 0x7f));
	smcpol_diag_free(diag);
}

static void expect_suggestion(const char *match, const char *suggestion)
{
	const struct smcpol_message *m;
	struct smcpol_diag *diag;
	unsigned int nr;
	char text[256];

	snprintf(text, sizeof(text), "version: 1\nrules:\n  - { name: r, match: { %s }, action: smc }\n", match);
	assert_null(load(text, &diag));
	m = smcpol_diag_messages(diag, &nr);
	assert_int_equal(nr, 1);
	CHECK(m->is_error && m->line == 3 && m->column >= 25 && strstr(smcpol_diag_text(diag), m->text), "%s", smcpol_diag_text(diag));
	if (suggestion)
		assert_string_equal(m->suggestion, suggestion);
	else
		assert_null(m->suggestion);
	smcpol_diag_free(diag);
}

static void test_messages_one_by_one(void **state)
{
	const struct smcpol_message *m;
	struct smcpol_diag *diag;
	struct smcpol *policy;
	unsigned int nr;

	expect_suggestion("prot: 80", "port");
	expect_suggestion("dst: 10.0.0.1/8", "10.0.0.0/8");
	expect_suggestion("port: 10-5", "5-10");
	expect_suggestion("comm: systemd-resolved", "systemd-resolve");
	expect_suggestion("port: many", NULL);

	policy = load("version: 1\nrules:\n- { name: a, match: {}, action: smc }\n- { name: b, match: {}, action: tcp }\n", &diag);
	m = smcpol_diag_messages(diag, &nr);
	assert_int_equal(nr, 1);
	assert_true(!m->is_error && m->line == 4 && m->column == 11);
	smcpol_free(policy);
	smcpol_diag_free(diag);
}

static void test_every_error_is_told(void **state)
{
	struct smcpol_diag *diag;
	char text[8192] = "version: 1\nrules:\n";
	unsigned int nr;
	int i;

	for (i = 0; i < 100; i++)
		strcat(text, "- { name: a b }\n");
	assert_null(load(text, &diag));
	assert_int_equal(smcpol_diag_errors(diag), 300);
	assert_non_null(strstr(smcpol_diag_text(diag), "the rest is not shown"));
	smcpol_diag_messages(diag, &nr);
	assert_int_equal(nr, 20);
	smcpol_diag_free(diag);
}

static void test_unreachable_rules_warn(void **state)
{
	struct smcpol_diag *diag;
	struct smcpol *policy;

	policy = load("version: 1\nrules:\n- { name: a, match: { direction: [in, out] }, action: smc }\n"
		      "- { name: b, match: { port: 1 }, action: tcp }\n",
		      &diag);
	assert_non_null(policy);
	assert_int_equal(smcpol_diag_warnings(diag), 1);
	assert_non_null(strstr(smcpol_diag_text(diag), "p.yaml:4:11: warning: rule 'b' is never reached: 'a' in line 3"));
	smcpol_free(policy);
	smcpol_diag_free(diag);
}

/* Who names both directions means servers as well. Without a direction dst says clearly enough what is meant. */
static void test_dst_for_both_directions_warns(void **state)
{
	static const struct {
		const char *match;
		bool want;
	} cases[] = {
		{ "direction: [in, out], dst: 10.0.0.0/8, port: 80", true }, { "dst: 10.0.0.0/8, direction: [out, in]", true },
		{ "dst: 10.0.0.0/8", false }, { "direction: out, dst: 10.0.0.0/8", false }, { "direction: [in, out], src: 10.0.0.0/8", false },
	};
	struct smcpol_diag *diag;
	struct smcpol *policy;
	unsigned int i;
	char text[256];

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), "version: 1\nrules:\n- { name: a, match: { %s }, action: smc }\n", cases[i].match);
		policy = load(text, &diag);
		CHECK(policy, "refused: %s", smcpol_diag_text(diag));
		CHECK(smcpol_diag_warnings(diag) == cases[i].want, "%s: %s", cases[i].match, smcpol_diag_text(diag));
		CHECK(!cases[i].want || strstr(smcpol_diag_text(diag), "warning: rule 'a' never matches a bind: 'dst' is not known there"),
		      "%s", smcpol_diag_text(diag));
		smcpol_free(policy);
		smcpol_diag_free(diag);
	}
	policy = load("version: 1\nrules:\n- { name: a, match: { direction: [in, out], dst: 10.0.0.0/8 }, action: smc }\n", &diag);
	CHECK(strstr(smcpol_diag_text(diag), "p.yaml:3:50: "), "%s", smcpol_diag_text(diag));
	smcpol_free(policy);
	smcpol_diag_free(diag);
}

/* Does a rule with the second match come too late behind one with the first? */
static void expect_shadow(const char *first, const char *second, bool want)
{
	struct smcpol_diag *diag;
	struct smcpol *policy;
	char text[1024];

	snprintf(text, sizeof(text), "version: 1\nrules:\n- { name: a, match: { %s }, action: smc }\n"
		 "- { name: b, match: { %s }, action: tcp }\n", first, second);
	policy = load(text, &diag);
	CHECK(policy, "refused: %s", smcpol_diag_text(diag));
	CHECK(smcpol_diag_warnings(diag) == want, "%s then %s: %s", first, second, smcpol_diag_text(diag));
	smcpol_free(policy);
	smcpol_diag_free(diag);
}

static void test_shadows(void **state)
{
	expect_shadow("port: 80", "port: 80", true);
	expect_shadow("port: 80", "port: 81", false);
	expect_shadow("port: 80", "uid: 0", false);
	expect_shadow("port: [1-10, 11-20]", "port: [5-15, 20]", true);
	expect_shadow("port: [1-10, 12-20]", "port: 5-15", false);
	expect_shadow("port: 80", "port: 80, uid: 0", true);
	expect_shadow("port: 80, uid: 0", "port: 80", false);
	expect_shadow("dst: 10.0.0.0/8", "dst: [10.1.0.0/16, 10.255.255.255]", true);
	expect_shadow("dst: 10.0.0.0/8", "dst: [10.1.0.0/16, \"fd00::/8\"]", false);
	expect_shadow("dst: [\"::/0\", 0.0.0.0/0]", "dst: [10.1.0.0/16, \"fd00::/8\"]", true);
	expect_shadow("src: 0.0.0.0/1", "src: 128.0.0.0/1", false);
	expect_shadow("direction: out", "direction: in", false);
	expect_shadow("direction: out", "direction: out, gid: 5", true);
	expect_shadow("direction: [in, out], port: 1", "port: 1", true);
	expect_shadow("comm: [nginx, red*]", "comm: [redis, redis-cli, nginx]", true);
	expect_shadow("comm: redis", "comm: 'redis*'", false);
	expect_shadow("netns: [1, 2]", "netns: 2", true);
	expect_shadow("cgroup: '/a/**'", "cgroup: [/a, /a/b, '/a/*/c', '/a/b/**']", true);
	expect_shadow("cgroup: '/a/**'", "cgroup: [/a, /b]", false);
	expect_shadow("cgroup: '/a/*'", "cgroup: ['/a/x*', /a/b]", true);
	expect_shadow("cgroup: '/a/*'", "cgroup: '/a/*/b'", false);
	expect_shadow("cgroup: '/a/x?'", "cgroup: '/a/x*'", false);
	expect_shadow("cgroup: '/a/x?'", "cgroup: /a/xy", true);
	expect_shadow("cgroup: /", "cgroup: '/**'", false);
	expect_shadow("cgroup: '/**'", "cgroup: /", true);
}

/* A policy of n rules; the caller frees the text. */
static char *many_rules(unsigned int n, const char *match)
{
	char *text = NULL;
	unsigned int i;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fputs("version: 1\nrules:\n", f);
	for (i = 0; i < n; i++)
		fprintf(f, "- {name: r%u, match: {%s}, action: smc}\n", i, match);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void test_limits(void **state)
{
	char *text = many_rules(SMCU_POLICY_MAX_RULES, "port: 80");

	expect_valid(text);
	free(text);

	text = many_rules(SMCU_POLICY_MAX_RULES + 1, "port: 80");
	expect_error(text, "4099:3", "too many rules");
	free(text);

	text = many_rules(3000, "port: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]");
	expect_error(text, "2981:10", "name more than 65536 values");
	free(text);

	text = malloc(SMCPOL_MAX_TEXT + 2);
	assert_non_null(text);
	memset(text, '#', SMCPOL_MAX_TEXT + 1);
	text[SMCPOL_MAX_TEXT + 1] = '\0';
	expect_error(text, "1:1", "too large");
	free(text);
}

/* What was accepted is kept in a form that is longer, and must be readable in that form. */
static void test_what_is_kept_can_be_read(void **state)
{
	struct smcpol_diag *diag;
	struct smcpol *policy;
	char *text, *kept;
	unsigned int i;
	size_t len;
	FILE *f;

	f = open_memstream(&text, &len);
	fputs("version: 1\nrules:\n- {name: a, action: smc, match: {dst: [", f);
	for (i = 0; i < 60000; i++)
		fprintf(f, "10.%u.%u.%u,", i >> 16, i >> 8 & 255, i & 255);
	fputs("]}}\n", f);
	fclose(f);
	policy = load(text, &diag);
	CHECK(policy, "%s", smcpol_diag_text(diag));
	kept = smcpol_print(policy);
	smcpol_free(policy);
	smcpol_diag_free(diag);
	free(text);
	expect_valid(kept);
	free(kept);

	/* Two characters each. */
	f = open_memstream(&text, &len);
	fputs("version: 1\nrules:\n- {name: a, action: smc, match: {cgroup: [", f);
	for (i = 0; i < 1200; i++)
		fprintf(f, "/%.1000d,", 0);
	fputs("]}}\n", f);
	fclose(f);
	expect_valid(text);
	for (i = 0; i < len; i++)
		text[i] = text[i] == '0' ? '\\' : text[i];
	expect_error(text, "1:1", "in canonical form");
	free(text);
}

/* Each range's ends cut the numbers into intervals, and no two have the same set of rules, which is spread over all words of a set. */
static void test_too_large_when_compiled(void **state)
{
	unsigned int i, k;
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	fputs("version: 1\nrules:\n", f);
	for (i = 0; i < SMCU_POLICY_MAX_RULES; i++) {
		fprintf(f, "- {name: r%u, action: smc, match: {uid: [", i);
		for (k = 0; k < 16; k++) {
			u32 lo = k * 260000000 + 31738 * (i * (1571 + 34 * k) % SMCU_POLICY_MAX_RULES);

			fprintf(f, "%u-%u,", lo, lo + 100000005 + 20000 * (i * (2717 + 88 * k) % SMCU_POLICY_MAX_RULES));
		}
		fputs("]}}\n", f);
	}
	fclose(f);
	expect_error(text, "1:1", "when compiled");
	free(text);
}

/* Two lists of so many globs are not compared to the end, so nobody is warned. */
static void test_shadows_of_many_globs(void **state)
{
	struct smcpol_diag *diag;
	struct smcpol *policy;
	unsigned int i;
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	fputs("version: 1\nrules:\n- {name: a, action: smc, match: {cgroup: [", f);
	for (i = 0; i < 32767; i++)
		fprintf(f, "/%u,", i);
	fputs("]}}\n- {name: b, action: smc, match: {cgroup: [", f);
	for (i = 32767; i-- > 0;)
		fprintf(f, "/%u,", i);
	fputs("]}}\n", f);
	fclose(f);
	policy = load(text, &diag);
	CHECK(policy, "%s", smcpol_diag_text(diag));
	assert_int_equal(smcpol_diag_warnings(diag), 0);
	smcpol_free(policy);
	smcpol_diag_free(diag);
	free(text);
}

static void test_canonical_text_is_read_quietly(void **state)
{
	static const char text[] = "version: 1\nrules:\n- { name: a, match: {}, action: smc }\n"
				   "- { name: b, match: { direction: [out, in], dst: [\"10.0.0.0/8\"] }, action: tcp }\n";
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy = smcpol_load("p.yaml", text, sizeof(text) - 1, diag);

	assert_non_null(policy);
	assert_int_equal(smcpol_diag_warnings(diag), 0);
	smcpol_free(policy);
	smcpol_diag_free(diag);
}

static void test_canonical_text_is_stable(void **state)
{
	static const char canonical[] =
		"version: 1\n"
		"default: smc\n"
		"rules:\n"
		"  - { name: a, match: { direction: [out], dst: [\"10.0.0.0/8\", \"::/0\"], src: [\"fd00::1/128\"] }, action: tcp }\n"
		"  - { name: b, match: { port: [1, 2-3], pid: [7] }, action: smc }\n"
		"  - { name: w, match: { uid: [64045, 5-9], gid: [6], comm: [\"re dis\", \"a\\\"\\\\*\"], cgroup: [\"/a\\\\x2d/**\"], "
		"netns: [4026532000] }, action: smc }\n"
		"  - { name: c, match: {}, action: tcp }\n";
	static const char free_form[] =
		"rules:\n"
		"- action: tcp\n"
		"  match:\n"
		"    src: 'fd00:0::1'\n"
		"    dst: [10.0.0.0/8, '::/0']\n"
		"    direction: out\n"
		"  name: a\n"
		"- {name: b, action: smc, match: {pid: 7, port: [1, 2-3]}}\n"
		"- {name: w, action: smc, match: {netns: /run/netns/blue, cgroup: '/a\\x2d/**', comm: ['re dis', 'a\"\\*'], "
		"gid: disk, uid: [ceph, 5-9]}}\n"
		"- {name: c, action: tcp, match: {}}\n"
		"default: smc\n"
		"version: 1\n";
	const char *const texts[] = { free_form, canonical };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct smcpol_diag *diag;
		struct smcpol *policy = load(texts[i], &diag);
		char *text;

		CHECK(policy, "refused: %s", smcpol_diag_text(diag));
		text = smcpol_print(policy);
		assert_string_equal(text, canonical);
		free(text);
		smcpol_free(policy);
		smcpol_diag_free(diag);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_smallest_policies),
	cmocka_unit_test(test_not_a_policy),
	cmocka_unit_test(test_unknown_words),
	cmocka_unit_test(test_repeated_keys),
	cmocka_unit_test(test_yaml_we_do_not_want),
	cmocka_unit_test(test_addresses),
	cmocka_unit_test(test_ranges),
	cmocka_unit_test(test_who),
	cmocka_unit_test(test_cgroups),
	cmocka_unit_test(test_names),
	cmocka_unit_test(test_the_whole_message),
	cmocka_unit_test(test_messages_one_by_one),
	cmocka_unit_test(test_every_error_is_told),
	cmocka_unit_test(test_unreachable_rules_warn),
	cmocka_unit_test(test_dst_for_both_directions_warns),
	cmocka_unit_test(test_shadows),
	cmocka_unit_test(test_limits),
	cmocka_unit_test(test_what_is_kept_can_be_read),
	cmocka_unit_test(test_too_large_when_compiled),
	cmocka_unit_test(test_shadows_of_many_globs),
	cmocka_unit_test(test_canonical_text_is_read_quietly),
	cmocka_unit_test(test_canonical_text_is_stable),
};

RUN("policy", tests)
