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

/**
 * struct oci_state - what is read of it
 * @id: the container's: not empty, any characters
 * @pid: of its first process, as our pid namespace numbers it; 0: not told, as at poststop
 * @enabled: by the annotation
 */
struct oci_state {
	char id[OCI_MAX_ID];
	long pid;
	bool enabled;
};

/**
 * oci_state_parse() - read a container's state
 * @text: JSON; need not be NUL-terminated
 * @len: its length in bytes; more than OCI_MAX_STATE is an error
 * @state: filled in
 * @error: where it is none, why; constant
 *
 * Return: whether it is one.
 */
bool oci_state_parse(const char *text, size_t len, struct oci_state *state, const char **error);

/**
 * oci_id_escape() - a name in bpffs for a container's id
 * @id: the container's
 * @name: filled in: dots, which bpffs reserves, become %2e; the rest of what runtimes allow is taken as it is
 * @size: of @name, in bytes
 *
 * Different ids have different names.
 *
 * Return: false if the id is empty, has other characters, or is too long.
 */
bool oci_id_escape(const char *id, char *name, size_t size);

#endif
