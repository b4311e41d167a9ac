// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Any text as a policy. What is accepted must survive being printed and read again, and must decide any flow as the interpreter does.
 * The flow is what follows the last NUL byte, as far as it goes.
 */
#include "fuzz.h"
#include "policy/smcpol.h"

static void agree(const struct smcpol *policy, const u8 *data, size_t size)
{
	static const u8 afs[] = { 0, 4, 6 };
	struct smcpol_image *image = smcpol_compile(policy);
	struct smcu_flow flow = { 0 };

	MUST(image);
	memcpy(&flow, data, size < sizeof(flow) ? size : sizeof(flow));
	flow.dir = flow.dir & 1 ? SMCU_DIR_IN : SMCU_DIR_OUT;
	flow.dst_af = flow.dir == SMCU_DIR_IN ? 0 : afs[flow.dst_af % 3];
	flow.src_af = afs[flow.src_af % 3];
	/* As the programs enter them: what lies behind an IPv4 address is zero. */
	if (flow.dst_af == 4)
		memset(flow.dst + 1, 0, 12);
	if (flow.src_af == 4)
		memset(flow.src + 1, 0, 12);

	MUST(smcpol_image_match(image, &flow) == smcpol_eval(policy, &flow));
	smcpol_image_free(image);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *nul = memrchr(data, 0, size);
	size_t len = nul ? (size_t)(nul - data) : size;
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy, *again;
	char *text, *text_again;

	MUST(diag);
	policy = smcpol_load("fuzz", (const char *)data, len, diag);
	MUST(!policy == !!smcpol_diag_errors(diag));
	if (policy) {
		text = smcpol_print(policy);
		again = smcpol_load("printed", text, strlen(text), diag);
		MUST(again);
		text_again = smcpol_print(again);
		MUST(!strcmp(text, text_again));
		agree(policy, nul ? nul + 1 : data, nul ? size - len - 1 : 0);
		free(text);
		free(text_again);
		smcpol_free(again);
		smcpol_free(policy);
	}
	smcpol_diag_free(diag);
	return 0;
}
