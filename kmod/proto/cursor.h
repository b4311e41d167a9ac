/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ring positions. Inside, a position is a 64-bit count of bytes since the connection began and never wraps; on the
 * wire it is a cursor: 16-bit wrap count and offset (section 6.3). Ring sizes are powers of two.
 */
#ifndef SMCU_PROTO_CURSOR_H
#define SMCU_PROTO_CURSOR_H

#include "proto/limits.h"

/**
 * struct smcu_cursor - a position as the wire has it
 * @wrap: times the offset came back to 0, modulo 65536
 * @count: offset in the ring, 0 to size - 1
 */
struct smcu_cursor {
	u16 wrap;
	u32 count;
};

/**
 * smcu_cursor_at() - the cursor of a position
 * @pos: bytes since the beginning
 * @size: of the ring, a power of two
 *
 * Return: the cursor
 */
struct smcu_cursor smcu_cursor_at(u64 pos, u32 size);

/**
 * smcu_cursor_advance() - what a received cursor says about a position we know
 * @pos: the position last accepted
 * @limit: the farthest position the peer may honestly name (pos <= limit <= pos + size)
 * @size: of the ring, a power of two
 * @cur: as received
 * @new_pos: the position it names; written only on success
 *
 * Return: 0 where the cursor is at or ahead of @pos and not beyond @limit; -ESTALE where it lies behind (to be ignored,
 * section 12.23); -EPROTO where it is out of the ring or beyond @limit: the peer lies and the connection must end
 */
int smcu_cursor_advance(u64 pos, u64 limit, u32 size, struct smcu_cursor cur, u64 *new_pos);

#endif
