// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "vectors.h"
#include "proto/wire_llc.h"

static bool is_llc(const struct vec *v)
{
	return (v->bytes[0] & 0xf0) == 0x20;
}

static void test_samples_are_reproduced(void **state)
{
	unsigned int i, seen = 0;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vec *v = &vectors[i];
		u8 want[SMCU_LLC_LEN], got[SMCU_LLC_LEN];
		struct smcu_llc_msg m;

		if (!is_llc(v))
			continue;
		seen++;
		CHECK(!smcu_llc_decode(v->bytes, v->len, &m), "%s", v->name);
		CHECK(m.v2, "%s", v->name);
		/* of a long message the first 44 bytes: it is a server's, we only ever send the short form */
		memcpy(want, v->bytes, sizeof(want));
		want[1] = SMCU_LLC_LEN;
		memset(got, 0xff, sizeof(got));
		CHECK(smcu_llc_encode(got, &m) == SMCU_LLC_LEN, "%s", v->name);
		CHECK(!memcmp(got, want, sizeof(want)), "%s", v->name);
	}
	assert_int_equal(seen, 6);
}

static void test_confirm_link_fields(void **state)
{
	static const u8 mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 2 };
	static const u8 gid[SMCU_GID_LEN] = { [10] = 0xff, 0xff, 192, 0, 2, 2 };
	static const u8 uid[] = { 0, 0, 1, 1 };
	u8 p[SMCU_LLC_LEN];
	struct smcu_llc_msg m;
	unsigned int flags;

	assert_int_equal(smcu_llc_decode(vec_confirm_link_req, sizeof(vec_confirm_link_req), &m), 0);
	assert_int_equal(m.type, SMCU_LLC_CONFIRM_LINK);
	assert_false(m.response);
	assert_true(m.confirm_link.no_eyecatcher);
	assert_memory_equal(m.confirm_link.mac, mac, sizeof(mac));
	assert_memory_equal(m.confirm_link.gid, gid, sizeof(gid));
	assert_int_equal(m.confirm_link.qpn, 0x11);
	assert_int_equal(m.confirm_link.link_num, 1);
	assert_memory_equal(m.confirm_link.link_uid, uid, sizeof(uid));
	assert_int_equal(m.confirm_link.max_links, 2);
	assert_int_equal(m.confirm_link.max_conns, 255);
	assert_int_equal(smcu_llc_decode(vec_confirm_link_rsp, sizeof(vec_confirm_link_rsp), &m), 0);
	assert_true(m.response);
	assert_int_equal(m.confirm_link.qpn, 0x12);

	for (flags = 0; flags < 256; flags++) {
		memcpy(p, vec_confirm_link_req, sizeof(p));
		p[3] = (u8)flags;
		assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
		assert_int_equal(m.confirm_link.no_eyecatcher, (flags & 3) != 0);
		assert_int_equal(m.response, flags >> 7);
		assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
		assert_int_equal(p[3], (flags & 0x80) | (flags & 3 ? 3 : 0));
	}
}

static void test_add_link(void **state)
{
	u8 p[SMCU_LLC_LEN];
	struct smcu_llc_msg m;

	assert_int_equal(smcu_llc_decode(vec_add_link_req, sizeof(vec_add_link_req), &m), 0);
	assert_false(m.add_link.reject);
	assert_int_equal(m.add_link.mtu, 3);
	assert_int_equal(m.add_link.link_num, 2);
	assert_memory_equal(m.add_link.raw, vec_add_link_req + 4, 40);
	/* the way a single-link client answers: echo with two flags */
	m.response = true;
	m.add_link.reject = true;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_memory_equal(p, vec_add_link_reject, SMCU_LLC_LEN);
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_true(m.add_link.reject && m.response);
	/* version 1 has room for a reason */
	m.v2 = false;
	m.add_link.reject_reason = 1;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_int_equal(p[0], 2);
	assert_int_equal(p[2], 1);
	assert_int_equal(p[3], 0xc0);
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_int_equal(m.add_link.reject_reason, 1);
	m.add_link.reject_reason = 16;
	assert_int_equal(smcu_llc_encode(p, &m), -EINVAL);
	/* without the flag there is no reason, whatever stands in its place */
	p[2] = 1;
	p[3] = 0x80;
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_int_equal(m.add_link.reject_reason, 0);
	/* a request can't reject; an empty one is not for the wire; one without MTU is */
	memset(&m, 0, sizeof(m));
	m.type = SMCU_LLC_ADD_LINK;
	m.v2 = true;
	m.add_link.reject = true;
	m.add_link.raw[0] = 1;
	assert_int_equal(smcu_llc_encode(p, &m), -EINVAL);
	m.add_link.reject = false;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	m.add_link.raw[0] = 0;
	assert_int_equal(smcu_llc_encode(p, &m), -EINVAL);
	m.add_link.link_num = 2;
	m.add_link.mtu = 3;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_int_equal(p[31], 2);
	assert_int_equal(p[32], 3);
	m.add_link.mtu = 16;
	assert_int_equal(smcu_llc_encode(p, &m), -EINVAL);
}

static void test_delete_link(void **state)
{
	struct smcu_llc_msg m;
	u8 p[SMCU_LLC_LEN];

	assert_int_equal(smcu_llc_decode(vec_delete_link_all, sizeof(vec_delete_link_all), &m), 0);
	assert_true(m.delete_link.all && m.delete_link.orderly);
	assert_false(m.response);
	assert_int_equal(m.delete_link.link_num, 0);
	assert_int_equal(m.delete_link.reason, SMCU_DEL_PROGRAM);
	m.delete_link.all = false;
	m.delete_link.link_num = 1;
	m.delete_link.reason = SMCU_DEL_LOST_PATH;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_int_equal(p[3], 0x20);
	assert_int_equal(p[4], 1);
	assert_int_equal(smcu_get_be32(p + 5), 0x00010000);
	m.response = true;
	m.delete_link.orderly = false;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_int_equal(p[3], 0x80);
}

static void test_confirm_rkey(void **state)
{
	struct smcu_llc_msg m;
	u8 p[SMCU_LLC_LEN], q[SMCU_LLC_LEN];

	assert_int_equal(smcu_llc_decode(vec_confirm_rkey_req, sizeof(vec_confirm_rkey_req), &m), 0);
	assert_int_equal(m.confirm_rkey.rkey, 0x7c3);
	assert_true(m.confirm_rkey.addr == 0xffff888099990000ULL);
	assert_int_equal(m.confirm_rkey.n_more, 0);
	/* an answer is an echo, tokens of other links included */
	memcpy(p, vec_confirm_rkey_req, sizeof(p));
	p[4] = 2;
	memset(p + 17, 0x5a, 26);
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_int_equal(m.confirm_rkey.n_more, 2);
	assert_int_equal(smcu_llc_encode(q, &m), -EINVAL);	/* no request of ours looks so */
	m.response = true;
	assert_int_equal(smcu_llc_encode(q, &m), SMCU_LLC_LEN);
	assert_int_equal(q[3], 0x80);
	assert_memory_equal(q + 4, p + 4, 40);
	m.confirm_rkey.negative = true;
	m.confirm_rkey.retry = true;
	assert_int_equal(smcu_llc_encode(q, &m), SMCU_LLC_LEN);
	assert_int_equal(q[3], 0xb0);
	assert_int_equal(smcu_llc_decode(q, sizeof(q), &m), 0);
	assert_true(m.response && m.confirm_rkey.negative && m.confirm_rkey.retry);
	m.response = false;
	m.confirm_rkey.n_more = 0;
	assert_int_equal(smcu_llc_encode(q, &m), -EINVAL);
}

static void test_delete_rkey(void **state)
{
	struct smcu_llc_msg m;
	u8 p[SMCU_LLC_LEN];
	unsigned int n, i;

	memset(&m, 0, sizeof(m));
	m.type = SMCU_LLC_DELETE_RKEY;
	for (n = 0; n < 12; n++) {
		for (i = 0; i < 9; i++)
			m.delete_rkey.rkey[i] = 0x01020300 + i;
		m.response = false;
		m.delete_rkey.n = (u8)n;
		m.v2 = false;
		assert_int_equal(smcu_llc_encode(p, &m), n >= 1 && n <= 8 ? SMCU_LLC_LEN : -EINVAL);
		m.v2 = true;
		assert_int_equal(smcu_llc_encode(p, &m), n >= 1 && n <= 9 ? SMCU_LLC_LEN : -EINVAL);
	}
	m.delete_rkey.n = 9;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_int_equal(smcu_get_be32(p + 8), 0x01020300);
	assert_int_equal(smcu_get_be32(p + 40), 0x01020308);
	for (n = 0; n < 256; n++) {
		u8 *q = exact_copy(p, sizeof(p));

		q[4] = (u8)n;
		assert_int_equal(smcu_llc_decode(q, sizeof(p), &m), 0);
		assert_int_equal(m.delete_rkey.n, n < 9 ? n : 9);
		if (n)
			assert_int_equal(m.delete_rkey.rkey[m.delete_rkey.n - 1], 0x01020300 + m.delete_rkey.n - 1);
		q[0] = 9;
		assert_int_equal(smcu_llc_decode(q, sizeof(p), &m), n <= 8 ? 0 : -EPROTO);
		free(q);
	}
	p[0] = 0x29;
	p[4] = 1;
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	m.response = true;
	m.delete_rkey.negative = true;
	m.delete_rkey.err_mask = 0x80;
	assert_int_equal(smcu_llc_encode(p, &m), SMCU_LLC_LEN);
	assert_int_equal(p[3], 0xa0);
	assert_int_equal(p[4], 1);
	assert_int_equal(p[5], 0x80);
	assert_int_equal(smcu_get_be32(p + 8), 0x01020300);
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_true(m.delete_rkey.negative);
	assert_int_equal(m.delete_rkey.err_mask, 0x80);
	m.response = false;
	assert_int_equal(smcu_llc_encode(p, &m), -EINVAL);
}

static void test_test_link(void **state)
{
	u8 p[SMCU_LLC_LEN] = { 0x27, 0x2c }, q[SMCU_LLC_LEN];
	struct smcu_llc_msg m;
	unsigned int i;

	for (i = 0; i < 16; i++)
		p[4 + i] = (u8)(0xa0 + i);
	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_int_equal(m.type, SMCU_LLC_TEST_LINK);
	m.response = true;
	assert_int_equal(smcu_llc_encode(q, &m), SMCU_LLC_LEN);
	p[3] = 0x80;
	assert_memory_equal(p, q, sizeof(p));
}

static void test_req_add_link(void **state)
{
	static const u8 want[SMCU_LLC_LEN] = { 0x25, 0x2c, 0, 0x80 };
	u8 p[60] = { 0x25, 60, 0, 0, [24] = 2, 0, 0, 0, 1, 2, 3 }, q[SMCU_LLC_LEN];
	struct smcu_llc_msg m;

	assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);
	assert_int_equal(smcu_llc_encode(q, &m), -EINVAL);
	m.response = true;
	assert_int_equal(smcu_llc_encode(q, &m), SMCU_LLC_LEN);
	assert_memory_equal(q, want, sizeof(want));
}

/* Every first byte: known, to be ignored, never a crash. */
static void test_types(void **state)
{
	unsigned int first;

	for (first = 0; first < 256; first++) {
		u8 type = first & 15, high = first >> 4;
		bool known = (high == 0 || high == 2) &&
			     (type == 1 || type == 2 || type == 4 || type == 6 || type == 7 || type == 9);
		u8 p[SMCU_LLC_LEN] = { (u8)first, 0x2c, 0, 0, 0, 1 };
		struct smcu_llc_msg m;

		if (first == 0x25)
			known = true;
		CHECK(smcu_llc_decode(p, sizeof(p), &m) == (known ? 0 : -ENOMSG), "first byte %#x", first);
		if (known) {
			assert_int_equal(m.type, type);
			assert_int_equal(m.v2, high == 2);
		}
		m.type = type;
		m.v2 = high == 2;
		m.response = true;
		if (!known && (high == 0 || high == 2))
			CHECK(smcu_llc_encode(p, &m) == -EINVAL, "type %u", type);
	}
}

static void test_length_field(void **state)
{
	u8 p[SMCU_LLC_LEN];
	struct smcu_llc_msg m;
	unsigned int v;

	for (v = 0; v < 256; v++) {
		memcpy(p, vec_confirm_link_req, sizeof(p));
		p[1] = (u8)v;
		p[2] = (u8)(255 - v);
		assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), 0);	/* version 2: byte order unknown */
		p[0] = 1;
		assert_int_equal(smcu_llc_decode(p, sizeof(p), &m), v == 44 ? 0 : -EPROTO);
	}
}

static void test_truncated(void **state)
{
	unsigned int i;
	size_t len;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vec *v = &vectors[i];

		for (len = 0; is_llc(v) && len <= v->len; len++) {
			u8 *p = exact_copy(v->bytes, len);
			struct smcu_llc_msg m;

			CHECK(smcu_llc_decode(p, len, &m) == (len < SMCU_LLC_LEN ? -EPROTO : 0), "%s cut to %zu", v->name, len);
			free(p);
		}
	}
}

static void test_corrupted(void **state)
{
	unsigned int i, at, value;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vec *v = &vectors[i];

		for (at = 0; is_llc(v) && at < SMCU_LLC_LEN; at++)
			for (value = 0; value < 256; value++) {
				u8 *p = exact_copy(v->bytes, SMCU_LLC_LEN);
				struct smcu_llc_msg a, b;
				u8 again[SMCU_LLC_LEN];

				p[at] = (u8)value;
				if (!smcu_llc_decode(p, SMCU_LLC_LEN, &a) && smcu_llc_encode(again, &a) > 0) {
					CHECK(!smcu_llc_decode(again, sizeof(again), &b), "%s byte %u = %u", v->name, at, value);
					if (a.type != SMCU_LLC_CONFIRM_RKEY && a.type != SMCU_LLC_DELETE_RKEY)
						CHECK(!memcmp(&a, &b, sizeof(a)), "%s byte %u = %u", v->name, at, value);
				}
				free(p);
			}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_samples_are_reproduced),
	cmocka_unit_test(test_confirm_link_fields),
	cmocka_unit_test(test_add_link),
	cmocka_unit_test(test_delete_link),
	cmocka_unit_test(test_confirm_rkey),
	cmocka_unit_test(test_delete_rkey),
	cmocka_unit_test(test_test_link),
	cmocka_unit_test(test_req_add_link),
	cmocka_unit_test(test_types),
	cmocka_unit_test(test_length_field),
	cmocka_unit_test(test_truncated),
	cmocka_unit_test(test_corrupted),
};

RUN("wire_llc", tests)
