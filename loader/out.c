// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Data to stdout: JSON as it is, or an array of objects as a table. */
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

int out_json(json_t *value)
{
	int err = !value || json_dumpf(value, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;

	if (!value)
		log_error("JSON cannot be made of it: out of memory, or a text that is not UTF-8");
	json_decref(value);
	return err ? EX_FAILED : EX_DONE;
}

char *out_name(const char *name)
{
	char *out = name ? malloc(4 * strlen(name) + 1) : NULL, *to = out;

	for (; out && *name; name++)
		to += sprintf(to, *name < ' ' || *name > '~' ? "\\x%02x" : "%c", (unsigned char)*name);
	if (out)
		*to = '\0';
	return out;
}

static const char *wanted; /* -o, or NULL */
static bool is_colored;

void out_setup(const struct settings *set)
{
	wanted = set->columns;
	is_colored = color_wanted(set, STDOUT_FILENO);
}

static void cell(struct libscols_line *line, size_t index, const json_t *value, bool is_state)
{
	struct libscols_cell *c = scols_line_get_cell(line, index);
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
	if (is_state && is_colored && c)
		scols_cell_set_color(c, !strcmp(text, "yes") || !strcmp(text, "attached") ? "green" : "red");
}

#define MAX_COLUMNS 16

static const struct column *column_by_name(const struct column *columns, const char *name, size_t len)
{
	for (; columns->key; columns++) {
		if (strlen(columns->title) == len && !strncasecmp(columns->title, name, len))
			return columns;
	}
	return NULL;
}

/* Which columns, in which order. Return: how many, or -1 with the reason printed. */
static int choose(const struct column *columns, const struct column *chosen[MAX_COLUMNS])
{
	const struct column *c;
	const char *name = wanted;
	int nr = 0;
	size_t len;

	if (!wanted) {
		for (c = columns; c->key && nr < MAX_COLUMNS; c++)
			chosen[nr++] = c;
		return nr;
	}
	for (; nr < MAX_COLUMNS; name += len + 1) {
		len = strcspn(name, ",");
		c = column_by_name(columns, name, len);
		if (!c) {
			char there[256] = "";
			FILE *f = fmemopen(there, sizeof(there), "w");

			for (c = columns; f && c->key; c++)
				fprintf(f, "%s%s", c == columns ? "" : ", ", c->title);
			if (f)
				fclose(f);
			log_error("there is no column '%.*s': there are %s", (int)len, name, there);
			return -1;
		}
		chosen[nr++] = c;
		if (!name[len])
			break;
	}
	return nr;
}

int out_table(json_t *rows, const struct column *columns)
{
	const struct column *chosen[MAX_COLUMNS];
	struct libscols_table *table;
	struct libscols_line *line;
	int c, nr, err;
	json_t *row;
	size_t i;

	nr = choose(columns, chosen);
	if (nr < 0)
		return EX_USAGE_ERROR;
	table = scols_new_table();
	if (!table)
		return EX_FAILED;
	scols_table_enable_colors(table, is_colored);
	for (c = 0; c < nr; c++)
		scols_table_new_column(table, chosen[c]->title, 0, chosen[c]->is_right ? SCOLS_FL_RIGHT : 0);
	json_array_foreach(rows, i, row) {
		line = scols_table_new_line(table, NULL);
		for (c = 0; line && c < nr; c++)
			cell(line, c, json_object_get(row, chosen[c]->key), chosen[c]->is_state);
	}
	err = scols_print_table(table);
	scols_unref_table(table);
	return err ? EX_FAILED : EX_DONE;
}
