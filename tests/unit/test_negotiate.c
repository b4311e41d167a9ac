// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "vectors.h"
#include "proto/negotiate.h"

static u8 ours[2][SMCU_EID_LEN];
static struct smcu_clc_proposal prop0;
static struct smcu_clc_answer acc0, conf0;

static int setup(void **state)
{
	smcu_eid_from_text("OTHER", 5, ours[0]);
	smcu_eid_from_text("SMCTEST01", 9, ours[1]);
	smcu_clc_proposal_decode(vec_proposal_v2, sizeof(vec_proposal_v2), &prop0);
	smcu_clc_answer_decode(vec_accept_first, sizeof(vec_accept_first), &acc0);
	smcu_clc_answer_decode(vec_confirm_first, sizeof(vec_confirm_first), &conf0);
	acc0.max_links = 1;
	conf0.max_links = 1;
	return 0;
}

static void test_server(void **state)
{
	struct smcu_clc_proposal p;
	struct smcu_terms t;

	assert_int_equal(smcu_negotiate_server(&prop0, ours[0], 2, &t), SMCU_R_NONE);
	assert_memory_equal(t.eid, ours[1], SMCU_EID_LEN);
	assert_int_equal(t.release, 1);
	assert_int_equal(t.max_conns, 255);
	assert_int_equal(t.max_links, 1);

#define SERVER(change) ({ p = prop0; p.change; smcu_negotiate_server(&p, ours[0], 2, &t); })
	assert_int_equal(SERVER(max_conns = 16), SMCU_R_NONE);
	assert_int_equal(t.max_conns, 16);
	assert_int_equal(SERVER(max_conns = 15), SMCU_R_MAX_CONNS);
	assert_int_equal(SERVER(max_conns = 0), SMCU_R_MAX_CONNS);
	assert_int_equal(SERVER(max_links = 0), SMCU_R_MAX_LINKS);
	assert_int_equal(SERVER(max_links = 255), SMCU_R_NONE);
	assert_int_equal(t.max_links, 1);
	assert_int_equal(SERVER(release = 7), SMCU_R_NONE);
	assert_int_equal(t.release, 1);
	/* release 0 takes limits for granted that are not on the wire */
	p = prop0;
	p.release = p.max_conns = p.max_links = 0;
	assert_int_equal(smcu_negotiate_server(&p, ours[0], 2, &t), SMCU_R_NONE);
	assert_int_equal(t.release, 0);
	assert_int_equal(t.max_conns, 255);
	assert_int_equal(t.max_links, 2);

	assert_int_equal(SERVER(typev2 = SMCU_KIND_BOTH), SMCU_R_NONE);
	assert_int_equal(SERVER(typev2 = SMCU_KIND_D), SMCU_R_NO_V2_EXT);
	assert_int_equal(SERVER(has_v2 = false), SMCU_R_NO_V2_EXT);
	assert_int_equal(SERVER(n_eids = 0), SMCU_R_NO_EID);
	assert_int_equal(SERVER(eid[0][31] = 'X'), SMCU_R_NO_EID);
	assert_int_equal(SERVER(eid[0][0] = 's'), SMCU_R_NO_EID);
	assert_int_equal(smcu_negotiate_server(&prop0, ours[0], 1, &t), SMCU_R_NO_EID);
	assert_int_equal(smcu_negotiate_server(&prop0, NULL, 0, &t), SMCU_R_NO_EID);
}

/* The client's order counts. */
static void test_server_first_eid(void **state)
{
	struct smcu_clc_proposal p = prop0;
	struct smcu_terms t;
	u8 i;

	p.n_eids = 8;
	for (i = 0; i < 8; i++)
		memset(p.eid[i], 'A' + i, SMCU_EID_LEN);
	assert_int_equal(smcu_negotiate_server(&p, ours[0], 2, &t), SMCU_R_NO_EID);
	memcpy(p.eid[7], ours[0], SMCU_EID_LEN);
	assert_int_equal(smcu_negotiate_server(&p, ours[0], 2, &t), SMCU_R_NONE);
	assert_memory_equal(t.eid, ours[0], SMCU_EID_LEN);
	memcpy(p.eid[3], ours[1], SMCU_EID_LEN);
	assert_int_equal(smcu_negotiate_server(&p, ours[0], 2, &t), SMCU_R_NONE);
	assert_memory_equal(t.eid, ours[1], SMCU_EID_LEN);
}

static void test_server_version_1(void **state)
{
	u8 v1[52] = { 0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 52, 0x10, [48] = 0xe2, 0xd4, 0xc3, 0xd9 };
	struct smcu_clc_proposal p;
	struct smcu_terms t;

	assert_int_equal(smcu_clc_proposal_decode(v1, sizeof(v1), &p), 0);
	assert_int_equal(smcu_negotiate_server(&p, ours[0], 2, &t), SMCU_R_NO_V2_EXT);
}

static void test_client(void **state)
{
	struct smcu_clc_answer a;
	struct smcu_terms t;

	assert_int_equal(smcu_negotiate_client(&acc0, ours[0], 2, &t), SMCU_R_NONE);
	assert_memory_equal(t.eid, ours[1], SMCU_EID_LEN);
	assert_int_equal(t.release, 1);
	assert_int_equal(t.max_conns, 255);
	assert_int_equal(t.max_links, 1);

#define CLIENT(change) ({ a = acc0; a.change; smcu_negotiate_client(&a, ours[0], 2, &t); })
	assert_int_equal(CLIENT(version = 1), SMCU_R_MODE);
	assert_int_equal(CLIENT(kind = SMCU_KIND_D), SMCU_R_MODE);
	assert_int_equal(CLIENT(type = SMCU_CLC_CONFIRM), SMCU_R_MODE);
	assert_int_equal(CLIENT(eid[0] = 'X'), SMCU_R_NO_EID);
	assert_int_equal(smcu_negotiate_client(&acc0, ours[0], 1, &t), SMCU_R_NO_EID);
	assert_int_equal(CLIENT(release = 2), SMCU_R_RELEASE);
	assert_int_equal(CLIENT(max_conns = 15), SMCU_R_MAX_CONNS);
	assert_int_equal(CLIENT(max_conns = 16), SMCU_R_NONE);
	assert_int_equal(t.max_conns, 16);
	assert_int_equal(CLIENT(max_links = 0), SMCU_R_MAX_LINKS);
	assert_int_equal(CLIENT(max_links = 2), SMCU_R_MAX_LINKS);
	/* a release 0 server will try a second link: that is refused when it comes */
	a = acc0;
	a.release = a.max_conns = a.max_links = 0;
	assert_int_equal(smcu_negotiate_client(&a, ours[0], 2, &t), SMCU_R_NONE);
	assert_int_equal(t.release, 0);
	assert_int_equal(t.max_conns, 255);
	assert_int_equal(t.max_links, 2);
	/* joining: the group's terms were settled when it was made */
	a = acc0;
	a.first_contact = false;
	a.release = a.max_conns = a.max_links = 0;
	assert_int_equal(smcu_negotiate_client(&a, ours[0], 2, &t), SMCU_R_NONE);
	assert_int_equal(t.release | t.max_conns | t.max_links, 0);
	assert_memory_equal(t.eid, ours[1], SMCU_EID_LEN);
}

static void test_confirm(void **state)
{
	struct smcu_clc_answer c;
	struct smcu_terms t, t0;

	assert_int_equal(smcu_negotiate_server(&prop0, ours[0], 2, &t), SMCU_R_NONE);
	assert_int_equal(smcu_negotiate_confirm(&conf0, &t, true), SMCU_R_NONE);
	assert_int_equal(smcu_negotiate_confirm(&conf0, &t, false), SMCU_R_MODE);

#define CONFIRM(change) ({ c = conf0; c.change; smcu_negotiate_confirm(&c, &t, true); })
	assert_int_equal(CONFIRM(version = 1), SMCU_R_MODE);
	assert_int_equal(CONFIRM(kind = SMCU_KIND_D), SMCU_R_MODE);
	assert_int_equal(CONFIRM(type = SMCU_CLC_ACCEPT), SMCU_R_MODE);
	assert_int_equal(CONFIRM(first_contact = false), SMCU_R_MODE);
	assert_int_equal(CONFIRM(eid[31] = 'X'), SMCU_R_NO_EID);
	assert_int_equal(CONFIRM(release = 0), SMCU_R_RELEASE);
	assert_int_equal(CONFIRM(max_conns = 254), SMCU_R_MAX_CONNS);
	assert_int_equal(CONFIRM(max_links = 2), SMCU_R_MAX_LINKS);

	/* release 0: there are no limits in the confirm to compare */
	t0 = t;
	t0.release = 0;
	t0.max_links = 2;
	c = conf0;
	c.release = c.max_conns = c.max_links = 0;
	assert_int_equal(smcu_negotiate_confirm(&c, &t0, true), SMCU_R_NONE);
	/* joining */
	c.first_contact = false;
	assert_int_equal(smcu_negotiate_confirm(&c, &t, false), SMCU_R_NONE);
	assert_int_equal(smcu_negotiate_confirm(&c, &t, true), SMCU_R_MODE);
}

/* Server and client of ours agree, whatever the client's limits were. */
static void test_both_ends_agree(void **state)
{
	struct smcu_clc_proposal p = prop0;
	unsigned int conns, links, release;

	for (release = 0; release < 3; release++)
		for (conns = 0; conns < 256; conns++)
			for (links = 0; links < 4; links++) {
				struct smcu_terms s, c;
				struct smcu_clc_answer a = acc0, f = conf0;

				p.release = (u8)release;
				p.max_conns = release ? (u8)conns : 0;
				p.max_links = release ? (u8)links : 0;
				if (smcu_negotiate_server(&p, ours[0], 2, &s) != SMCU_R_NONE)
					continue;
				a.release = f.release = s.release;
				a.max_conns = f.max_conns = s.release ? s.max_conns : 0;
				a.max_links = f.max_links = s.release ? s.max_links : 0;
				CHECK(smcu_negotiate_client(&a, ours[0], 2, &c) == SMCU_R_NONE, "%u %u %u", release, conns, links);
				assert_memory_equal(&s, &c, sizeof(s));
				CHECK(smcu_negotiate_confirm(&f, &s, true) == SMCU_R_NONE, "%u %u %u", release, conns, links);
			}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_server, setup),
	cmocka_unit_test_setup(test_server_first_eid, setup),
	cmocka_unit_test_setup(test_server_version_1, setup),
	cmocka_unit_test_setup(test_client, setup),
	cmocka_unit_test_setup(test_confirm, setup),
	cmocka_unit_test_setup(test_both_ends_agree, setup),
};

RUN("negotiate", tests)
