// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Data to stdout: JSON as it is, or an array of objects as a table. */
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

/* Takes the reference. Return: an exit code. */
int out_json(json_t *value)
{
	int err = !value || json_dumpf(value, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;

	json_decref(value);
	return err ? EX_FAILED : EX_DONE;
}

static void cell(struct libscols_line *line, size_t index, const json_t *value)
{
	char number[32];
	const char *text = "-";

	if (json_is_string(value)) {
		text = json_string_value(value);
	} else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		text = number;
	} else if (json_is_boolean(value)) {
		text = json_is_true(value) ? "yes" : "no";
	}
	scols_line_set_data(line, index, text);
}

/* columns ends with a NULL key. Does not take the reference. */
void out_table(json_t *rows, const struct column *columns)
{
	struct libscols_table *table = scols_new_table();
	struct libscols_line *line;
	json_t *row;
	size_t i, c;

	if (!table)
		return;
	for (c = 0; columns[c].key; c++)
		scols_table_new_column(table, columns[c].title, 0, columns[c].is_right ? SCOLS_FL_RIGHT : 0);
	json_array_foreach(rows, i, row) {
		line = scols_table_new_line(table, NULL);
		for (c = 0; line && columns[c].key; c++)
			cell(line, c, json_object_get(row, columns[c].key));
	}
	scols_print_table(table);
	scols_unref_table(table);
}
