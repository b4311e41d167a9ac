// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* A container's state as runtimes send it, and as they should not; globs of cgroups. */
#include "check.h"
#include "loader/glob.h"
#include "loader/oci.h"

static bool parse(const char *text, struct oci_state *state)
{
	const char *error;
	size_t len = strlen(text);
	/* Not terminated: what is read past the end is seen. */
	char *exact = malloc(len);
	bool good;

	memcpy(exact, text, len);
	good = oci_state_parse(exact, len, state, &error);
	free(exact);
	return good;
}

static void states_of_runtimes(void **state)
{
	static const struct {
		const char *text, *id;
		long pid;
		bool enabled;
	} cases[] = {
		{ "{\"ociVersion\":\"1.0\",\"id\":\"a\",\"status\":\"creating\",\"pid\":7,\"bundle\":\"/b\",\"annotations\":"
		  "{\"io.smc-ulp/enable\":\"true\"}}", "a", 7, true },
		{ "{\"id\":\"a\",\"pid\":7,\"annotations\":{\"io.smc-ulp/enable\":\"1\"}}", "a", 7, true },
		{ "{\"id\":\"a\",\"pid\":7,\"annotations\":{\"io.smc-ulp/enable\":\"false\"}}", "a", 7, false },
		{ "{\"id\":\"a\",\"pid\":7,\"annotations\":{\"io.smc-ulp/enable\":\"True\"}}", "a", 7, false },
		{ "{\"id\":\"a\",\"pid\":7,\"annotations\":{\"io.smc-ulp/enable\":true}}", "a", 7, false },
		{ "{\"id\":\"a\",\"pid\":7,\"annotations\":{\"other\":\"true\"}}", "a", 7, false },
		{ "{\"id\":\"a\",\"pid\":7,\"annotations\":null}", "a", 7, false },
		{ "{\"id\":\"a.b\",\"pid\":0,\"status\":\"stopped\"}", "a.b", 0, false },
		{ "{\"id\":\"a\",\"status\":17}", "a", 0, false },
	};
	struct oci_state s;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK(parse(cases[i].text, &s), "%s", cases[i].text);
		CHECK(!strcmp(s.id, cases[i].id) && s.pid == cases[i].pid && s.enabled == cases[i].enabled, "%s", cases[i].text);
	}
}

static void states_that_are_none(void **state)
{
	static const char *const cases[] = {
		"", "{", "[]", "null", "7", "{}", "{\"id\":7}", "{\"id\":\"\"}", "{\"id\":\"a\",\"pid\":-1}",
		"{\"id\":\"a\",\"pid\":4194305}", "{\"id\":\"a\",\"pid\":\"7\"}", "{\"id\":\"a\",\"pid\":7.5}",
		"{\"id\":\"a\",\"annotations\":[]}", "{\"id\":\"a\",\"annotations\":\"true\"}", "{\"id\":\"a\",\"id\":\"b\"}",
		"{\"id\":\"a\\u0000b\"}", "{\"id\":\"a\"} x",
	};
	struct oci_state s;
	const char *error;
	size_t i, len;
	char *big;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK(!parse(cases[i], &s), "%s", cases[i]);

	/* An id that does not fit, deep nesting, and more than is ever read. */
	len = 3 * OCI_MAX_STATE;
	big = malloc(len);
	memset(big, '[', len);
	assert_false(oci_state_parse(big, len, &s, &error));
	assert_false(oci_state_parse(big, OCI_MAX_STATE, &s, &error));
	memset(big, 'a', len);
	memcpy(big, "{\"id\":\"", 7);
	memcpy(big + 7 + OCI_MAX_ID, "\"}", 2);
	assert_false(oci_state_parse(big, 9 + OCI_MAX_ID, &s, &error));
	memcpy(big + 6 + OCI_MAX_ID, "\"}", 2);
	assert_true(oci_state_parse(big, 8 + OCI_MAX_ID, &s, &error));
	free(big);
}

static void names_of_containers(void **state)
{
	char name[OCI_MAX_NAME], id[OCI_MAX_NAME + 1];

	assert_true(oci_id_escape("my.web-1_x+y", name, sizeof(name)));
	assert_string_equal(name, "my%2eweb-1_x+y");
	assert_false(oci_id_escape("a/b", name, sizeof(name)));
	assert_false(oci_id_escape("a@1", name, sizeof(name)));
	assert_false(oci_id_escape("%2e", name, sizeof(name)));
	assert_false(oci_id_escape("", name, sizeof(name)));
	assert_false(oci_id_escape("a b", name, sizeof(name)));
	assert_false(oci_id_escape("\xc3\xa4", name, sizeof(name)));
	memset(id, '.', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_false(oci_id_escape(id, name, sizeof(name)));
	/* A container's id as all runtimes above runc make them. */
	memset(id, 'f', 64);
	id[64] = '\0';
	assert_true(oci_id_escape(id, name, sizeof(name)));
}

static void globs(void **state)
{
	static const struct {
		const char *glob, *path;
		enum glob_result want;
	} cases[] = {
		{ "/a", "/", GLOB_BELOW },
		{ "/a", "/a", GLOB_YES },
		{ "/a", "/a/b", GLOB_NO },
		{ "/a", "/b", GLOB_NO },
		{ "/a/*.service", "/a", GLOB_BELOW },
		{ "/a/*.service", "/b", GLOB_NO },
		{ "/a/*.service", "/a/redis.service", GLOB_YES },
		{ "/a/*.service", "/a/x/redis.service", GLOB_NO },
		{ "/a/*.service", "/a/redis.scope", GLOB_NO },
		{ "/a/*/x", "/a/b", GLOB_BELOW },
		{ "/a/*/x", "/a/b/x", GLOB_YES },
		{ "/a/*/x", "/a/b/y", GLOB_NO },
		{ "/a/**", "/", GLOB_BELOW },
		{ "/a/**", "/a", GLOB_YES },
		{ "/a/**", "/a/b/c", GLOB_YES },
		{ "/a/**", "/b", GLOB_NO },
		{ "/**", "/", GLOB_YES },
		{ "/pod-?", "/pod-1", GLOB_YES },
		{ "/pod-?", "/pod-10", GLOB_NO },
		{ "/a\\x2db", "/a\\x2db", GLOB_YES },
		{ "/", "/", GLOB_YES },
		{ "/", "/a", GLOB_NO },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK(glob_match(cases[i].glob, cases[i].path) == cases[i].want, "%s %s", cases[i].glob, cases[i].path);
	assert_true(glob_is_valid("/"));
	assert_true(glob_is_valid("/a/*/b/**"));
	assert_false(glob_is_valid("/a/**/b"));
	assert_false(glob_is_valid("/a/"));
	assert_false(glob_is_valid("/a//b"));
	assert_false(glob_is_valid("//"));
	assert_false(glob_is_valid("a"));
	assert_false(glob_is_valid(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_of_runtimes),
		cmocka_unit_test(states_that_are_none),
		cmocka_unit_test(names_of_containers),
		cmocka_unit_test(globs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
