// SPDX-License-Identifier: GPL-2.0
/* Counters: incremented on the processor that sees the event, added up by whoever reads. */
#include <linux/percpu.h>
#include "base/base.h"

static const char * const names[SMCU_S_COUNT] = {
#define X(name, text) #name,
	SMCU_STATS(X)
#undef X
};

void smcu_stats_sum(const struct smcu_net *sn, struct smcu_stats *sum)
{
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct smcu_stats *s = per_cpu_ptr(sn->stats, cpu);

		for (i = 0; i < SMCU_S_COUNT; i++)
			sum->event[i] += READ_ONCE(s->event[i]);
		for (i = 0; i < SMCU_R_COUNT; i++)
			sum->fallback[i] += READ_ONCE(s->fallback[i]);
	}
}

const char *smcu_stats_name(enum smcu_stat s)
{
	return names[s];
}
