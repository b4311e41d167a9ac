// SPDX-License-Identifier: GPL-2.0
/*
 * CLC messages between bytes and structs. The enums below are the layouts of section 2: offsets from the start of the
 * message, or from the start of the extension they name.
 *
 * Every decoder begins with message_check(): after it @len is the length the message claims, at least
 * SMCU_CLC_MIN_LEN, and offsets computed from the message are compared with it before they are used.
 */
#include "proto/wire_clc.h"

enum clc_header {
	HDR_TYPE = 4,
	HDR_LENGTH = 5,
	HDR_FLAGS = 7,
};

enum clc_flags {
	FLAG_BIT3 = 2,			/* in typev2: first contact of an answer, out of sync of a decline */
};

enum clc_proposal {
	PROP_PEER_ID = 8,
	PROP_GID = 16,
	PROP_MAC = 32,
	PROP_IP_OFFSET = 38,
	PROP_BASE_LEN = 40,
	PROP_V2_OFFSET = 50,
	PROP_V2_FROM = 52,		/* the V2 offset counts from here */
	PROP_GROWTH_LEN = 40,		/* SMC-D part and room for the future */
	PROP_V2_OFFSET_MAX = 172,
};

enum clc_prefix {
	PFX_V4 = 0,
	PFX_V4_LEN = 4,
	PFX_N6 = 7,
	PFX_LEN = 8,
	PFX6_LEN = 17,
};

enum clc_v2ext {
	V2_N_EIDS = 0,
	V2_N_ISM = 1,
	V2_RELEASE = 3,
	V2_SMCD_OFFSET = 6,
	V2_SMCD_FROM = 8,
	V2_GID = 8,
	V2_MAX_CONNS = 24,
	V2_MAX_LINKS = 25,
	V2_FEATURES = 26,
	V2_LEN = 40,
	V2_N_ISM_MAX = 8,
	SMCD_LEN = 48,
	SMCD_ISM_LEN = 10,
};

enum clc_answer {
	ANS_PEER_ID = 8,
	ANS_GID = 16,
	ANS_MAC = 32,
	ANS_QPN = 38,
	ANS_RKEY = 41,
	ANS_INDEX = 45,
	ANS_TOKEN = 46,
	ANS_SIZE_MTU = 50,
	ANS_ADDR = 52,
	ANS_PSN = 61,
	ANS_V1_LEN = 68,
	ANS_EID = 64,
	ANS_FCE = 104,
	ANS_V2_LEN = 108,
	ANS_GIDS = 156,
	ANS_GIDS_HDR = 4,
};

enum clc_fce {
	FCE_DIRECT = 0,
	FCE_OS_RELEASE = 1,
	FCE_HOST = 4,
	FCE_MAX_CONNS = 36,
	FCE_MAX_LINKS = 37,
	FCE_FEATURES = 38,
	FCE_LEN = 52,
};

enum clc_decline {
	DECL_PEER_ID = 8,
	DECL_DIAGNOSIS = 16,
	DECL_OS = 20,
	DECL_V1_LEN = 28,
	DECL_V2_LEN = SMCU_CLC_DECLINE_MAX,
	DECL_OS_LINUX = 0x20,
};

static_assert((int)ANS_FCE + (int)FCE_LEN == (int)ANS_GIDS, "the GID list follows the first contact extension");
static_assert((int)DECL_V1_LEN == (int)SMCU_CLC_MIN_LEN, "nothing is shorter than a version 1 decline");

static bool is_eyecatcher(const u8 *p)
{
	u32 v = smcu_get_be32(p);

	return v == SMCU_EYECATCHER_R || v == SMCU_EYECATCHER_D;
}

/* Could these be the first @n bytes of an eyecatcher? */
static bool may_be_eyecatcher(const u8 *p, size_t n)
{
	u8 eye[4];
	size_t i;

	smcu_put_be32(eye, SMCU_EYECATCHER_R);
	for (i = 0; i < n && i < 3; i++)
		if (p[i] != eye[i])
			return false;
	return n < 4 || is_eyecatcher(p);
}

static bool has_kind(u8 typev, u8 kind)
{
	return typev == kind || typev == SMCU_KIND_BOTH;
}

int smcu_clc_hdr_decode(const u8 *buf, size_t len, struct smcu_clc_hdr *out)
{
	u8 flags;

	memset(out, 0, sizeof(*out));
	if (!may_be_eyecatcher(buf, len))
		return -EPROTO;
	if (len > HDR_TYPE && (buf[HDR_TYPE] < SMCU_CLC_PROPOSAL || buf[HDR_TYPE] > SMCU_CLC_DECLINE))
		return -EPROTO;
	if (len > HDR_LENGTH && buf[HDR_LENGTH] > SMCU_CLC_MAX_LEN >> 8)
		return -EPROTO;
	if (len < SMCU_CLC_HDR_LEN)
		return -EAGAIN;

	flags = buf[HDR_FLAGS];
	out->type = buf[HDR_TYPE];
	out->length = smcu_get_be16(buf + HDR_LENGTH);
	out->version = flags >> 4;
	out->typev2 = flags >> 2 & 3;
	out->typev1 = flags & 3;
	if (out->length < SMCU_CLC_MIN_LEN || out->length > SMCU_CLC_MAX_LEN || !out->version)
		return -EPROTO;
	if (out->version > 2)
		out->version = 2;
	return 0;
}

/* Is this one whole message? Linux does not look at the trailer of a decline, so neither do we. */
static int message_check(const u8 *buf, size_t len, struct smcu_clc_hdr *hdr)
{
	int err = smcu_clc_hdr_decode(buf, len, hdr);

	if (err || hdr->length != len)
		return -EPROTO;
	if (hdr->type != SMCU_CLC_DECLINE && !is_eyecatcher(buf + len - SMCU_CLC_TRAILER_LEN))
		return -EPROTO;
	return 0;
}

static void put_frame(u8 *buf, size_t len, u8 type, u8 version, u8 typev2, u8 typev1)
{
	memset(buf, 0, len);
	smcu_put_be32(buf, SMCU_EYECATCHER_R);
	buf[HDR_TYPE] = type;
	smcu_put_be16(buf + HDR_LENGTH, (u16)len);
	buf[HDR_FLAGS] = (u8)(version << 4 | typev2 << 2 | typev1);
	smcu_put_be32(buf + len - SMCU_CLC_TRAILER_LEN, SMCU_EYECATCHER_R);
}

/* The IP prefix area; @body is where the message's trailer begins. Adds its length to *@want. */
static int get_prefixes(const u8 *buf, size_t body, struct smcu_clc_proposal *out, size_t *want)
{
	size_t offset = smcu_get_be16(buf + PROP_IP_OFFSET);
	size_t at = PROP_BASE_LEN + offset;
	const u8 *p;
	u8 i;

	if (offset > PROP_GROWTH_LEN || (has_kind(out->typev1, SMCU_KIND_D) && offset != PROP_GROWTH_LEN))
		return -EPROTO;
	if (at + PFX_LEN > body)
		return -EPROTO;
	p = buf + at;
	if (p[PFX_N6] > SMCU_MAX_PREFIX6 || at + PFX_LEN + (size_t)p[PFX_N6] * PFX6_LEN > body)
		return -EPROTO;

	out->has_prefix = true;
	out->prefix4 = smcu_get_be32(p + PFX_V4);
	out->prefix4_len = p[PFX_V4_LEN];
	out->n_prefix6 = p[PFX_N6];
	p += PFX_LEN;
	for (i = 0; i < out->n_prefix6; i++, p += PFX6_LEN) {
		memcpy(out->prefix6[i], p, 16);
		out->prefix6_len[i] = p[16];
	}
	*want += PFX_LEN + (size_t)out->n_prefix6 * PFX6_LEN;
	return 0;
}

/* The part for SMC-D in a version 2 extension is only measured. */
static int skip_smcd(const u8 *ext, size_t at, size_t body, size_t *want)
{
	size_t offset = smcu_get_be16(ext + V2_SMCD_OFFSET);
	size_t len = SMCD_LEN + (size_t)ext[V2_N_ISM] * SMCD_ISM_LEN;

	if (!offset || at + V2_SMCD_FROM + offset + len > body)
		return -EPROTO;
	*want += len;
	return 0;
}

static int get_v2ext(const u8 *buf, size_t body, struct smcu_clc_proposal *out, size_t *want)
{
	size_t offset = smcu_get_be16(buf + PROP_V2_OFFSET);
	size_t at = PROP_V2_FROM + offset;
	const u8 *ext;
	u8 i;

	if (!offset || offset > PROP_V2_OFFSET_MAX || at + V2_LEN > body)
		return -EPROTO;
	ext = buf + at;
	if (ext[V2_N_EIDS] > SMCU_MAX_EIDS || ext[V2_N_ISM] > V2_N_ISM_MAX)
		return -EPROTO;
	if (at + V2_LEN + (size_t)ext[V2_N_EIDS] * SMCU_EID_LEN > body)
		return -EPROTO;

	out->has_v2 = true;
	out->n_eids = ext[V2_N_EIDS];
	out->release = ext[V2_RELEASE] >> 4;
	memcpy(out->gid_v2, ext + V2_GID, SMCU_GID_LEN);
	if (out->release) {
		out->max_conns = ext[V2_MAX_CONNS];
		out->max_links = ext[V2_MAX_LINKS];
		out->features = smcu_get_be16(ext + V2_FEATURES);
	}
	for (i = 0; i < out->n_eids; i++)
		memcpy(out->eid[i], ext + V2_LEN + (size_t)i * SMCU_EID_LEN, SMCU_EID_LEN);
	*want += V2_LEN + (size_t)out->n_eids * SMCU_EID_LEN;

	if (has_kind(out->typev2, SMCU_KIND_D))
		return skip_smcd(ext, at, body, want);
	return 0;
}

/* The length of a version 1 proposal depends on where its prefix area begins, that of a version 2 one doesn't. */
static int get_proposal(const u8 *buf, size_t len, struct smcu_clc_proposal *out)
{
	size_t body = len - SMCU_CLC_TRAILER_LEN;
	size_t want = PROP_BASE_LEN;
	int err;

	if (body < PROP_BASE_LEN)
		return -EPROTO;
	if (out->version == 1) {
		out->typev2 = SMCU_KIND_NONE;
		if (out->typev1 == SMCU_KIND_NONE)
			return -EPROTO;
		want += smcu_get_be16(buf + PROP_IP_OFFSET);
	} else {
		want += PROP_GROWTH_LEN;
		if (body < want)
			return -EPROTO;
	}

	memcpy(out->peer_id, buf + PROP_PEER_ID, SMCU_PEER_ID_LEN);
	memcpy(out->gid, buf + PROP_GID, SMCU_GID_LEN);
	memcpy(out->mac, buf + PROP_MAC, SMCU_MAC_LEN);
	if (out->typev1 != SMCU_KIND_NONE) {
		err = get_prefixes(buf, body, out, &want);
		if (err)
			return err;
	}
	if (out->typev2 != SMCU_KIND_NONE) {
		err = get_v2ext(buf, body, out, &want);
		if (err)
			return err;
	}
	return body == want ? 0 : -EPROTO;
}

int smcu_clc_proposal_decode(const u8 *buf, size_t len, struct smcu_clc_proposal *out)
{
	struct smcu_clc_hdr hdr;
	int err;

	memset(out, 0, sizeof(*out));
	err = message_check(buf, len, &hdr);
	if (err || hdr.type != SMCU_CLC_PROPOSAL)
		return -EPROTO;

	out->version = hdr.version;
	out->typev1 = hdr.typev1;
	out->typev2 = hdr.typev2;
	return get_proposal(buf, len, out);
}

static void put_prefixes(u8 *p, const struct smcu_clc_proposal *in)
{
	u8 i;

	smcu_put_be32(p + PFX_V4, in->prefix4);
	p[PFX_V4_LEN] = in->prefix4_len;
	p[PFX_N6] = in->n_prefix6;
	p += PFX_LEN;
	for (i = 0; i < in->n_prefix6; i++, p += PFX6_LEN) {
		memcpy(p, in->prefix6[i], 16);
		p[16] = in->prefix6_len[i];
	}
}

static void put_v2ext(u8 *ext, const struct smcu_clc_proposal *in)
{
	u8 i;

	ext[V2_N_EIDS] = in->n_eids;
	ext[V2_RELEASE] = (u8)(in->release << 4);
	memcpy(ext + V2_GID, in->gid_v2, SMCU_GID_LEN);
	if (in->release) {
		ext[V2_MAX_CONNS] = in->max_conns;
		ext[V2_MAX_LINKS] = in->max_links;
		smcu_put_be16(ext + V2_FEATURES, in->features);
	}
	for (i = 0; i < in->n_eids; i++)
		memcpy(ext + V2_LEN + (size_t)i * SMCU_EID_LEN, in->eid[i], SMCU_EID_LEN);
}

/* We never offer SMC-D, and a flag that contradicts its type is a caller's slip. */
static bool is_offer(const struct smcu_clc_proposal *in)
{
	bool v1 = in->typev1 == SMCU_KIND_R;
	bool v2 = in->typev2 == SMCU_KIND_R;

	if ((!v1 && in->typev1 != SMCU_KIND_NONE) || (!v2 && in->typev2 != SMCU_KIND_NONE))
		return false;
	if (v1 != in->has_prefix || v2 != in->has_v2 || (!v1 && !v2))
		return false;
	return in->n_prefix6 <= SMCU_MAX_PREFIX6 && in->n_eids <= SMCU_MAX_EIDS && in->release <= 15;
}

int smcu_clc_proposal_encode(u8 *buf, size_t cap, const struct smcu_clc_proposal *in)
{
	size_t prefixes, ext, len;

	if (!is_offer(in))
		return -EINVAL;
	prefixes = in->has_prefix ? PFX_LEN + (size_t)in->n_prefix6 * PFX6_LEN : 0;
	ext = in->has_v2 ? V2_LEN + (size_t)in->n_eids * SMCU_EID_LEN : 0;
	len = PROP_BASE_LEN + PROP_GROWTH_LEN + prefixes + ext + SMCU_CLC_TRAILER_LEN;
	if (cap < len)
		return -EMSGSIZE;

	put_frame(buf, len, SMCU_CLC_PROPOSAL, 2, in->typev2, in->typev1);
	memcpy(buf + PROP_PEER_ID, in->peer_id, SMCU_PEER_ID_LEN);
	memcpy(buf + PROP_GID, in->gid, SMCU_GID_LEN);
	memcpy(buf + PROP_MAC, in->mac, SMCU_MAC_LEN);
	if (in->has_prefix) {
		smcu_put_be16(buf + PROP_IP_OFFSET, PROP_GROWTH_LEN);
		put_prefixes(buf + PROP_BASE_LEN + PROP_GROWTH_LEN, in);
	}
	if (in->has_v2) {
		size_t at = PROP_BASE_LEN + PROP_GROWTH_LEN + prefixes;

		smcu_put_be16(buf + PROP_V2_OFFSET, (u16)(at - PROP_V2_FROM));
		put_v2ext(buf + at, in);
	}
	return (int)len;
}

static void get_fce(const u8 *fce, struct smcu_clc_answer *out)
{
	out->direct = fce[FCE_DIRECT] & 0x80;
	out->os = fce[FCE_OS_RELEASE] >> 4;
	out->release = fce[FCE_OS_RELEASE] & 15;
	memcpy(out->host, fce + FCE_HOST, SMCU_HOST_LEN);
	if (out->release) {
		out->max_conns = fce[FCE_MAX_CONNS];
		out->max_links = fce[FCE_MAX_LINKS];
		out->features = smcu_get_be16(fce + FCE_FEATURES);
	}
}

/* Least length of a version 2 answer. The GIDs a client lists are for more links: they are counted, not kept. */
static size_t answer_v2_len(const u8 *buf, size_t len, const struct smcu_clc_answer *a)
{
	size_t want = ANS_V2_LEN;

	if (!a->first_contact)
		return want;
	want += FCE_LEN;
	if (a->type != SMCU_CLC_CONFIRM)
		return want;
	want += ANS_GIDS_HDR;
	if (len >= want)
		want += (size_t)buf[ANS_GIDS] * SMCU_GID_LEN;
	return want;
}

static int get_answer(const u8 *buf, size_t len, struct smcu_clc_answer *out)
{
	if (out->version == 1 ? len != ANS_V1_LEN : len < answer_v2_len(buf, len, out))
		return -EPROTO;

	memcpy(out->peer_id, buf + ANS_PEER_ID, SMCU_PEER_ID_LEN);
	memcpy(out->gid, buf + ANS_GID, SMCU_GID_LEN);
	memcpy(out->mac, buf + ANS_MAC, SMCU_MAC_LEN);
	out->qpn = smcu_get_be24(buf + ANS_QPN);
	out->rkey = smcu_get_be32(buf + ANS_RKEY);
	out->rmbe_index = buf[ANS_INDEX];
	out->token = smcu_get_be32(buf + ANS_TOKEN);
	out->rmbe_code = buf[ANS_SIZE_MTU] >> 4;
	out->mtu = buf[ANS_SIZE_MTU] & 15;
	out->rmb_addr = smcu_get_be64(buf + ANS_ADDR);
	out->psn = smcu_get_be24(buf + ANS_PSN);
	if (out->version == 2) {
		memcpy(out->eid, buf + ANS_EID, SMCU_EID_LEN);
		if (out->first_contact)
			get_fce(buf + ANS_FCE, out);
	}

	if (!out->token || !out->rmbe_index || out->mtu < SMCU_MTU_CODE_MIN || out->mtu > SMCU_MTU_CODE_MAX)
		return -EPROTO;
	return 0;
}

int smcu_clc_answer_decode(const u8 *buf, size_t len, struct smcu_clc_answer *out)
{
	struct smcu_clc_hdr hdr;
	int err;

	memset(out, 0, sizeof(*out));
	err = message_check(buf, len, &hdr);
	if (err || (hdr.type != SMCU_CLC_ACCEPT && hdr.type != SMCU_CLC_CONFIRM))
		return -EPROTO;
	if (hdr.typev1 != SMCU_KIND_R && hdr.typev1 != SMCU_KIND_D)
		return -EPROTO;

	out->type = hdr.type;
	out->version = hdr.version;
	out->kind = hdr.typev1;
	out->first_contact = hdr.typev2 & FLAG_BIT3;
	return out->kind == SMCU_KIND_R ? get_answer(buf, len, out) : 0;
}

static bool is_answer(const struct smcu_clc_answer *in)
{
	if (in->type != SMCU_CLC_ACCEPT && in->type != SMCU_CLC_CONFIRM)
		return false;
	if ((in->version != 1 && in->version != 2) || in->kind != SMCU_KIND_R)
		return false;
	if (in->qpn > 0xffffff || in->psn > 0xffffff || !in->token || !in->rmbe_index)
		return false;
	if (in->mtu < SMCU_MTU_CODE_MIN || in->mtu > SMCU_MTU_CODE_MAX || in->rmbe_code > SMCU_RMBE_CODE_MAX)
		return false;
	return in->os <= 15 && in->release <= 15;
}

static void put_fce(u8 *fce, const struct smcu_clc_answer *in)
{
	fce[FCE_DIRECT] = in->direct ? 0x80 : 0;
	fce[FCE_OS_RELEASE] = (u8)(in->os << 4 | in->release);
	memcpy(fce + FCE_HOST, in->host, SMCU_HOST_LEN);
	if (in->release) {
		fce[FCE_MAX_CONNS] = in->max_conns;
		fce[FCE_MAX_LINKS] = in->max_links;
		smcu_put_be16(fce + FCE_FEATURES, in->features);
	}
}

int smcu_clc_answer_encode(u8 *buf, size_t cap, const struct smcu_clc_answer *in)
{
	bool has_fce, has_gids;
	size_t len;

	if (!is_answer(in))
		return -EINVAL;
	has_fce = in->version == 2 && in->first_contact;
	has_gids = has_fce && in->type == SMCU_CLC_CONFIRM;
	len = in->version == 1 ? ANS_V1_LEN : ANS_V2_LEN;
	if (has_fce)
		len += FCE_LEN;
	if (has_gids)
		len += ANS_GIDS_HDR + SMCU_GID_LEN;
	if (cap < len)
		return -EMSGSIZE;

	put_frame(buf, len, in->type, in->version, in->first_contact ? FLAG_BIT3 : 0, SMCU_KIND_R);
	memcpy(buf + ANS_PEER_ID, in->peer_id, SMCU_PEER_ID_LEN);
	memcpy(buf + ANS_GID, in->gid, SMCU_GID_LEN);
	memcpy(buf + ANS_MAC, in->mac, SMCU_MAC_LEN);
	smcu_put_be24(buf + ANS_QPN, in->qpn);
	smcu_put_be32(buf + ANS_RKEY, in->rkey);
	buf[ANS_INDEX] = in->rmbe_index;
	smcu_put_be32(buf + ANS_TOKEN, in->token);
	buf[ANS_SIZE_MTU] = (u8)(in->rmbe_code << 4 | in->mtu);
	smcu_put_be64(buf + ANS_ADDR, in->rmb_addr);
	smcu_put_be24(buf + ANS_PSN, in->psn);
	if (in->version == 2)
		memcpy(buf + ANS_EID, in->eid, SMCU_EID_LEN);
	if (has_fce)
		put_fce(buf + ANS_FCE, in);
	if (has_gids) {
		/* The only link is the only one on offer. */
		buf[ANS_GIDS] = 1;
		memcpy(buf + ANS_GIDS + ANS_GIDS_HDR, in->gid, SMCU_GID_LEN);
	}
	return (int)len;
}

int smcu_clc_decline_decode(const u8 *buf, size_t len, struct smcu_clc_decline *out)
{
	struct smcu_clc_hdr hdr;
	int err;

	memset(out, 0, sizeof(*out));
	err = message_check(buf, len, &hdr);
	if (err || hdr.type != SMCU_CLC_DECLINE || len != (hdr.version == 1 ? DECL_V1_LEN : DECL_V2_LEN))
		return -EPROTO;

	out->version = hdr.version;
	out->out_of_sync = hdr.typev2 & FLAG_BIT3;
	memcpy(out->peer_id, buf + DECL_PEER_ID, SMCU_PEER_ID_LEN);
	out->diagnosis = smcu_get_be32(buf + DECL_DIAGNOSIS);
	return 0;
}

int smcu_clc_decline_encode(u8 *buf, size_t cap, const struct smcu_clc_decline *in)
{
	size_t len;

	if (in->version != 1 && in->version != 2)
		return -EINVAL;
	len = in->version == 1 ? DECL_V1_LEN : DECL_V2_LEN;
	if (cap < len)
		return -EMSGSIZE;

	put_frame(buf, len, SMCU_CLC_DECLINE, in->version, in->out_of_sync ? FLAG_BIT3 : 0, SMCU_KIND_R);
	memcpy(buf + DECL_PEER_ID, in->peer_id, SMCU_PEER_ID_LEN);
	smcu_put_be32(buf + DECL_DIAGNOSIS, in->diagnosis);
	if (in->version == 2)
		buf[DECL_OS] = DECL_OS_LINUX;
	return (int)len;
}

int smcu_eid_from_text(const char *text, size_t len, u8 *eid)
{
	size_t i;

	if (!len || len > SMCU_EID_LEN)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		bool alnum = (text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= '0' && text[i] <= '9');

		if (!alnum && (!i || (text[i] != '.' && text[i] != '-')))
			return -EINVAL;
	}
	memset(eid, ' ', SMCU_EID_LEN);
	memcpy(eid, text, len);
	return 0;
}
