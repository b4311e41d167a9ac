// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Any bytes as a container's state. What is taken from it must be fit to be used: a process, a name for a directory. */
#include "fuzz.h"
#include "loader/oci.h"

static void check_name(const char *id)
{
	char name[OCI_MAX_NAME], back[OCI_MAX_NAME];
	const char *s;
	size_t n = 0;

	if (!oci_id_escape(id, name, sizeof(name)))
		return;
	MUST(*name && strlen(name) < sizeof(name));
	MUST(!strpbrk(name, "./@"));
	/* No two ids have one name: it can be undone. */
	for (s = name; *s; s++) {
		if (*s == '%')
			MUST(!strncmp(s, "%2e", 3));
		back[n++] = *s == '%' ? '.' : *s;
		if (*s == '%')
			s += 2;
	}
	back[n] = '\0';
	MUST(!strcmp(back, id));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct oci_state state;
	const char *error = NULL;

	if (oci_state_parse((const char *)data, size, &state, &error)) {
		MUST(*state.id && strlen(state.id) < sizeof(state.id));
		MUST(state.pid >= 0 && state.pid <= 1 << 22);
		check_name(state.id);
	} else {
		MUST(error && *error);
	}
	return 0;
}
