// SPDX-License-Identifier: GPL-2.0
/* SMC's experimental TCP option. */
#include "proto/synopt.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_EXP = 254,
	OPT_SMC_LEN = 6,
};

static bool is_smc(const u8 *opt, u8 len)
{
	/* Longer ones are ours, too, if their length is even: what follows the magic is for the future. */
	return opt[0] == OPT_EXP && len >= OPT_SMC_LEN && !(len & 1) && smcu_get_be32(opt + 2) == SMCU_EYECATCHER_R;
}

int smcu_synopt_find(const u8 *opts, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		u8 opt_len;

		if (opts[pos] == OPT_END)
			break;
		if (opts[pos] == OPT_NOP) {
			pos++;
			continue;
		}
		if (len - pos < 2)
			break;
		opt_len = opts[pos + 1];
		if (opt_len < 2 || opt_len > len - pos)
			break;
		if (is_smc(opts + pos, opt_len))
			return (int)pos;
		pos += opt_len;
	}
	return -ENOENT;
}

void smcu_synopt_write(u8 *p)
{
	p[0] = OPT_NOP;
	p[1] = OPT_NOP;
	p[2] = OPT_EXP;
	p[3] = OPT_SMC_LEN;
	smcu_put_be32(p + 4, SMCU_EYECATCHER_R);
}
