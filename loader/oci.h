/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * What a container runtime tells a hook: the state of the OCI runtime specification, as JSON. No I/O: the unit test and the fuzzer share it
 * with the hook.
 */
#ifndef LOADER_OCI_H
#define LOADER_OCI_H

#include <stdbool.h>
#include <stddef.h>

#define OCI_MAX_STATE (1U << 20) /* bytes; annotations can be long */
#define OCI_MAX_ID 1024
#define OCI_MAX_NAME 230 /* of a directory that stands for an id, with room for @ and a number */

#define OCI_ANNOTATION "io.smc-ulp/enable"

struct oci_state {
	char id[OCI_MAX_ID];
	long pid;     /* 0: not told, as at poststop */
	bool enabled; /* by the annotation */
};

bool oci_state_parse(const char *text, size_t len, struct oci_state *state, const char **error);
bool oci_id_escape(const char *id, char *name, size_t size);

#endif
