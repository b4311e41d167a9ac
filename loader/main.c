// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* smc-ulp-loader: finds the command in the table, parses its options by the table, runs it. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

#define MAX_OPTIONS 48
#define TRY_HELP "smc-ulp-loader %s%s--help lists what there is\n"

/* Where an option's value goes: strings and flags of struct settings, by letter. */
static void set_option(struct settings *set, int letter, const char *value)
{
	switch (letter) {
	case 'j': set->json = true; break;
	case 'v': set->verbose = true; break;
	case 'q': set->quiet = true; break;
	case 'n': set->dry_run = true; break;
	case 'a': set->all = true; break;
	case 'B': set->bpffs = value; break;
	case 'R': set->cgroup_root = value; break;
	case 'c': set->cgroup = value; break;
	case 'p': set->policy = value; break;
	case 'd': set->direction = value; break;
	case 't': set->dst = value; break;
	case 's': set->src = value; break;
	case 'P': set->port = value; break;
	case 'i': set->pid = value; break;
	case 'u': set->uid = value; break;
	case 'g': set->gid = value; break;
	case 'm': set->comm = value; break;
	case 'e': set->netns = value; break;
	case 'S': set->sort = value; break;
	case 'o': set->columns = value; break;
	case 'l': set->listen = value; break;
	case 'N': set->count = value; break;
	case 'r': set->rule = value; break;
	case 'F': set->fail_closed = true; break;
	case 'T': set->runtime = value; break;
	case 'b': set->base = value; break;
	case 'M': set->man = true; break;
	}
}

/* Options whose value can be wrong in itself. Return: false with the reason printed. */
static bool set_checked_option(struct settings *set, int letter, const char *value)
{
	static const char *const when[] = { "auto", "always", "never" };
	unsigned int i;

	if (letter == 'G') {
		for (i = 0; i < MAX_GLOBS && set->globs[i]; i++)
			;
		if (i == MAX_GLOBS)
			log_error("--cgroups can be given %d times at most", MAX_GLOBS);
		else
			set->globs[i] = value;
		return i < MAX_GLOBS;
	}
	if (letter == 'C') {
		for (i = 0; i < 3; i++) {
			if (!strcmp(value, when[i])) {
				set->color = i;
				return true;
			}
		}
		log_error("--color is auto, always or never, not '%s'", value);
		return false;
	}
	set_option(set, letter, value);
	return true;
}

/*
 * getopt_long() takes the beginning of a name for the name: --cgroup would be --cgroup-root where there is no --cgroup. It has just
 * taken name. Return: false with the reason printed.
 */
static bool is_exact(char **argv, const char *name)
{
	const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];
	int len = strcspn(word, "=");

	if (len == (int)strlen(name) + 2)
		return true;
	log_error("there is no option '%.*s' here: did you mean '--%s'?", len, word, name);
	return false;
}

/*
 * Options from argv[optind] on that are named in letters. first_only: stop at the first operand, which is the command. given, if not
 * NULL, gets the letters that were there.
 *
 * Return: 'h' or 'V' if asked for, '?' on an unknown option, else 0.
 */
static int parse(struct settings *set, int argc, char **argv, const char *letters, bool first_only, char *given)
{
	struct option longs[MAX_OPTIONS] = { 0 };
	char shorts[2 * MAX_OPTIONS + 2];
	const struct option_row *row;
	int n = 0, s = 0, seen = 0, letter, at;

	if (first_only)
		shorts[s++] = '+';
	for (row = options; row->letter && n < MAX_OPTIONS - 1; row++) {
		if (!strchr(letters, row->letter))
			continue;
		longs[n++] = (struct option){ row->name, row->metavar ? required_argument : no_argument, NULL,
					      row->letter };
		shorts[s++] = row->letter;
		if (row->metavar)
			shorts[s++] = ':';
	}
	shorts[s] = '\0';

	while (at = -1, (letter = getopt_long(argc, argv, shorts, longs, &at)) != -1) {
		if (letter != '?' && at >= 0 && !is_exact(argv, longs[at].name))
			return '?';
		if (letter == '?' || letter == 'h' || letter == 'V')
			return letter;
		if (!set_checked_option(set, letter, optarg))
			return '?';
		if (given && seen < MAX_OPTIONS - 1 && !memchr(given, letter, seen))
			given[seen++] = letter;
	}
	return 0;
}

/* What the table's marks demand. Return: false with the reason printed. */
static bool check_options(const struct settings *set, const struct command *c, const char *given)
{
	const char *o;

	if (set->columns && !strchr(c->options, 'o')) {
		log_error("%s prints no table: --output is not for it", c->name);
		return false;
	}
	for (o = c->options; *o; o++) {
		if (o[1] == '!' && !strchr(given, *o)) {
			log_error("%s needs --%s %s: %s", c->name, option_by_letter(*o)->name,
				  option_by_letter(*o)->metavar, option_by_letter(*o)->help);
			return false;
		}
		if (o[1] == '|' && !strchr(given, *o) == !strchr(given, o[2])) {
			log_error("%s needs either --%s or --%s", c->name, option_by_letter(*o)->name,
				  option_by_letter(o[2])->name);
			return false;
		}
	}
	return true;
}

/* The command named by the first one or two words; *words says by how many. */
static const struct command *find(char **argv, int argc, int *words)
{
	const struct command *c;
	char two[64];

	for (c = commands; c->name; c++) {
		*words = strchr(c->name, ' ') ? 2 : 1;
		snprintf(two, sizeof(two), "%s%s%s", argv[0], *words == 2 ? " " : "",
			 *words == 2 && argc > 1 ? argv[1] : "");
		if (!strcmp(two, c->name))
			return c;
	}
	return NULL;
}

/* No command is called so: the first word may want a second one. */
static void no_command(char **argv)
{
	size_t len = strlen(argv[0]);
	const struct command *c;
	char follow[128] = "";

	for (c = commands; c->name; c++) {
		if (!strncmp(c->name, argv[0], len) && c->name[len] == ' ')
			snprintf(follow + strlen(follow), sizeof(follow) - strlen(follow), "%s%s", *follow ? ", " : "", c->name + len + 1);
	}
	if (!*follow)
		log_error("there is no command '%s'", argv[0]);
	else if (!argv[1])
		log_error("'%s' is half a command: what follows is one of %s", argv[0], follow);
	else
		log_error("there is no command '%s %s': what follows '%s' is one of %s", argv[0], argv[1], argv[0], follow);
}

static int run(int argc, char **argv)
{
	struct settings set = { .bpffs = "/sys/fs/bpf" };
	const struct command *command;
	char letters[MAX_OPTIONS], given[MAX_OPTIONS] = "";
	int found, words, nr;

	/* A table's columns may be named before the command as well. */
	snprintf(letters, sizeof(letters), "o%s", global_options);
	found = parse(&set, argc, argv, letters, true, NULL);
	log_setup(&set);
	out_setup(&set);
	if (found == 'h')
		return cmd_help(&set, &argv[argc]);
	if (found == 'V')
		return cmd_version(&set, NULL);
	if (found) {
		fprintf(stderr, TRY_HELP, "", "");
		return EX_USAGE_ERROR;
	}
	if (optind == argc) {
		usage(stderr);
		return EX_USAGE_ERROR;
	}

	command = find(argv + optind, argc - optind, &words);
	if (!command) {
		no_command(argv + optind);
		fprintf(stderr, TRY_HELP, "", "");
		return EX_USAGE_ERROR;
	}

	/* Parse the rest as an argument vector of its own: options and operands in any order. */
	argc -= optind + words - 1;
	argv += optind + words - 1;
	argv[0] = "smc-ulp-loader";
	optind = 0;
	snprintf(letters, sizeof(letters), "%s%s", global_options, command->options);
	found = parse(&set, argc, argv, letters, command->max_operands == ANY_NUMBER, given);
	log_setup(&set);
	out_setup(&set);
	if (found == 'h') {
		usage_of(stdout, command);
		return EX_DONE;
	}
	if (found == 'V')
		return cmd_version(&set, NULL);
	nr = argc - optind;
	if (!found && ((unsigned int)nr < command->min_operands || (unsigned int)nr > command->max_operands)) {
		log_error("%s takes %s", command->name, *command->operands ? command->operands : "no operand");
		found = '?';
	}
	if (found || !check_options(&set, command, given)) {
		fprintf(stderr, TRY_HELP, command->name, " ");
		return EX_USAGE_ERROR;
	}
	return command->run(&set, argv + optind);
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	/* Output that was lost is a failure, whoever wrote it. */
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	log_error("standard output cannot be written%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
	return code == EX_DONE ? EX_FAILED : code;
}
