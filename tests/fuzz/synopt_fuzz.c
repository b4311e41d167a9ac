// SPDX-License-Identifier: GPL-2.0
/* Any bytes as TCP options. */
#include "fuzz.h"
#include "proto/synopt.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 with[40 + SMCU_SYNOPT_LEN];
	int at = smcu_synopt_find(data, size);

	MUST(at == -ENOENT || (at >= 0 && (size_t)at + 6 <= size && data[at] == 254));
	if (at >= 0) {
		/* found in what begins there, and not in what ends there */
		MUST(smcu_synopt_find(data + at, size - at) == 0);
		MUST(smcu_synopt_find(data, at) == -ENOENT);
		MUST((size_t)at + data[at + 1] <= size);
	}
	/* in front of anything ours is found */
	if (size <= 40) {
		smcu_synopt_write(with);
		memcpy(with + SMCU_SYNOPT_LEN, data, size);
		MUST(smcu_synopt_find(with, size + SMCU_SYNOPT_LEN) == 2);
	}
	return 0;
}
