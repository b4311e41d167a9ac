// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Any text as a policy. What is accepted must survive being printed and read again, and must decide any flow as the interpreter does.
 * The flow is what follows the last NUL byte, as far as it goes; the rest is the cgroup's path.
 */
#include "fuzz.h"
#include "policy/smcpol.h"

#define MAX_PATH 64

/* Bytes to a path without names of dots. As a command line may have it: with empty names, and with a '/' at its end. */
static void make_path(char *path, const u8 *data, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-_0123456789\\ .";
	size_t i, n = 0;

	path[n++] = '/';
	for (i = 0; i < size && n < MAX_PATH - 2; i++) {
		bool is_first = path[n - 1] == '/';

		path[n++] = data[i] == '/' ? '/' : letters[data[i] % (is_first ? 36 : sizeof(letters) - 1)];
	}
	path[n] = '\0';
}

static bool resolve(void *arg, enum smcpol_name kind, const char *name, __u32 *number)
{
	*number = kind + *name;
	return *name != 'x';
}

static const struct smcpol_resolver resolver = { resolve, NULL };

static void agree(const struct smcpol *policy, const u8 *data, size_t size)
{
	struct smcpol_image *image = smcpol_compile(policy);
	struct smcu_policy_cgroup sets;
	struct smcu_flow flow = { 0 };
	size_t head = size < sizeof(flow) ? size : sizeof(flow);
	char path[MAX_PATH];
	int rule;

	MUST(image);
	memcpy(&flow, data, head);
	make_path(path, data + head, size - head);
	flow.dir &= 1;
	flow.known |= 1U << SMCU_DIM_DIR;
	flow.dst_af = flow.dst_af & 1 ? 4 : 6;
	flow.src_af = flow.src_af & 1 ? 4 : 6;
	memset(flow.comm + strnlen(flow.comm, SMCU_COMM_LEN - 1), 0, SMCU_COMM_LEN - strnlen(flow.comm, SMCU_COMM_LEN - 1));

	MUST(smcpol_image_reserve(image, 2));
	MUST(smcpol_image_cgroup(image->blocks, policy, path, &sets));
	flow.cgroup = sets.self;
	rule = smcpol_eval(policy, &flow, flow.known >> SMCU_DIM_CGROUP & 1 ? path : NULL);
	MUST(smcpol_image_match(image, &flow) == rule);
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
	policy = smcpol_load_named("fuzz", (const char *)data, len, &resolver, diag);
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
