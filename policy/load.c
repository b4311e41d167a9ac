// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * YAML text to a tree whose nodes know their place. Built from libyaml's events, not its documents: an alias is then seen as one and
 * refused, and size and depth are bounded while reading. What a policy has no use for (anchors, aliases, tags, more than one document) is
 * an error, so that no reader has to know what it would do.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "ast.h"

#define MAX_DEPTH 8	 /* a policy uses five */
#define MAX_NODES 262144 /* more than MAX_TEXT can sensibly hold */

struct loader {
	const struct source *src;
	yaml_parser_t parser;
	unsigned int nodes;
};

static struct pos pos_of(const yaml_event_t *event)
{
	struct pos pos = { event->start_mark.line + 1, event->start_mark.column + 1, 1 };

	if (event->end_mark.line == event->start_mark.line && event->end_mark.column > event->start_mark.column)
		pos.len = event->end_mark.column - event->start_mark.column;
	return pos;
}

static bool next_event(struct loader *l, yaml_event_t *event)
{
	if (yaml_parser_parse(&l->parser, event))
		return true;

	diag_error(l->src,
		   (struct pos){ l->parser.problem_mark.line + 1, l->parser.problem_mark.column + 1, 1 },
		   "not YAML: %s%s%s", l->parser.problem ? l->parser.problem : "unreadable",
		   l->parser.context ? " " : "", l->parser.context ? l->parser.context : "");
	return false;
}

/* Anchors and tags change what a node means to some readers and not to others. */
static bool is_plain(struct loader *l, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor) {
		diag_error(l->src, pos_of(event), "anchors and aliases are not supported: write the value out");
		return false;
	}
	if (tag) {
		diag_error(l->src, pos_of(event), "tags are not supported: remove '%s'", (const char *)tag);
		return false;
	}
	return true;
}

static struct node *node_new(struct loader *l, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node;

	if (++l->nodes > MAX_NODES) {
		diag_error(l->src, pos_of(event), "too many values (more than %d)", MAX_NODES);
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (!node) {
		diag_error(l->src, pos_of(event), "out of memory");
		return NULL;
	}
	node->kind = kind;
	node->pos = pos_of(event);
	return node;
}

static struct node *load_scalar(struct loader *l, const yaml_event_t *event)
{
	struct node *node;

	if (!is_plain(l, event, event->data.scalar.anchor, event->data.scalar.tag))
		return NULL;
	if (memchr(event->data.scalar.value, '\0', event->data.scalar.length)) {
		diag_error(l->src, pos_of(event), "a NUL character in a value");
		return NULL;
	}
	node = node_new(l, event, NODE_SCALAR);
	if (!node)
		return NULL;
	node->text = strdup((const char *)event->data.scalar.value);
	if (!node->text) {
		free(node);
		return NULL;
	}
	return node;
}

/* The node that begins with event. Recursion is as deep as MAX_DEPTH. */
static struct node *load_node(struct loader *l, const yaml_event_t *event, int depth)
{
	struct node *node, **tail;
	yaml_event_type_t end;
	yaml_event_t inner;

	if (depth > MAX_DEPTH) {
		diag_error(l->src, pos_of(event), "nested too deeply (more than %d levels)", MAX_DEPTH);
		return NULL;
	}

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return load_scalar(l, event);
	case YAML_SEQUENCE_START_EVENT:
		if (!is_plain(l, event, event->data.sequence_start.anchor, event->data.sequence_start.tag))
			return NULL;
		node = node_new(l, event, NODE_LIST);
		end = YAML_SEQUENCE_END_EVENT;
		break;
	case YAML_MAPPING_START_EVENT:
		if (!is_plain(l, event, event->data.mapping_start.anchor, event->data.mapping_start.tag))
			return NULL;
		node = node_new(l, event, NODE_MAP);
		end = YAML_MAPPING_END_EVENT;
		break;
	default:
		diag_error(l->src, pos_of(event), "anchors and aliases are not supported: write the value out");
		return NULL;
	}
	if (!node)
		return NULL;

	for (tail = &node->child;; tail = &(*tail)->next) {
		bool is_end;

		if (!next_event(l, &inner))
			goto err_free_node;
		is_end = inner.type == end;
		if (!is_end)
			*tail = load_node(l, &inner, depth + 1);
		yaml_event_delete(&inner);
		if (is_end)
			return node;
		if (!*tail)
			goto err_free_node;
	}

err_free_node:
	node_free(node);
	return NULL;
}

static bool expect(struct loader *l, yaml_event_type_t type)
{
	yaml_event_t event;
	bool ok;

	if (!next_event(l, &event))
		return false;
	ok = event.type == type;
	if (!ok && type == YAML_STREAM_END_EVENT)
		diag_error(l->src, pos_of(&event), "a second document: a policy is one document");
	else if (!ok)
		diag_error(l->src, pos_of(&event), "the policy is empty");
	yaml_event_delete(&event);
	return ok;
}

struct node *node_load(const struct source *src)
{
	struct loader l = { .src = src };
	struct node *root = NULL;
	yaml_event_t event;

	if (src->len > SMCPOL_MAX_TEXT) {
		diag_error(src, (struct pos){ 1, 1, 1 }, "too large: %zu bytes, at most %u are read", src->len,
			   SMCPOL_MAX_TEXT);
		return NULL;
	}
	if (!yaml_parser_initialize(&l.parser)) {
		diag_error(src, (struct pos){ 1, 1, 1 }, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)src->text, src->len);

	if (expect(&l, YAML_STREAM_START_EVENT) && expect(&l, YAML_DOCUMENT_START_EVENT) &&
	    next_event(&l, &event)) {
		root = load_node(&l, &event, 1);
		yaml_event_delete(&event);
		if (root && !(expect(&l, YAML_DOCUMENT_END_EVENT) && expect(&l, YAML_STREAM_END_EVENT))) {
			node_free(root);
			root = NULL;
		}
	}
	yaml_parser_delete(&l.parser);
	return root;
}

void node_free(struct node *node)
{
	while (node) {
		struct node *next = node->next;

		node_free(node->child);
		free(node->text);
		free(node);
		node = next;
	}
}
