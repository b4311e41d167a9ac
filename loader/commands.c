// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The one table of commands and the one of options: dispatch, parsing, help, completion and the man page's synopsis come from here.
 */
#include <string.h>

#include "loader.h"

const struct option_row options[] = {
	{ 'j', "json", NULL, "print JSON" },
	{ 'o', "output", "COLUMNS", "the columns of a table, by their titles, with commas between" },
	{ 'C', "color", "WHEN", "auto, always or never; auto heeds NO_COLOR" },
	{ 'q', "quiet", NULL, "errors only" },
	{ 'v', "verbose", NULL, "show what libbpf and the verifier say" },
	{ 'B', "bpffs", "DIR", "where the BPF file system is mounted (/sys/fs/bpf)" },
	{ 'R', "cgroup-root", "DIR", "where cgroup v2 is mounted (found by itself)" },
	{ 'h', "help", NULL, "show help" },
	{ 'V', "version", NULL, "show the version" },
	{ 'c', "cgroup", "PATH", "the cgroup, by its directory or as /proc/PID/cgroup shows it" },
	{ 'p', "policy", "FILE", "the policy; - reads standard input" },
	{ 'n', "dry-run", NULL, "check everything, change nothing" },
	{ 'a', "all", NULL, "every cgroup" },
	{ 'd', "direction", "in|out", "the socket binds, or connects (out)" },
	{ 't', "dst", "ADDRESS", "the address connected to" },
	{ 's', "src", "ADDRESS", "the socket's own address" },
	{ 'P', "port", "N", "the remote port for out, the local one for in" },
	{ 'i', "pid", "N", "the process" },
	{ 'u', "uid", "USER", "the process's user, by number or name" },
	{ 'g', "gid", "GROUP", "its group" },
	{ 'm', "comm", "NAME", "its name, as ps -o comm shows it" },
	{ 'e', "netns", "NAME", "the socket's network namespace: inode number, file, or name of ip netns" },
	{ 'S', "sort", "COLUMN", "the largest first: hits, enabled or failed; or by name" },
	{ 'G', "cgroups", "GLOB", "attach to cgroups that match, also to those that appear later" },
	{ 'l', "listen", "ADDRESS", "serve metrics at HOST:PORT or a socket's /PATH; none: nowhere" },
	{ 'N', "count", "N", "end after so many" },
	{ 'r', "rule", "NAME", "only this rule's" },
	{ 'F', "fail-closed", NULL, "an error stops the container from starting" },
	{ 'T', "runtime", "NAME", "podman, crio or containerd" },
	{ 'b', "base", "FILE", "containerd's default spec (ctr oci spec), to which the hook is added" },
	{ 'M', "man", NULL, "print the man page's synopsis" },
	{ 0 },
};

const char global_options[] = "jCqvBRhV";

const struct command commands[] = {
	{ "attach", "", 0, 0, "c|apn", "select the sockets of a cgroup, or renew the programs of all that are attached", cmd_attach },
	{ "detach", "", 0, 0, "c|an", "stop selecting; sockets that exist stay what they are", cmd_detach },
	{ "status", "", 0, 0, "o", "what is attached, which policy is in force, whether it can act", cmd_status },
	{ "policy check", "FILE", 1, 1, "", "read a policy and say what is wrong with it; needs no privilege", cmd_policy_check },
	{ "policy load", "FILE", 1, 1, "n", "replace the policy in force, all at once", cmd_policy_load },
	{ "policy show", "", 0, 0, "", "print the policy in force", cmd_policy_show },
	{ "policy diff", "FILE", 1, 1, "", "say what loading a policy would change", cmd_policy_diff },
	{ "policy rollback", "", 0, 0, "n", "return to the policy before this one; again: and back", cmd_policy_rollback },
	{ "policy off", "", 0, 0, "n", "leave every socket on TCP from now on, and keep the policy", cmd_policy_off },
	{ "policy on", "", 0, 0, "n", "follow the policy again", cmd_policy_on },
	{ "explain", "", 0, 0, "pdtsPiugmce", "say which rule would decide a socket, and why not those before it", cmd_explain },
	{ "rules", "", 0, 0, "So", "how often each rule decided, and what came of it", cmd_rules },
	{ "run", "[--] PROGRAM [ARGUMENT]...", 1, ANY_NUMBER, "p", "run a program whose sockets are selected, and clean up after it", cmd_run },
	{ "daemon", "", 0, 0, "pG*l", "follow the policy file and the cgroups that come and go; serve metrics", cmd_daemon },
	{ "monitor", "", 0, 0, "rN", "print decisions as they are made", cmd_monitor },
	{ "metrics", "", 0, 0, "", "print counters as OpenMetrics text", cmd_metrics },
	{ "gc", "", 0, 0, "n", "remove what removed cgroups, containers and killed runs left", cmd_gc },
	{ "hook oci", "STAGE", 1, 1, "F", "attach a container, or clean up after it: for container runtimes", cmd_hook_oci },
	{ "hook install", "", 0, 0, "T!bn", "make a container runtime call the hook", cmd_hook_install },
	{ "features", "", 0, 0, "o", "say what this kernel and its modules can do, and why not", cmd_features },
	{ "completion bash", "", 0, 0, "", "print completion for bash", cmd_completion },
	{ "version", "", 0, 0, "", "print the version", cmd_version },
	{ "help", "[COMMAND]", 0, 2, "M", "print this, or a command's own options", cmd_help },
	{ 0 },
};

const struct option_row *option_by_letter(char letter)
{
	const struct option_row *row;

	for (row = options; row->letter != letter; row++)
		;
	return row;
}

static void print_options(FILE *out, const char *letters)
{
	const struct option_row *row;
	char left[48];

	for (row = options; row->letter; row++) {
		if (!strchr(letters, row->letter))
			continue;
		snprintf(left, sizeof(left), "-%c, --%s%s%s", row->letter, row->name, row->metavar ? " " : "",
			 row->metavar ? row->metavar : "");
		fprintf(out, "  %-26s %s\n", left, row->help);
	}
}

void usage(FILE *out)
{
	const struct command *c;
	char left[64];

	fputs("usage: smc-ulp-loader [OPTION]... COMMAND [OPTION]...\n\nCommands:\n", out);
	for (c = commands; c->name; c++) {
		snprintf(left, sizeof(left), "%s %s", c->name, c->operands);
		fprintf(out, "  %-26s %s\n", left, c->help);
	}
	fputs("\nOptions of every command:\n", out);
	print_options(out, global_options);
	fputs("\nCOMMAND --help shows a command's own options. Exit codes: 0 done, 1 failed, 2 usage, 3 degraded (nothing attached,\n"
	      "or connections stay on TCP), 4 not supported by this kernel, 5 invalid policy.\n",
	      out);
}

/* What a synopsis looks like: plain, or in scdoc's marks. */
struct marks {
	const char *command, *value;
};

static void print_option(FILE *out, const struct marks *m, char letter)
{
	const struct option_row *row = option_by_letter(letter);

	fprintf(out, "%s--%s%s", m->command, row->name, m->command);
	if (row->metavar)
		fprintf(out, " %s%s%s", m->value, row->metavar, m->value);
}

/* A command with its own options and operands, as "attach --cgroup PATH [--policy FILE] [--dry-run]". */
static void print_synopsis(FILE *out, const struct marks *m, const struct command *c)
{
	const char *o;

	fprintf(out, "%s%s%s", m->command, c->name, m->command);
	for (o = c->options; *o; o++) {
		if (o[1] == '!') {
			fputc(' ', out);
			print_option(out, m, *o++);
		} else if (o[1] == '|') {
			fputs(" {", out);
			print_option(out, m, *o);
			fputs(" | ", out);
			print_option(out, m, o[2]);
			fputc('}', out);
			o += 2;
		} else {
			fputs(" [", out);
			print_option(out, m, *o);
			fputs(o[1] == '*' ? "]..." : "]", out);
			o += o[1] == '*';
		}
	}
	if (*c->operands)
		fprintf(out, " %s%s%s", m->value, c->operands, m->value);
	fputc('\n', out);
}

void usage_of(FILE *out, const struct command *c)
{
	static const struct marks plain = { "", "" };

	fputs("usage: smc-ulp-loader ", out);
	print_synopsis(out, &plain, c);
	fprintf(out, "\n%c%s.\n", *c->help - 'a' + 'A', c->help + 1);
	if (*c->options) {
		fputs("\nOptions:\n", out);
		print_options(out, c->options);
	}
	fputs("\nOptions of every command:\n", out);
	print_options(out, global_options);
}

/* The lines between SYNOPSIS and DESCRIPTION of docs/man/smc-ulp-loader.8.scd; a test compares. */
static void print_man(void)
{
	static const struct marks scdoc = { "*", "_" };
	const struct command *c;

	puts("*smc-ulp-loader* [_OPTION_]... _COMMAND_ [_OPTION_]...\n");
	for (c = commands; c->name; c++) {
		fputs("*smc-ulp-loader* ", stdout);
		print_synopsis(stdout, &scdoc, c);
		if (c[1].name)
			putchar('\n');
	}
}

int cmd_help(const struct settings *set, char **operands)
{
	const struct command *c;
	size_t len;
	int found = 0;

	if (set->man) {
		print_man();
		return EX_DONE;
	}
	if (!operands[0]) {
		usage(stdout);
		return EX_DONE;
	}
	/* One word may stand for all commands that begin with it. */
	for (c = commands; c->name; c++) {
		len = strlen(operands[0]);
		if (strncmp(c->name, operands[0], len) || (c->name[len] && c->name[len] != ' ') ||
		    (operands[1] && (!c->name[len] || strcmp(c->name + len + 1, operands[1]))))
			continue;
		if (found++)
			putchar('\n');
		usage_of(stdout, c);
	}
	if (found)
		return EX_DONE;
	log_error("there is no command '%s%s%s': smc-ulp-loader help lists those there are", operands[0],
		  operands[1] ? " " : "", operands[1] ? operands[1] : "");
	return EX_USAGE_ERROR;
}

int cmd_version(const struct settings *set, char **operands)
{
	(void)operands;
	if (set->json)
		return out_json(json_pack("{s:s, s:i}", "version", VERSION, "policy_abi", SMCU_POLICY_ABI));
	printf("smc-ulp-loader %s (policy ABI %d)\n", VERSION, SMCU_POLICY_ABI);
	return EX_DONE;
}

/* Words of the long options named by letters. */
static void print_words(const char *letters)
{
	const struct option_row *row;

	for (row = options; row->letter; row++) {
		if (strchr(letters, row->letter))
			printf(" --%s", row->name);
	}
}

/* First words once each: "policy" stands for all its commands, which stand side by side in the table. */
static void print_first_words(void)
{
	const struct command *c;
	size_t len, last = 0;

	for (c = commands; c->name; c++) {
		len = strcspn(c->name, " ");
		if (c == commands || len != last || strncmp(c->name, c[-1].name, len))
			printf(" %.*s", (int)len, c->name);
		last = len;
	}
}

/* What completes an option's value: directories, files, or words of its own. */
static void print_values(void)
{
	puts("\t--cgroup | --bpffs | --cgroup-root) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;");
	puts("\t--policy | --base | check | load | diff) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;");
	puts("\t--color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- \"$cur\"); return ;;");
	puts("\t--runtime) mapfile -t COMPREPLY < <(compgen -W 'podman crio containerd' -- \"$cur\"); return ;;");
	puts("\toci) mapfile -t COMPREPLY < <(compgen -W 'createRuntime poststop' -- \"$cur\"); return ;;");
}

int cmd_completion(const struct settings *set, char **operands)
{
	const struct command *c;
	const char *space;

	(void)set;
	(void)operands;
	puts("# bash completion for smc-ulp-loader, printed by `smc-ulp-loader completion bash`");
	puts("_smc_ulp_loader()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i words=()");
	puts("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\t[[ ${COMP_WORDS[i]} == -* ]] || words+=(\"${COMP_WORDS[i]}\")\n\tdone");
	puts("\tlocal options=");
	puts("\t[[ $cur == -* ]] || case $prev in");
	print_values();
	puts("\tesac");
	puts("\tcase \"${words[*]:0:2}\" in");
	for (c = commands; c->name; c++) {
		space = strchr(c->name, ' ');
		printf("\t%s%s%s*) options=\"", space ? "\"" : "", c->name, space ? "\"" : "");
		print_words(c->options);
		puts("\" ;;");
		if (space && (c == commands || strncmp(c->name, c[-1].name, space - c->name + 1))) {
			const struct command *s;

			printf("\t%.*s) options=\"", (int)(space - c->name), c->name);
			for (s = c; s->name && !strncmp(s->name, c->name, space - c->name + 1); s++)
				printf(" %s", s->name + (space - c->name) + 1);
			puts("\" ;;");
		}
	}
	printf("\t\"\") options=\"");
	print_first_words();
	puts("\" ;;\n\tesac");
	printf("\t[[ $cur == -* ]] && options+=\"");
	print_words(global_options);
	puts("\"\n\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n}");
	puts("complete -o filenames -F _smc_ulp_loader smc-ulp-loader");
	return EX_DONE;
}
