/* SPDX-License-Identifier: GPL-2.0 */
/* The TCP option 254 with SMC's magic (section 1), found in and added to the options of a TCP header. */
#ifndef SMCU_PROTO_SYNOPT_H
#define SMCU_PROTO_SYNOPT_H

#include "proto/limits.h"

#define SMCU_SYNOPT_LEN 8	/* two NOPs, kind, length, magic */

/**
 * smcu_synopt_find() - is the SMC option there?
 * @opts: option bytes of a TCP header, after the first 20
 * @len: 0 to 40
 *
 * Return: offset of the kind byte, or -ENOENT. Malformed options end the search, as in TCP.
 */
int smcu_synopt_find(const u8 *opts, size_t len);

/**
 * smcu_synopt_write() - the bytes Linux emits
 * @p: SMCU_SYNOPT_LEN bytes
 */
void smcu_synopt_write(u8 *p);

#endif
