// SPDX-License-Identifier: GPL-2.0
/* Any bytes as CDC messages of one connection: cursors may be wild, positions must stay within the rings. */
#include "fuzz.h"
#include "proto/txplan.h"
#include "proto/wire_cdc.h"

static void stable(const u8 *data, size_t size, struct smcu_cdc *m)
{
	struct smcu_cdc b;
	u8 buf[SMCU_CDC_LEN];

	smcu_cdc_encode(buf, m);
	MUST(!smcu_cdc_decode(buf, sizeof(buf), &b));
	MUST(b.seq == m->seq && b.token == m->token && b.pflags == m->pflags && b.cflags == m->cflags);
	MUST(b.prod.wrap == m->prod.wrap && b.prod.count == m->prod.count);
	MUST(b.cons.wrap == m->cons.wrap && b.cons.count == m->cons.count);
}

/* A position that is taken over is the one the cursor names. */
static void names(u64 pos, u32 size, struct smcu_cursor cur)
{
	struct smcu_cursor back = smcu_cursor_at(pos, size);

	MUST(back.wrap == cur.wrap && back.count == cur.count);
}

static void plan(u64 sent, u64 queued, u64 peer_read, u32 src, u32 dst)
{
	struct smcu_txplan p;
	u32 sum = 0;
	u8 i;

	smcu_txplan(sent, queued, peer_read, src, dst, &p);
	MUST(p.n <= 3 && p.len <= queued - sent && p.len <= dst - (sent - peer_read));
	for (i = 0; i < p.n; i++) {
		MUST(p.piece[i].len && p.piece[i].src + p.piece[i].len <= src && p.piece[i].dst + p.piece[i].len <= dst);
		sum += p.piece[i].len;
	}
	MUST(sum == p.len);
	MUST(p.blocked == (queued - sent >= dst - (sent - peer_read)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 written = 0, read = 0, sent = 0, peer_read = 0, pos;
	u32 size_in, size_out;
	u8 code;

	if (!size)
		return 0;
	code = data[0];
	size_in = smcu_rmbe_size(code & 15);
	size_out = smcu_rmbe_size(code >> 4);
	for (data++, size--; size; data += SMCU_CDC_LEN, size -= SMCU_CDC_LEN) {
		struct smcu_cdc m;
		size_t len = size < SMCU_CDC_LEN ? size : SMCU_CDC_LEN;
		int err = smcu_cdc_decode(data, len, &m);

		MUST(err == 0 || err == -EPROTO);
		if (!err) {
			stable(data, len, &m);
			if (!smcu_cursor_advance(written, read + size_in, size_in, m.prod, &pos)) {
				MUST(pos >= written && pos <= read + size_in);
				names(pos, size_in, m.prod);
				written = pos;
			}
			if (!smcu_cursor_advance(peer_read, sent, size_out, m.cons, &pos)) {
				MUST(pos >= peer_read && pos <= sent);
				names(pos, size_out, m.cons);
				peer_read = pos;
			}
			/* we read and send as much as the message's token says */
			read += (written - read) * (m.token & 255) / 255;
			plan(sent, sent + (m.token >> 8 & 0x3fff), peer_read, size_in, size_out);
			sent += (size_out - (sent - peer_read)) * (m.token >> 24) / 255;
			smcu_rx_announce(read, read, written, size_in, m.pflags & SMCU_PF_BLOCKED, false);
		}
		if (len < SMCU_CDC_LEN)
			break;
	}
	return 0;
}
