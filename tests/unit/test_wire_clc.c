// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "vectors.h"
#include "proto/wire_clc.h"

static const u8 eid1[] = "SMCTEST01                       ";

/* One message, any type: decode, and if that succeeds encode and decode again. Returns the first decode's result. */
static int round_trip(const u8 *bytes, size_t len, u8 *again, int *again_len)
{
	u8 *p = exact_copy(bytes, len);
	union {
		struct smcu_clc_proposal prop;
		struct smcu_clc_answer ans;
		struct smcu_clc_decline decl;
	} a, b;
	struct smcu_clc_hdr hdr;
	u8 out[SMCU_CLC_MAX_LEN];
	int err = smcu_clc_hdr_decode(p, len, &hdr), n = 0;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	if (!err && hdr.type == SMCU_CLC_PROPOSAL) {
		err = smcu_clc_proposal_decode(p, len, &a.prop);
		n = err ? err : smcu_clc_proposal_encode(out, sizeof(out), &a.prop);
		if (n > 0) {
			CHECK(!smcu_clc_proposal_decode(out, n, &b.prop), "encoded proposal");
			a.prop.version = 2;
			if (a.prop.typev2 != SMCU_KIND_R)
				b.prop.typev2 = a.prop.typev2;
		}
	} else if (!err && hdr.type == SMCU_CLC_DECLINE) {
		err = smcu_clc_decline_decode(p, len, &a.decl);
		n = err ? err : smcu_clc_decline_encode(out, sizeof(out), &a.decl);
		if (n > 0)
			CHECK(!smcu_clc_decline_decode(out, n, &b.decl), "encoded decline");
	} else if (!err) {
		err = smcu_clc_answer_decode(p, len, &a.ans);
		n = err ? err : smcu_clc_answer_encode(out, sizeof(out), &a.ans);
		if (n > 0)
			CHECK(!smcu_clc_answer_decode(out, n, &b.ans), "encoded answer");
	}
	if (n > 0)
		assert_memory_equal(&a, &b, sizeof(a));
	if (again && n > 0)
		memcpy(again, out, n);
	if (again_len)
		*again_len = n;
	free(p);
	return err;
}

static bool is_clc(const struct vec *v)
{
	return v->bytes[0] == 0xe2;
}

static void test_samples_are_reproduced(void **state)
{
	unsigned int i, seen = 0;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vec *v = &vectors[i];
		u8 again[SMCU_CLC_MAX_LEN];
		int n;

		if (!is_clc(v))
			continue;
		seen++;
		CHECK(!round_trip(v->bytes, v->len, again, &n), "%s", v->name);
		CHECK(n == (int)v->len && !memcmp(again, v->bytes, v->len), "%s: %d bytes", v->name, n);
	}
	assert_int_equal(seen, 11);
}

static void test_proposal_fields(void **state)
{
	static const u8 gid[SMCU_GID_LEN] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	static const u8 gid_v1[SMCU_GID_LEN] = { 0xfe, 0x80, [8] = 0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 1 };
	static const u8 id[SMCU_PEER_ID_LEN] = { 0xa1, 0xb2, 0x52, 0x54, 0, 0x12, 0x34, 1 };
	struct smcu_clc_proposal p;

	assert_int_equal(smcu_clc_proposal_decode(vec_proposal_v2, sizeof(vec_proposal_v2), &p), 0);
	assert_int_equal(p.version, 2);
	assert_int_equal(p.typev1, SMCU_KIND_NONE);
	assert_int_equal(p.typev2, SMCU_KIND_R);
	assert_memory_equal(p.peer_id, id, sizeof(id));
	assert_memory_equal(p.gid, gid, sizeof(gid));
	assert_memory_equal(p.mac, id + 2, SMCU_MAC_LEN);
	assert_false(p.has_prefix);
	assert_true(p.has_v2);
	assert_int_equal(p.release, 1);
	assert_int_equal(p.n_eids, 1);
	assert_memory_equal(p.eid[0], eid1, SMCU_EID_LEN);
	assert_memory_equal(p.gid_v2, gid, sizeof(gid));
	assert_int_equal(p.max_conns, 255);
	assert_int_equal(p.max_links, 2);
	assert_int_equal(p.features, 1);

	assert_int_equal(smcu_clc_proposal_decode(vec_proposal_linux_rxe, sizeof(vec_proposal_linux_rxe), &p), 0);
	assert_int_equal(p.peer_id[0] | p.gid[15] | p.mac[5], 0);
	assert_memory_equal(p.gid_v2, gid, sizeof(gid));

	assert_int_equal(smcu_clc_proposal_decode(vec_proposal_v1v2, sizeof(vec_proposal_v1v2), &p), 0);
	assert_int_equal(p.typev1, SMCU_KIND_R);
	assert_true(p.has_prefix);
	assert_int_equal(p.prefix4, 0xc0000200);
	assert_int_equal(p.prefix4_len, 24);
	assert_int_equal(p.n_prefix6, 0);
	assert_memory_equal(p.gid, gid_v1, sizeof(gid_v1));
	assert_memory_equal(p.gid_v2, gid, sizeof(gid));
}

static void test_answer_fields(void **state)
{
	static const u8 host[] = "server1                         ";
	static const u8 gid[SMCU_GID_LEN] = { [10] = 0xff, 0xff, 192, 0, 2, 2 };
	struct smcu_clc_answer a;

	assert_int_equal(smcu_clc_answer_decode(vec_accept_first, sizeof(vec_accept_first), &a), 0);
	assert_int_equal(a.type, SMCU_CLC_ACCEPT);
	assert_int_equal(a.version, 2);
	assert_int_equal(a.kind, SMCU_KIND_R);
	assert_true(a.first_contact);
	assert_int_equal(a.peer_id[0], 0x5a);
	assert_memory_equal(a.gid, gid, sizeof(gid));
	assert_int_equal(a.mac[5], 2);
	assert_int_equal(a.qpn, 0x11);
	assert_int_equal(a.psn, 0x0a1b2c);
	assert_int_equal(a.mtu, 3);
	assert_int_equal(a.rkey, 0x4d2);
	assert_int_equal(a.rmbe_index, 1);
	assert_int_equal(a.token, 1);
	assert_int_equal(a.rmbe_code, 2);
	assert_true(a.rmb_addr == 0xffff888012340000ULL);
	assert_memory_equal(a.eid, eid1, SMCU_EID_LEN);
	assert_true(a.direct);
	assert_int_equal(a.os, 2);
	assert_int_equal(a.release, 1);
	assert_memory_equal(a.host, host, SMCU_HOST_LEN);
	assert_int_equal(a.max_conns, 255);
	assert_int_equal(a.max_links, 2);
	assert_int_equal(a.features, 1);

	assert_int_equal(smcu_clc_answer_decode(vec_confirm_first, sizeof(vec_confirm_first), &a), 0);
	assert_int_equal(a.type, SMCU_CLC_CONFIRM);
	assert_int_equal(a.qpn, 0x12);
	assert_int_equal(a.token, 7);

	assert_int_equal(smcu_clc_answer_decode(vec_confirm_join, sizeof(vec_confirm_join), &a), 0);
	assert_false(a.first_contact);
	assert_int_equal(a.release | a.os | a.max_conns | a.host[0], 0);

	assert_int_equal(smcu_clc_answer_decode(vec_accept_v1, sizeof(vec_accept_v1), &a), 0);
	assert_int_equal(a.version, 1);
	assert_true(a.first_contact);
	assert_int_equal(a.eid[0], 0);
	assert_int_equal(a.psn, 0x0a1b2c);
}

static void test_decline_fields(void **state)
{
	struct smcu_clc_decline d;
	u8 p[sizeof(vec_decline_v2)];

	assert_int_equal(smcu_clc_decline_decode(vec_decline_v1, sizeof(vec_decline_v1), &d), 0);
	assert_int_equal(d.version, 1);
	assert_false(d.out_of_sync);
	assert_int_equal(d.diagnosis, 0x03030000);
	assert_int_equal(d.peer_id[0], 0x5a);
	assert_int_equal(smcu_clc_decline_decode(vec_decline_sync, sizeof(vec_decline_sync), &d), 0);
	assert_int_equal(d.version, 2);
	assert_true(d.out_of_sync);
	assert_int_equal(d.diagnosis, 0x04000000);

	/* its trailer is not looked at, a larger version is 2 */
	memcpy(p, vec_decline_v2, sizeof(p));
	p[sizeof(p) - 1] = 0;
	p[7] = 0x30;
	assert_int_equal(smcu_clc_decline_decode(p, sizeof(p), &d), 0);
	assert_int_equal(d.version, 2);
	/* version and length must fit */
	p[7] = 0x10;
	assert_int_equal(smcu_clc_decline_decode(p, sizeof(p), &d), -EPROTO);
	memcpy(p, vec_decline_v1, sizeof(vec_decline_v1));
	p[7] = 0x20;
	assert_int_equal(smcu_clc_decline_decode(p, sizeof(vec_decline_v1), &d), -EPROTO);
}

/* First bytes one by one: -EAGAIN until there is a header. */
static void test_header(void **state)
{
	static const u8 good[] = { 0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 0x9c, 0x22 };
	struct smcu_clc_hdr h;
	u8 p[sizeof(good)];
	size_t len;

	for (len = 0; len < sizeof(good); len++) {
		u8 *q = exact_copy(good, len);

		CHECK(smcu_clc_hdr_decode(q, len, &h) == -EAGAIN, "%zu bytes", len);
		if (len) {
			q[len - 1] ^= 0x80;
			/* the low half of the length can't be judged alone */
			CHECK(smcu_clc_hdr_decode(q, len, &h) == (len == 7 ? -EAGAIN : -EPROTO), "%zu bytes", len);
		}
		free(q);
	}
	assert_int_equal(smcu_clc_hdr_decode(good, sizeof(good), &h), 0);
	assert_int_equal(h.type, 1);
	assert_int_equal(h.version, 2);
	assert_int_equal(h.length, 0x9c);
	assert_int_equal(h.typev1, SMCU_KIND_NONE);
	assert_int_equal(h.typev2, SMCU_KIND_R);

#define BAD(at, value) do { \
		memcpy(p, good, sizeof(p)); \
		p[at] = (value); \
		assert_int_equal(smcu_clc_hdr_decode(p, sizeof(p), &h), -EPROTO); \
	} while (0)
	BAD(3, 0xc5);
	BAD(4, 0);
	BAD(4, 5);
	BAD(5, 5);		/* 1436 bytes */
	BAD(6, 27);
	BAD(7, 0x02);		/* version 0 */
#undef BAD
	memcpy(p, good, sizeof(p));
	p[3] = 0xc4;		/* "SMCD" is read, too */
	p[5] = 4;
	p[6] = 0;
	p[7] = 0xf2;
	assert_int_equal(smcu_clc_hdr_decode(p, sizeof(p), &h), 0);
	assert_int_equal(h.length, SMCU_CLC_MAX_LEN);
	assert_int_equal(h.version, 2);
	p[6] = 1;
	assert_int_equal(smcu_clc_hdr_decode(p, sizeof(p), &h), -EPROTO);
}

/* Cut off, with the length field as it was and with one that fits; the memory behind is not ours. */
static void test_truncated(void **state)
{
	unsigned int i;
	size_t len;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vec *v = &vectors[i];

		if (!is_clc(v))
			continue;
		for (len = 0; len < v->len; len++) {
			u8 *p = exact_copy(v->bytes, len);
			int err;

			CHECK(round_trip(p, len, NULL, NULL) < 0, "%s cut to %zu", v->name, len);
			if (len > SMCU_CLC_HDR_LEN + SMCU_CLC_TRAILER_LEN) {
				smcu_put_be16(p + 5, (u16)len);
				smcu_put_be32(p + len - 4, SMCU_EYECATCHER_R);
				err = round_trip(p, len, NULL, NULL);
				/* nothing that is cut is a message, but for the first contact part of an answer */
				CHECK(err == -EPROTO, "%s fitted to %zu: %d", v->name, len, err);
			}
			free(p);
		}
	}
}

static void test_corrupted(void **state)
{
	unsigned int i, at, value;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vec *v = &vectors[i];

		if (!is_clc(v))
			continue;
		for (at = 0; at < v->len; at++)
			for (value = 0; value < 256; value++) {
				u8 p[SMCU_CLC_MAX_LEN];
				int err;

				memcpy(p, v->bytes, v->len);
				p[at] = (u8)value;
				err = round_trip(p, v->len, NULL, NULL);
				CHECK(!err || err == -EPROTO, "%s byte %u = %u: %d", v->name, at, value, err);
			}
	}
}

static void test_two_corruptions(void **state)
{
	u64 seed = 2;
	unsigned int round;

	for (round = 0; round < 300000; round++) {
		const struct vec *v = &vectors[rnd(&seed, ARRAY_SIZE(vectors))];
		u8 p[SMCU_CLC_MAX_LEN];
		size_t len = v->len;

		if (!is_clc(v))
			continue;
		memset(p, 0, sizeof(p));
		memcpy(p, v->bytes, len);
		p[4 + rnd(&seed, len - 4)] = (u8)rnd(&seed, 256);
		p[4 + rnd(&seed, len - 4)] = (u8)rnd(&seed, 10);
		if (!rnd(&seed, 3)) {
			len = SMCU_CLC_MIN_LEN + rnd(&seed, 700);
			smcu_put_be16(p + 5, (u16)len);
			smcu_put_be32(p + len - 4, SMCU_EYECATCHER_D);
		}
		round_trip(p, len, NULL, NULL);
	}
}

/* Assemble proposals of any shape, as Linux and others send them. */
struct shape {
	u8 version;
	u8 typev1;
	u8 typev2;
	u16 ip_offset;
	u8 n6;
	u8 n_eids;
	u8 n_ism;
	u8 release;
	int extra;		/* bytes too many (or too few) */
};

static size_t build(u8 *p, const struct shape *s)
{
	size_t len = 40 + (s->version == 1 ? s->ip_offset : 40), v2;
	unsigned int i;

	memset(p, 0, SMCU_CLC_MAX_LEN);
	smcu_put_be32(p, SMCU_EYECATCHER_R);
	p[4] = SMCU_CLC_PROPOSAL;
	p[7] = (u8)(s->version << 4 | s->typev2 << 2 | s->typev1);
	smcu_put_be16(p + 38, s->ip_offset);
	if (s->typev1 != SMCU_KIND_NONE) {
		u8 *q = p + 40 + s->ip_offset;

		smcu_put_be32(q, 0x0a000000);
		q[4] = 8;
		q[7] = s->n6;
		for (i = 0; i < s->n6; i++) {
			memset(q + 8 + 17 * i, 0x20 + (int)i, 16);
			q[8 + 17 * i + 16] = (u8)(64 + i);
		}
		len += 8 + 17 * s->n6;
	}
	if (s->version > 1 && s->typev2 != SMCU_KIND_NONE) {
		v2 = len;
		smcu_put_be16(p + 50, (u16)(v2 - 52));
		p[v2] = s->n_eids;
		p[v2 + 1] = s->n_ism;
		p[v2 + 3] = (u8)(s->release << 4);
		p[v2 + 24] = 200;
		p[v2 + 25] = 2;
		for (i = 0; i < s->n_eids; i++) {
			memset(p + v2 + 40 + 32 * i, ' ', 32);
			p[v2 + 40 + 32 * i] = (u8)('A' + i);
		}
		len += 40 + 32 * s->n_eids;
		if (s->typev2 & 1) {
			smcu_put_be16(p + v2 + 6, (u16)(len - v2 - 8));
			len += 48 + 10 * s->n_ism;
		}
	}
	len = len + 4 + s->extra;
	smcu_put_be16(p + 5, (u16)len);
	smcu_put_be32(p + len - 4, SMCU_EYECATCHER_R);
	return len;
}

static int decode_shape(struct shape s, struct smcu_clc_proposal *out, size_t *len)
{
	u8 p[SMCU_CLC_MAX_LEN];
	u8 *q;
	int err;

	*len = build(p, &s);
	q = exact_copy(p, *len);
	err = smcu_clc_proposal_decode(q, *len, out);
	free(q);
	return err;
}

#define SHAPE(...) ((struct shape){ __VA_ARGS__ })

static void test_proposal_shapes(void **state)
{
	struct smcu_clc_proposal p;
	size_t len;
	u8 n;

	/* version 1, IPv4, no area before the prefix */
	assert_int_equal(decode_shape(SHAPE(.version = 1), &p, &len), 0);
	assert_int_equal(len, 52);
	assert_int_equal(p.version, 1);
	assert_int_equal(p.typev2, SMCU_KIND_NONE);
	assert_false(p.has_v2);
	assert_int_equal(p.prefix4, 0x0a000000);
	assert_int_equal(decode_shape(SHAPE(.version = 1, .n6 = 1), &p, &len), 0);
	assert_int_equal(len, 69);
	assert_int_equal(p.prefix6[0][0], 0x20);
	assert_int_equal(p.prefix6_len[0], 64);
	assert_int_equal(decode_shape(SHAPE(.version = 1, .ip_offset = 40, .n6 = 8), &p, &len), 0);
	assert_int_equal(p.prefix6[7][15], 0x27);
	assert_int_equal(p.prefix6_len[7], 71);
	assert_int_equal(decode_shape(SHAPE(.version = 1, .ip_offset = 40, .typev1 = SMCU_KIND_D), &p, &len), 0);

	/* version 2 header, version 1 offered alone */
	assert_int_equal(decode_shape(SHAPE(.version = 2, .typev2 = 2, .ip_offset = 40, .n6 = 3), &p, &len), 0);
	assert_false(p.has_v2);
	assert_true(p.has_prefix);
	/* nothing offered at all is a message, too */
	assert_int_equal(decode_shape(SHAPE(.version = 2, .typev1 = 2, .typev2 = 2), &p, &len), 0);
	assert_int_equal(len, 84);
	assert_false(p.has_prefix || p.has_v2);

	for (n = 0; n <= SMCU_MAX_EIDS; n++) {
		assert_int_equal(decode_shape(SHAPE(.version = 2, .typev1 = 2, .n_eids = n, .release = 1), &p, &len), 0);
		assert_int_equal(len, 124 + 32 * n);
		assert_int_equal(p.n_eids, n);
		if (n)
			assert_int_equal(p.eid[n - 1][0], 'A' + n - 1);
		assert_int_equal(decode_shape(SHAPE(.version = 2, .ip_offset = 40, .n_eids = n), &p, &len), 0);
		assert_int_equal(len, 132 + 32 * n);
		/* release 0: the limits are reserved bytes */
		assert_int_equal(p.max_conns, 0);
	}
	/* kernels with loopback-ISM offer both kinds */
	assert_int_equal(decode_shape(SHAPE(.version = 2, .typev1 = 2, .typev2 = 3, .n_eids = 1, .n_ism = 2, .release = 1), &p, &len), 0);
	assert_int_equal(len, 124 + 32 + 48 + 20);
	assert_int_equal(p.max_conns, 200);
	assert_int_equal(p.eid[0][0], 'A');
	/* the largest: all there can be */
	assert_int_equal(decode_shape(SHAPE(.version = 2, .typev1 = 3, .typev2 = 3, .ip_offset = 40, .n6 = 8, .n_eids = 8, .n_ism = 8), &p, &len), 0);
	assert_int_equal(len, 652);
}

static void test_proposal_violations(void **state)
{
	struct smcu_clc_proposal p;
	size_t len;

#define BAD(...) assert_int_equal(decode_shape(SHAPE(__VA_ARGS__), &p, &len), -EPROTO)
	BAD(.version = 1, .typev1 = 2);
	BAD(.version = 1, .n6 = 9);
	BAD(.version = 1, .ip_offset = 41);
	BAD(.version = 1, .extra = 1);
	BAD(.version = 1, .extra = -1);
	BAD(.version = 1, .ip_offset = 0, .typev1 = 1);
	BAD(.version = 2, .typev1 = 2, .n_eids = 9);
	BAD(.version = 2, .typev1 = 2, .n_eids = 1, .extra = 1);
	BAD(.version = 2, .typev1 = 2, .n_eids = 1, .extra = -1);
	BAD(.version = 2, .typev1 = 2, .n_eids = 1, .extra = -32);
	BAD(.version = 2, .typev1 = 2, .typev2 = 3, .n_eids = 1, .n_ism = 9);
	BAD(.version = 2, .typev1 = 2, .typev2 = 2, .extra = 1);
	BAD(.version = 2, .typev1 = 2, .typev2 = 2, .extra = -1);
#undef BAD
}

static void test_proposal_offsets(void **state)
{
	unsigned int off;

	for (off = 0; off < 0x10000; off++) {
		struct smcu_clc_proposal out;
		u8 *p = exact_copy(vec_proposal_v1v2, sizeof(vec_proposal_v1v2));

		smcu_put_be16(p + 50, (u16)off);
		if (smcu_clc_proposal_decode(p, sizeof(vec_proposal_v1v2), &out) == 0)
			CHECK(off && 52 + off + 40 + 32 * out.n_eids + 4 <= sizeof(vec_proposal_v1v2), "offset %u", off);
		smcu_put_be16(p + 50, 36);
		smcu_put_be16(p + 38, (u16)off);
		if (smcu_clc_proposal_decode(p, sizeof(vec_proposal_v1v2), &out) == 0)
			CHECK(off <= 40, "offset %u", off);
		free(p);
	}
	assert_int_equal(off, 0x10000);
}

static void test_answer_lengths(void **state)
{
	struct smcu_clc_answer a;
	u8 p[SMCU_CLC_MAX_LEN];
	size_t len;
	u8 n;

	/* a subsequent answer may have bytes too many */
	for (len = 100; len < 300; len++) {
		memset(p, 0, sizeof(p));
		memcpy(p, vec_accept_join, 104);
		smcu_put_be16(p + 5, (u16)len);
		smcu_put_be32(p + len - 4, SMCU_EYECATCHER_R);
		CHECK(smcu_clc_answer_decode(p, len, &a) == (len < 108 ? -EPROTO : 0), "join %zu", len);

		memset(p, 0, sizeof(p));
		memcpy(p, vec_accept_first, 156);
		smcu_put_be16(p + 5, (u16)len);
		smcu_put_be32(p + len - 4, SMCU_EYECATCHER_R);
		CHECK(smcu_clc_answer_decode(p, len, &a) == (len < 160 ? -EPROTO : 0), "first %zu", len);
	}
	/* version 1 is strict */
	for (len = 64; len < 80; len++) {
		memset(p, 0, sizeof(p));
		memcpy(p, vec_accept_v1, 64);
		smcu_put_be16(p + 5, (u16)len);
		smcu_put_be32(p + len - 4, SMCU_EYECATCHER_R);
		CHECK(smcu_clc_answer_decode(p, len, &a) == (len == 68 ? 0 : -EPROTO), "v1 %zu", len);
	}
	/* the list of GIDs must be there as far as it says */
	for (n = 0; n < 32; n++) {
		memset(p, 0, sizeof(p));
		memcpy(p, vec_confirm_first, 160);
		p[156] = n;
		len = 164 + 16 * n;
		smcu_put_be16(p + 5, (u16)len);
		smcu_put_be32(p + len - 4, SMCU_EYECATCHER_R);
		assert_int_equal(smcu_clc_answer_decode(p, len, &a), 0);
		p[156] = (u8)(n + 1);
		assert_int_equal(smcu_clc_answer_decode(p, len, &a), -EPROTO);
	}
	/* no list at all */
	memcpy(p, vec_confirm_first, 156);
	smcu_put_be16(p + 5, 160);
	smcu_put_be32(p + 156, SMCU_EYECATCHER_R);
	assert_int_equal(smcu_clc_answer_decode(p, 160, &a), -EPROTO);
}

/* The length in the header and that of the bytes at hand must be the same, even where more or less would do. */
static void test_length_field(void **state)
{
	struct smcu_clc_answer a;
	struct smcu_clc_decline d;
	u8 p[200];
	unsigned int says;

	memset(p, 0, sizeof(p));
	memcpy(p, vec_accept_join, 104);
	smcu_put_be32(p + sizeof(p) - 4, SMCU_EYECATCHER_R);
	for (says = 0; says <= SMCU_CLC_MAX_LEN + 1; says++) {
		smcu_put_be16(p + 5, (u16)says);
		CHECK(smcu_clc_answer_decode(p, sizeof(p), &a) == (says == sizeof(p) ? 0 : -EPROTO), "says %u", says);
	}
	memcpy(p, vec_decline_v2, sizeof(vec_decline_v2));
	p[6] = 45;
	assert_int_equal(smcu_clc_decline_decode(p, sizeof(vec_decline_v2), &d), -EPROTO);
}

static void test_answer_values(void **state)
{
	u8 p[sizeof(vec_accept_join)];
	struct smcu_clc_answer a;
	unsigned int v;

#define SET(at, value) do { \
		memcpy(p, vec_accept_join, sizeof(p)); \
		p[at] = (u8)(value); \
	} while (0)
	for (v = 0; v < 256; v++) {
		SET(50, v);
		CHECK(smcu_clc_answer_decode(p, sizeof(p), &a) == ((v & 15) >= 1 && (v & 15) <= 5 ? 0 : -EPROTO), "size, MTU %#x", v);
	}
	SET(45, 0);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
	SET(45, 255);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), 0);
	assert_int_equal(a.rmbe_index, 255);
	SET(49, 0);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
	/* kinds */
	SET(7, 0x22);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
	SET(7, 0x23);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
	SET(7, 0x29);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), 0);
	assert_int_equal(a.kind, SMCU_KIND_D);
	assert_int_equal(a.version, 2);
	assert_true(a.first_contact);
	assert_int_equal(a.token | a.qpn, 0);
	/* types */
	SET(4, SMCU_CLC_PROPOSAL);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
	SET(4, SMCU_CLC_DECLINE);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
	/* trailers */
	SET(sizeof(p) - 1, 0xc4);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), 0);
	SET(sizeof(p) - 1, 0);
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), -EPROTO);
#undef SET
}

static void test_release_0_has_no_limits(void **state)
{
	u8 p[sizeof(vec_accept_first)];
	struct smcu_clc_answer a;

	memcpy(p, vec_accept_first, sizeof(p));
	p[105] = 0x20;
	assert_int_equal(smcu_clc_answer_decode(p, sizeof(p), &a), 0);
	assert_int_equal(a.release | a.max_conns | a.max_links | a.features, 0);
}

static void test_encode_refuses(void **state)
{
	struct smcu_clc_proposal p, p0;
	struct smcu_clc_answer a, a0;
	struct smcu_clc_decline d = { .version = 2 };
	u8 buf[SMCU_CLC_MAX_LEN];
	size_t cap;

	assert_int_equal(smcu_clc_proposal_decode(vec_proposal_v1v2, sizeof(vec_proposal_v1v2), &p0), 0);
	assert_int_equal(smcu_clc_answer_decode(vec_confirm_first, sizeof(vec_confirm_first), &a0), 0);
	for (cap = 0; cap < sizeof(buf); cap++) {
		u8 *q = exact_copy(buf, cap);

		CHECK(smcu_clc_proposal_encode(q, cap, &p0) == (cap < 164 ? -EMSGSIZE : 164), "%zu", cap);
		CHECK(smcu_clc_answer_encode(q, cap, &a0) == (cap < 180 ? -EMSGSIZE : 180), "%zu", cap);
		CHECK(smcu_clc_decline_encode(q, cap, &d) == (cap < 44 ? -EMSGSIZE : 44), "%zu", cap);
		free(q);
	}
#define BAD_P(change) do { \
		p = p0; \
		p.change; \
		assert_int_equal(smcu_clc_proposal_encode(buf, sizeof(buf), &p), -EINVAL); \
	} while (0)
	BAD_P(typev1 = SMCU_KIND_D);
	BAD_P(typev2 = SMCU_KIND_BOTH);
	BAD_P(has_v2 = false);
	BAD_P(has_prefix = false);
	BAD_P(n_eids = 9);
	BAD_P(n_prefix6 = 9);
	BAD_P(release = 16);
	p = p0;
	p.typev1 = p.typev2 = SMCU_KIND_NONE;
	p.has_prefix = p.has_v2 = false;
	assert_int_equal(smcu_clc_proposal_encode(buf, sizeof(buf), &p), -EINVAL);
#define BAD_A(change) do { \
		a = a0; \
		a.change; \
		assert_int_equal(smcu_clc_answer_encode(buf, sizeof(buf), &a), -EINVAL); \
	} while (0)
	BAD_A(type = SMCU_CLC_DECLINE);
	BAD_A(version = 0);
	BAD_A(version = 3);
	BAD_A(kind = SMCU_KIND_D);
	BAD_A(qpn = 0x1000000);
	BAD_A(psn = 0x1000000);
	BAD_A(token = 0);
	BAD_A(rmbe_index = 0);
	BAD_A(mtu = 0);
	BAD_A(mtu = 6);
	BAD_A(rmbe_code = 16);
	BAD_A(os = 16);
	BAD_A(release = 16);
	d.version = 3;
	assert_int_equal(smcu_clc_decline_encode(buf, sizeof(buf), &d), -EINVAL);
}

/* Whatever may be encoded says the same when decoded. */
static void test_random_structs(void **state)
{
	u64 seed = 77;
	unsigned int round, i;

	for (round = 0; round < 20000; round++) {
		struct smcu_clc_proposal p, p2;
		struct smcu_clc_answer a, a2;
		u8 buf[SMCU_CLC_MAX_LEN];
		int n;

		memset(&p, 0, sizeof(p));
		p.version = 2;
		p.has_prefix = rnd(&seed, 2);
		p.has_v2 = !p.has_prefix || rnd(&seed, 2);
		p.typev1 = p.has_prefix ? SMCU_KIND_R : SMCU_KIND_NONE;
		p.typev2 = p.has_v2 ? SMCU_KIND_R : SMCU_KIND_NONE;
		p.peer_id[3] = (u8)rnd(&seed, 256);
		p.gid[15] = (u8)rnd(&seed, 256);
		p.mac[0] = (u8)rnd(&seed, 256);
		if (p.has_prefix) {
			p.prefix4 = (u32)rnd64(&seed);
			p.prefix4_len = (u8)rnd(&seed, 33);
			p.n_prefix6 = (u8)rnd(&seed, 9);
			for (i = 0; i < p.n_prefix6; i++) {
				p.prefix6[i][i] = (u8)rnd(&seed, 256);
				p.prefix6_len[i] = (u8)rnd(&seed, 129);
			}
		}
		if (p.has_v2) {
			p.release = (u8)rnd(&seed, 3);
			p.n_eids = (u8)rnd(&seed, 9);
			for (i = 0; i < p.n_eids; i++)
				memset(p.eid[i], 'A' + (int)rnd(&seed, 26), SMCU_EID_LEN);
			p.gid_v2[11] = (u8)rnd(&seed, 256);
			if (p.release) {
				p.max_conns = (u8)rnd(&seed, 256);
				p.max_links = (u8)rnd(&seed, 256);
				p.features = (u16)rnd(&seed, 65536);
			}
		}
		n = smcu_clc_proposal_encode(buf, sizeof(buf), &p);
		CHECK(n > 0 && !smcu_clc_proposal_decode(buf, n, &p2), "round %u: %d", round, n);
		assert_memory_equal(&p, &p2, sizeof(p));

		memset(&a, 0, sizeof(a));
		a.type = (u8)(SMCU_CLC_ACCEPT + rnd(&seed, 2));
		a.version = (u8)(1 + rnd(&seed, 2));
		a.first_contact = rnd(&seed, 2);
		a.peer_id[7] = (u8)rnd(&seed, 256);
		a.gid[0] = (u8)rnd(&seed, 256);
		a.mac[5] = (u8)rnd(&seed, 256);
		a.qpn = rnd(&seed, 0x1000000);
		a.psn = rnd(&seed, 0x1000000);
		a.mtu = (u8)(1 + rnd(&seed, 5));
		a.rkey = (u32)rnd64(&seed);
		a.rmbe_index = (u8)(1 + rnd(&seed, 255));
		a.token = (u32)rnd64(&seed) | 1;
		a.rmbe_code = (u8)rnd(&seed, 16);
		a.rmb_addr = rnd64(&seed);
		if (a.version == 2) {
			a.eid[31] = (u8)rnd(&seed, 256);
			if (a.first_contact) {
				a.direct = rnd(&seed, 2);
				a.os = (u8)rnd(&seed, 16);
				a.release = (u8)rnd(&seed, 2);
				a.host[31] = (u8)rnd(&seed, 256);
				if (a.release) {
					a.max_conns = (u8)rnd(&seed, 256);
					a.max_links = (u8)rnd(&seed, 256);
					a.features = (u16)rnd(&seed, 65536);
				}
			}
		}
		n = smcu_clc_answer_encode(buf, sizeof(buf), &a);
		CHECK(n > 0 && !smcu_clc_answer_decode(buf, n, &a2), "round %u: %d", round, n);
		assert_memory_equal(&a, &a2, sizeof(a));
	}
}

static void test_eid_from_text(void **state)
{
	u8 eid[SMCU_EID_LEN];
	char text[40];
	unsigned int c;

	assert_int_equal(smcu_eid_from_text("SMCTEST01", 9, eid), 0);
	assert_memory_equal(eid, eid1, SMCU_EID_LEN);
	assert_int_equal(smcu_eid_from_text("9.-", 3, eid), 0);
	memset(text, 'Z', sizeof(text));
	assert_int_equal(smcu_eid_from_text(text, 32, eid), 0);
	assert_memory_equal(eid, text, 32);
	assert_int_equal(smcu_eid_from_text(text, 33, eid), -EINVAL);
	assert_int_equal(smcu_eid_from_text("", 0, eid), -EINVAL);
	assert_int_equal(smcu_eid_from_text(".A", 2, eid), -EINVAL);
	assert_int_equal(smcu_eid_from_text("-A", 2, eid), -EINVAL);
	assert_int_equal(smcu_eid_from_text("Smc", 3, eid), -EINVAL);
	assert_int_equal(smcu_eid_from_text("A B", 3, eid), -EINVAL);
	assert_int_equal(smcu_eid_from_text("AB\0", 3, eid), -EINVAL);
	for (c = 0; c < 256; c++) {
		bool alnum = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		text[0] = (char)c;
		text[1] = 'A';
		CHECK(!smcu_eid_from_text(text, 2, eid) == alnum, "first %u", c);
		text[0] = 'A';
		text[1] = (char)c;
		CHECK(!smcu_eid_from_text(text, 2, eid) == (alnum || c == '.' || c == '-'), "second %u", c);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_samples_are_reproduced),
	cmocka_unit_test(test_proposal_fields),
	cmocka_unit_test(test_answer_fields),
	cmocka_unit_test(test_decline_fields),
	cmocka_unit_test(test_header),
	cmocka_unit_test(test_truncated),
	cmocka_unit_test(test_corrupted),
	cmocka_unit_test(test_two_corruptions),
	cmocka_unit_test(test_proposal_shapes),
	cmocka_unit_test(test_proposal_violations),
	cmocka_unit_test(test_proposal_offsets),
	cmocka_unit_test(test_answer_lengths),
	cmocka_unit_test(test_length_field),
	cmocka_unit_test(test_answer_values),
	cmocka_unit_test(test_release_0_has_no_limits),
	cmocka_unit_test(test_encode_refuses),
	cmocka_unit_test(test_random_structs),
	cmocka_unit_test(test_eid_from_text),
};

RUN("wire_clc", tests)
