// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The state of a container. Only id, pid and one annotation are read. status is not looked at: runc and crun say different things in it at
 * the same stage, and crun another thing than the specification.
 */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "oci.h"

#define MAX_PID (1 << 22) /* the kernel's PID_MAX_LIMIT */

static bool read_id(const json_t *id, struct oci_state *state)
{
	size_t len = json_string_length(id);

	if (!json_is_string(id) || !len || len >= sizeof(state->id))
		return false;
	memcpy(state->id, json_string_value(id), len + 1);
	return strlen(state->id) == len; /* no NUL within */
}

static bool read_pid(const json_t *pid, struct oci_state *state)
{
	if (!pid)
		return true;
	if (!json_is_integer(pid) || json_integer_value(pid) < 0 || json_integer_value(pid) > MAX_PID)
		return false;
	state->pid = json_integer_value(pid);
	return true;
}

/* The specification has null for no annotations, too. */
static bool read_annotations(const json_t *annotations, struct oci_state *state)
{
	const char *value = json_string_value(json_object_get(annotations, OCI_ANNOTATION));

	if (annotations && !json_is_object(annotations) && !json_is_null(annotations))
		return false;
	state->enabled = value && (!strcmp(value, "true") || !strcmp(value, "1"));
	return true;
}

bool oci_state_parse(const char *text, size_t len, struct oci_state *state, const char **error)
{
	json_error_t where;
	json_t *root;
	bool is_good = false;

	memset(state, 0, sizeof(*state));
	*error = "it is larger than 1 MiB";
	if (len > OCI_MAX_STATE)
		return false;
	*error = "it is not JSON";
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return false;
	if (!json_is_object(root))
		*error = "it is not a JSON object";
	else if (!read_id(json_object_get(root, "id"), state))
		*error = "'id' is missing or no sensible string";
	else if (!read_pid(json_object_get(root, "pid"), state))
		*error = "'pid' is not the number of a process";
	else if (!read_annotations(json_object_get(root, "annotations"), state))
		*error = "'annotations' is not an object";
	else
		is_good = true;
	json_decref(root);
	return is_good;
}

bool oci_id_escape(const char *id, char *name, size_t size)
{
	size_t n = 0;

	for (; *id; id++) {
		if (n + 4 > size)
			return false;
		if (*id == '.')
			n += snprintf(name + n, size - n, "%%2e");
		else if (strchr("@/%", *id) || (unsigned char)*id < 0x21 || (unsigned char)*id > 0x7e)
			return false;
		else
			name[n++] = *id;
	}
	name[n] = '\0';
	return n;
}
