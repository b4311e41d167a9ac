// SPDX-License-Identifier: GPL-2.0
/*
 * Positions and cursors. A cursor is a position modulo 65536 rings; since an honest peer is never farther away than
 * one ring, the position can always be told from it.
 */
#include "proto/cursor.h"

struct smcu_cursor smcu_cursor_at(u64 pos, u32 size)
{
	struct smcu_cursor cur;

	cur.count = (u32)pos & (size - 1);
	cur.wrap = (u16)(pos >> __builtin_ctz(size));
	return cur;
}

int smcu_cursor_advance(u64 pos, u64 limit, u32 size, struct smcu_cursor cur, u64 *new_pos)
{
	u64 cycle = (u64)size << 16;
	u64 ahead;

	if (cur.count >= size)
		return -EPROTO;

	ahead = (((u64)cur.wrap << __builtin_ctz(size)) + cur.count - pos) & (cycle - 1);
	if (ahead <= limit - pos) {
		*new_pos = pos + ahead;
		return 0;
	}
	/* Half a cycle or more ahead is behind, unless the connection is not that old. */
	if (ahead >= cycle / 2 && cycle - ahead <= pos)
		return -ESTALE;
	return -EPROTO;
}
