// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Deciding by the image: bpf/match.h, the matcher of the programs, compiled for user space. */
#include <stddef.h>

#include "smcpol.h"

typedef const struct smcpol_image *smcu_image;
#define SMCU_MATCH_FUNCTION static

static void *smcu_image_get(smcu_image image)
{
	return (void *)image;
}

static const union smcu_block *smcu_block(void *image, __u32 index)
{
	const struct smcpol_image *i = image;

	return index < i->nr_blocks ? &i->blocks[index] : NULL;
}

static void smcu_loop(__u32 nr, long (*round)(__u32 i, void *arg), void *arg)
{
	__u32 i;

	for (i = 0; i < nr && !round(i, arg); i++)
		;
}

#include "bpf/match.h"

int smcpol_image_match(const struct smcpol_image *image, const struct smcu_flow *flow)
{
	struct smcu_match match;

	if (!smcu_match_begin(&match, image) || !smcu_match_where(&match, flow) || !smcu_match_who(&match, flow))
		return SMCU_NO_MATCH;
	return smcu_match_first(&match);
}
