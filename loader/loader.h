/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * What the files of smc-ulp-loader know of each other. main.c dispatches by the table in commands.c; a cmd_*.c does one thing and
 * owns its output; attach.c, maps.c, features.c and cgroup.c touch the kernel and print nothing but errors (log.h).
 */
#ifndef LOADER_H
#define LOADER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/smcpol.h"

/* Exit codes, as the man page lists them. */
enum { EX_DONE = 0, EX_FAILED = 1, EX_USAGE_ERROR = 2, EX_DEGRADED = 3, EX_UNSUPPORTED = 4, EX_BAD_POLICY = 5 };

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

#define MAX_GLOBS 32

/**
 * struct settings - what the command line said. Texts are as they were given, of argv, and NULL where nothing was
 * @json: --json
 * @verbose: --verbose
 * @quiet: --quiet
 * @dry_run: --dry-run
 * @all: --all
 * @fail_closed: --fail-closed
 * @man: --man
 * @color: --color
 * @columns: --output
 * @globs: --cgroups of the daemon; NULL at the end
 * @listen: --listen
 * @count: --count
 * @rule: --rule
 * @runtime: --runtime
 * @base: --base
 * @bpffs: --bpffs, else /sys/fs/bpf
 * @cgroup_root: --cgroup-root
 * @cgroup: --cgroup
 * @policy: --policy
 * @direction: --direction
 * @dst: --dst
 * @src: --src
 * @port: --port
 * @pid: --pid
 * @uid: --uid
 * @gid: --gid
 * @comm: --comm
 * @netns: --netns
 * @sort: --sort
 */
struct settings {
	bool json;
	bool verbose;
	bool quiet;
	bool dry_run;
	bool all;
	bool fail_closed;
	bool man;
	enum color_when color;
	const char *columns;
	const char *globs[MAX_GLOBS + 1];
	const char *listen;
	const char *count;
	const char *rule;
	const char *runtime;
	const char *base;
	const char *bpffs;
	const char *cgroup_root;
	const char *cgroup;
	const char *policy;
	const char *direction;
	const char *dst;
	const char *src;
	const char *port;
	const char *pid;
	const char *uid;
	const char *gid;
	const char *comm;
	const char *netns;
	const char *sort;
};

/* commands.c: the one table. */

/**
 * struct option_row - an option, of whichever commands
 * @letter: its short form, and what a command's list of options names it by; 0 ends the table
 * @name: its long form, without dashes
 * @metavar: what its value is called; NULL: it takes none
 * @help: one line
 */
struct option_row {
	char letter;
	const char *name;
	const char *metavar;
	const char *help;
};

/**
 * typedef command_fn - does what a command of the table is for, and prints the result to stdout, and why it failed to stderr
 * @set: what the command line said
 * @operands: as many as the table allows, then a NULL
 *
 * Return: an exit code; of run, the program's.
 */
typedef int command_fn(const struct settings *set, char **operands);

/**
 * struct command - a command
 * @name: one word or two; NULL ends the table
 * @operands: what they are called, or ""
 * @min_operands: so many at least
 * @max_operands: so many at most; ANY_NUMBER: options after the first one are the operand's own
 * @options: letters of options[], beside those of global_options. "c!" must be given, "c|a" is exactly one of the two, "G*" may be
 *           given several times; what bears no mark is optional
 * @help: one line
 * @run: does it
 */
struct command {
	const char *name;
	const char *operands;
	unsigned int min_operands;
	unsigned int max_operands;
	const char *options;
	const char *help;
	command_fn *run;
};

#define ANY_NUMBER 1000000

extern const struct option_row options[];
extern const struct command commands[];
extern const char global_options[]; /* letters of options[] that every command takes */

/**
 * usage() - print the commands, and the options of every command
 * @out: to where
 */
void usage(FILE *out);

/**
 * usage_of() - print a command's synopsis and options
 * @out: to where
 * @command: the command
 */
void usage_of(FILE *out, const struct command *command);

/**
 * option_by_letter() - an option's row
 * @letter: one that the table has
 *
 * Return: the row.
 */
const struct option_row *option_by_letter(char letter);

/* cmd_*.c, commands.c */
command_fn cmd_attach, cmd_detach, cmd_status, cmd_features;
command_fn cmd_policy_check, cmd_policy_load, cmd_policy_show, cmd_policy_diff, cmd_policy_rollback, cmd_policy_off, cmd_policy_on;
command_fn cmd_explain, cmd_rules, cmd_run, cmd_daemon, cmd_monitor, cmd_metrics, cmd_gc, cmd_hook_oci, cmd_hook_install;
command_fn cmd_completion, cmd_version, cmd_help;

/* log.c: to stderr, or the journal there. An error says what to do. */

/**
 * log_error() - print an error
 * @fmt: as of printf(), without a newline
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_warning() - print a warning, unless --quiet
 * @fmt: as of printf(), without a newline
 */
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_info() - print what was done, unless --quiet
 * @fmt: as of printf(), without a newline
 */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_setup() - heed --verbose, --quiet and --color. May be called again, with what a command's own options changed
 * @set: settings; not kept
 */
void log_setup(const struct settings *set);

/**
 * log_to_syslog() - from now on, to syslog as well: for a program whose stderr nobody keeps
 */
void log_to_syslog(void);

/**
 * log_libbpf_replay() - after a failure, print the tail of what libbpf had to say about it; once
 */
void log_libbpf_replay(void);

/**
 * color_wanted() - --color decides; else NO_COLOR (no-color.org), else whether somebody looks
 * @set: settings
 * @fd: where output goes
 *
 * Return: whether to use colours.
 */
bool color_wanted(const struct settings *set, int fd);

/* out.c: one description of the data, printed as a table or as JSON. */

/**
 * struct column - a column of a table
 * @key: member of the rows' objects that it shows; NULL ends the table's list
 * @title: its head, and what --output names it by
 * @is_right: aligned to the right
 * @is_state: coloured: a boolean, or "attached" as opposed to anything else
 */
struct column {
	const char *key;
	const char *title;
	bool is_right;
	bool is_state;
};

/**
 * out_setup() - heed --output and --color. May be called again
 * @set: settings; its columns are kept
 */
void out_setup(const struct settings *set);

/**
 * out_json() - print JSON, and a newline
 * @value: the reference is taken; NULL: it could not be made, which is said
 *
 * Return: EX_DONE or EX_FAILED.
 */
int out_json(json_t *value);

/**
 * out_name() - a name that anybody may have given, a cgroup's: no terminal is to be steered by it, and JSON takes UTF-8 only
 * @name: the name, or NULL
 *
 * Return: it, with \xNN in place of what is not printable ASCII, as in systemd's names; to be freed. NULL for NULL, or without memory.
 */
char *out_name(const char *name);

/**
 * out_table() - print a table, of the columns that --output names
 * @rows: an array of objects; the reference is not taken
 * @columns: those there are, at most 16
 *
 * Return: EX_DONE, EX_FAILED, or EX_USAGE_ERROR where --output names one there is not, with the reason printed.
 */
int out_table(json_t *rows, const struct column *columns);

/* cgroup.c: cgroups of version 2. An id is a directory's inode number. */

/**
 * struct cgroup_mount - where the hierarchy is seen
 * @path: of its mount, without '/' at the end; NULL: mounted nowhere
 * @is_hybrid: v1 hierarchies are mounted as well
 * @is_partial: not the host's whole hierarchy: a container's view
 */
struct cgroup_mount {
	char *path;
	bool is_hybrid;
	bool is_partial;
};

#define MAX_CGROUP_DEPTH 64

/**
 * cgroup_path_clean() - leave one '/' between names and none at the end
 * @path: changed in place; may become ""
 *
 * Completion leaves one at the end, and paths are compared and cut by their length.
 */
void cgroup_path_clean(char *path);

/**
 * cgroup_mount_find() - where cgroup v2 is mounted; a hybrid system has it apart from the v1 hierarchies
 * @set: --cgroup-root is taken as it is
 * @mount: filled in; to be freed by cgroup_mount_free()
 *
 * Several mounts show the same hierarchy, but in a container some show only its own part: one that shows everything is preferred.
 */
void cgroup_mount_find(const struct settings *set, struct cgroup_mount *mount);

/**
 * cgroup_mount_free() - free what is in it
 * @mount: the mount; all zero afterwards
 */
void cgroup_mount_free(struct cgroup_mount *mount);

/**
 * cgroup_of_process() - the cgroup of a process, from /proc/PID/cgroup
 * @pid: its number, or "self"
 * @below: its path below the mount, beginning with '/'; to be freed
 *
 * Return: 0, or -1 with the reason printed and @below not to be freed.
 */
int cgroup_of_process(const char *pid, char **below);

/**
 * cgroup_ancestors() - the ids of a cgroup and of those it lies in, the nearest first; the root's only for the root itself
 * @root: the mount
 * @path: the cgroup, below it
 * @ids: filled in; what lies further up than there is room is left out
 *
 * Return: how many, or -errno.
 */
int cgroup_ancestors(const char *root, const char *path, uint64_t ids[MAX_CGROUP_DEPTH]);

/**
 * cgroup_open() - open a cgroup
 * @set: settings
 * @path: of its directory, or below the mount as in /proc/PID/cgroup
 * @resolved: its directory's real path, to be freed; NULL without memory. Only on success
 * @id: its id; only on success
 *
 * Return: the descriptor, or -1 with the reason printed.
 */
int cgroup_open(const struct settings *set, const char *path, char **resolved, uint64_t *id);

/**
 * cgroup_path() - the path of a cgroup
 * @set: settings
 * @id: the cgroup's
 *
 * Return: its directory, to be freed; NULL if it is gone or we may not look.
 */
char *cgroup_path(const struct settings *set, uint64_t id);

/**
 * cgroup_is_root() - is it the hierarchy's root
 * @fd: a cgroup's directory
 *
 * Return: whether it is.
 */
bool cgroup_is_root(int fd);

/**
 * cgroup_becomes_empty() - wait until neither it nor one below it has a process
 * @path: of its directory
 * @ms: how long a change may take, in milliseconds
 *
 * Return: whether it has none; what cannot be read has none.
 */
bool cgroup_becomes_empty(const char *path, int ms);

/* features.c: what this kernel offers now. */
enum way { WAY_NONE, WAY_SETSOCKOPT, WAY_KFUNC };

/**
 * struct features - what this kernel offers
 * @has_module: smc_ulp is loaded
 * @has_redirect: smc_ulp_bpf is
 * @has_kfunc: smc_ulp's BTF names the kfunc; whether this kernel admits it is known only by loading programs
 * @way: by which of them programs will enable sockets; after loading (control_attach()): do
 */
struct features {
	bool has_module;
	bool has_redirect;
	bool has_kfunc;
	enum way way;
};

/**
 * features_probe() - ask the kernel
 * @f: filled in
 */
void features_probe(struct features *f);

/**
 * kernel_has_btf() - libbpf needs it to load programs that name a kfunc, even if they do not call it
 *
 * Return: whether the kernel shows its BTF.
 */
bool kernel_has_btf(void);

/**
 * probes_report() - everything this program stands on, asked of the kernel one by one (probes.c)
 * @set: settings
 * @f: from features_probe()
 *
 * Return: a new reference: an array of {feature, available, detail}; where something is missing, detail says what to do.
 */
json_t *probes_report(const struct settings *set, const struct features *f);

/**
 * modules_would_help() - where no socket can be enabled: would that change if a module was loaded (probes.c)
 * @f: from features_probe()
 *
 * Not if the kernel lacks what programs need, takes no modules, or its own smc has the ULP's name. What we may not try is not held
 * against it.
 *
 * Return: whether it would.
 */
bool modules_would_help(const struct features *f);

/**
 * way_name() - for JSON
 * @way: the way
 *
 * Return: "kfunc", "setsockopt" or "none".
 */
const char *way_name(enum way way);

/**
 * features_can_enable() - after programs were loaded: can they enable a socket
 * @f: features, whose way is what they use
 *
 * Return: whether they can.
 */
bool features_can_enable(const struct features *f);

/**
 * features_warn() - where something was attached that cannot enable a socket, say so and what to do
 * @f: as of features_can_enable()
 */
void features_warn(const struct features *f);

/* pins.c: where everything lives under bpffs, held by one loader at a time. */

/**
 * struct pins - our directories, by their paths
 * @dir: smc-ulp/vN
 * @links: smc-ulp/vN/links, and so on
 * @programs: one for each hook
 * @containers: a directory for each container that a hook attached: its id, @, its cgroup's id
 * @maps: the policy's, and the ring of events
 * @cgroup_root: --cgroup-root, or NULL; of the settings
 * @lock: descriptor of @dir that holds the lock on it, or -1
 */
struct pins {
	char *dir;
	char *links;
	char *programs;
	char *containers;
	char *maps;
	const char *cgroup_root;
	int lock;
};

#define PINS_FRESH "new" /* a pin on its way to its name */
#define RUN_INFIX "-run-"
#define RUN_CGROUP "smc-ulp-run-"

/**
 * pins_open() - find our directories and lock them, which may wait for another loader
 * @pins: filled in; to be closed by pins_close() if this returns 1
 * @set: settings
 * @create: make them if they are not there
 *
 * Return: 1 when open, 0 when there is none and @create is false, -1 with the reason printed.
 */
int pins_open(struct pins *pins, const struct settings *set, bool create);

/**
 * pins_open_named() - likewise, those of a run
 * @pins: filled in
 * @set: settings
 * @name: of the directory in smc-ulp
 * @create: make them if they are not there
 *
 * Return: as pins_open().
 */
int pins_open_named(struct pins *pins, const struct settings *set, const char *name, bool create);

/**
 * pins_run_name() - the directory of a run, by its process
 * @name: filled in
 * @size: of @name, in bytes
 * @pid: the process
 */
void pins_run_name(char *name, size_t size, int pid);

/**
 * pins_top() - the directory of all our directories
 * @set: settings
 *
 * Return: its path, to be freed.
 */
char *pins_top(const struct settings *set);

/**
 * pins_close() - give up the lock and free what is in it
 * @pins: from pins_open()
 */
void pins_close(struct pins *pins);

/**
 * pins_remove() - remove the directories as far as they are empty; another ABI's version may live beside ours
 * @pins: open
 */
void pins_remove(const struct pins *pins);

/**
 * pins_put() - pin under a name, in place of what was there: never a moment without it
 * @fd: a BPF object; stays open
 * @dir: a directory in bpffs
 * @name: in it
 *
 * Return: 0 or -errno.
 */
int pins_put(int fd, const char *dir, const char *name);

/**
 * pins_try_lock() - lock a directory, or see that somebody else has
 * @directory: its path
 *
 * Return: the descriptor that holds the lock, or -1 with errno; EWOULDBLOCK: somebody else has it.
 */
int pins_try_lock(const char *directory);

/**
 * daemon_lock() - say that the daemon runs, by a lock that nobody else takes: the kernel gives it up when it dies in whatever way
 * @pins: open
 *
 * Return: as pins_try_lock(); EWOULDBLOCK: another one runs.
 */
int daemon_lock(const struct pins *pins);

/**
 * daemon_is_running() - does a daemon run
 * @pins: open
 *
 * Return: whether it does.
 */
bool daemon_is_running(const struct pins *pins);

/**
 * path_join() - DIR/NAME
 * @dir: a path
 * @name: slashes it begins with are left out
 *
 * Return: to be freed. Never NULL: without memory there is nothing sensible left to do in so small a program, and it ends.
 */
char *path_join(const char *dir, const char *name);

/* maps.c: the policy's generations. */

/**
 * struct maps - the policy's maps, open
 * @state: descriptor of the map with one struct smcu_policy_state
 * @images: of the map-in-map of images
 * @rules: of records
 * @cgroups: of hashes of cgroups
 * @word: the element of @state, mapped: the programs see what is written
 */
struct maps {
	int state;
	int images;
	int rules;
	int cgroups;
	volatile struct smcu_policy_state *word;
};

/**
 * struct policy_info - a policy in force and what it decided
 * @generation: its number
 * @loaded: when, in seconds since 1970
 * @text: canonical
 * @nr_records: of @records: its rules and the default
 * @records: a copy; the default's is the first
 * @past: by SMCU_ACTION_*: with the records' hits, what was decided since the first policy
 */
struct policy_info {
	unsigned int generation;
	uint64_t loaded;
	char *text;
	unsigned int nr_records;
	struct smcu_policy_rule *records;
	uint64_t past[2];
};

/**
 * maps_open() - open the pinned maps
 * @maps: filled in; to be closed by maps_close()
 * @pins: open
 *
 * Return: 0, or -errno with nothing printed: -ENOENT is how "nothing attached" looks. Only of maps of another build (-EPROTO) the
 * reason is printed.
 */
int maps_open(struct maps *maps, const struct pins *pins);

/**
 * maps_close() - close them
 * @maps: all zero afterwards
 */
void maps_close(struct maps *maps);

/**
 * maps_have_policy() - was a policy ever put in force
 * @maps: open
 *
 * Return: whether it was.
 */
bool maps_have_policy(const struct maps *maps);

/**
 * maps_publish() - put a policy in force, all at once
 * @maps: open
 * @pins: open
 * @policy: the policy; not kept
 *
 * Return: 0, or -1 with the reason printed and the old policy still in force.
 */
int maps_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy);

/**
 * maps_read() - the policy in force, with its counters
 * @maps: open, and have a policy
 * @pins: open
 * @info: filled in; to be freed by policy_info_free()
 *
 * Return: 0, or -errno with @info empty.
 */
int maps_read(const struct maps *maps, const struct pins *pins, struct policy_info *info);

/**
 * maps_previous() - the policy before the one in force
 * @maps: open
 * @pins: open
 *
 * Return: its canonical text, to be freed; NULL if there was none.
 */
char *maps_previous(const struct maps *maps, const struct pins *pins);

/**
 * policy_info_free() - free what is in it
 * @info: from maps_read(), or all zero; all zero afterwards
 */
void policy_info_free(struct policy_info *info);

/**
 * maps_remove() - unpin every map, when the last link has gone
 * @pins: open
 *
 * Return: 0 or -errno.
 */
int maps_remove(const struct pins *pins);

/**
 * maps_cgroups_sync() - cgroups that came or went while a policy is in force. Cheap and harmless where no rule names cgroups
 * @maps: open
 * @pins: open
 * @policy: the one in force
 *
 * Return: 0 or -errno: -ENOSPC and -E2BIG where no room was left for so many, in the image or in the hash.
 */
int maps_cgroups_sync(const struct maps *maps, const struct pins *pins, const struct smcpol *policy);

/* attach.c: programs and links. */

/**
 * struct link_state - a pinned link
 * @pinned_id: the cgroup it was attached to
 * @id: the cgroup it is attached to: 0 when that was removed
 * @prog: id of its program
 * @hook: "connect4" and so on
 */
struct link_state {
	uint64_t pinned_id;
	uint64_t id;
	unsigned int prog;
	char hook[16];
};

struct programs;

enum which { WHICH_CGROUP, WHICH_DEAD, WHICH_ALL };

/**
 * programs_load() - load the programs for the best way this kernel has
 * @pins: open; maps that are pinned there are taken over, others are made
 * @way: the one to try first; then what they use in the end
 *
 * Return: to be freed by programs_free(); NULL with the reason printed (but for want of memory), and errno tells EPERM, EACCES and
 * ENOMEM from a kernel that cannot.
 */
struct programs *programs_load(const struct pins *pins, enum way *way);

/**
 * programs_way() - how programs enable sockets, whoever loaded them
 * @programs: the programs
 *
 * Return: the way; WAY_NONE if that cannot be asked.
 */
enum way programs_way(const struct programs *programs);

/**
 * programs_open() - those that an attach left pinned, of whichever build it was
 * @pins: open
 *
 * Return: to be freed by programs_free(); NULL if there are none.
 */
struct programs *programs_open(const struct pins *pins);

/**
 * programs_free() - close programs; what is pinned or attached stays
 * @programs: the programs, or NULL
 */
void programs_free(struct programs *programs);

/**
 * programs_install() - make these the programs of every link there is, and of those to come
 * @programs: the programs
 * @pins: open
 *
 * One version, one way of enabling, everywhere.
 *
 * Return: 0, or -1 with the reason printed.
 */
int programs_install(const struct programs *programs, const struct pins *pins);

/**
 * programs_attach() - attach all hooks to a cgroup, or renew what is attached
 * @programs: the programs
 * @pins: open
 * @cgroup: its directory
 * @id: its id
 *
 * Return: 1 if anything is new, 0 if it was attached before, -ENOENT if the cgroup is gone by now, or else a negative errno with the
 * reason printed; what this call had newly attached is gone then.
 */
int programs_attach(const struct programs *programs, const struct pins *pins, int cgroup, uint64_t id);

/**
 * programs_remove() - unpin the programs, when the last link has gone: they hold the module whose kfunc they call
 * @pins: open
 *
 * Return: 0 or -errno.
 */
int programs_remove(const struct pins *pins);

/**
 * links_list() - all pinned links, by cgroup and hook
 * @pins: open
 * @links: to be freed; nothing to free if this fails
 *
 * Return: their number or -errno.
 */
int links_list(const struct pins *pins, struct link_state **links);

/**
 * links_detach() - remove links
 * @pins: open
 * @which: those of a cgroup, those whose cgroup has gone, or all
 * @id: of the cgroup, for WHICH_CGROUP
 * @dry_run: they stay
 *
 * Return: how many, or -errno.
 */
int links_detach(const struct pins *pins, enum which which, uint64_t id, bool dry_run);

/**
 * links_cover() - is a cgroup, or one of those it lies in, attached
 * @pins: open
 * @ids: theirs, from the nearest up
 * @nr: how many
 *
 * Return: the nearest one's id that is, or 0.
 */
uint64_t links_cover(const struct pins *pins, const uint64_t *ids, int nr);

/* control.c: what attach, run, daemon and hook do alike. */

/**
 * struct target - a cgroup to attach to
 * @fd: its directory, or -1 for none
 * @id: its id
 */
struct target {
	int fd;
	uint64_t id;
};

/**
 * control_attach() - load the programs, put the policy in force, renew every link, and attach
 * @pins: open, and created
 * @policy: NULL: keep the one there is, or where there is none and something to attach, take everything
 * @target: a cgroup, or NULL for none
 * @way: the one to try first; then what the programs use in the end
 *
 * Return: an exit code, with the reason printed; a first attach that failed leaves nothing.
 */
int control_attach(const struct pins *pins, const struct smcpol *policy, const struct target *target, enum way *way);

/**
 * control_attach_ready() - attach to one more cgroup in little time: by the programs that are pinned, under the policy in force
 * @pins: open, and created
 * @target: the cgroup
 *
 * Only what is missing is made: the policy by the daemon's file, if there is one, else everything.
 *
 * Return: an exit code, with the reason printed.
 */
int control_attach_ready(const struct pins *pins, const struct target *target);

/**
 * control_policy() - the policy in force, parsed
 * @maps: open
 * @pins: open
 *
 * Return: to be freed by smcpol_free(); NULL if there is none, or with the reason printed.
 */
struct smcpol *control_policy(const struct maps *maps, const struct pins *pins);

/**
 * control_sync_cgroups() - cgroups came or went: let the rules that name cgroups know
 * @maps: open
 * @pins: open
 * @policy: the one in force; where no room was left for so many cgroups, it is put in force anew, which makes room
 *
 * Return: 0, or -1 with the reason printed.
 */
int control_sync_cgroups(struct maps *maps, const struct pins *pins, const struct smcpol *policy);

/**
 * control_publish() - put a policy in force
 * @maps: open
 * @pins: open
 * @policy: the policy
 *
 * Return: as maps_publish().
 */
int control_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy);

/**
 * control_clear() - when no link is left: remove policy, programs and directories
 * @pins: open
 *
 * Return: 1 if so, 0 if links are left, -1 with the reason printed.
 */
int control_clear(const struct pins *pins);

/* containers.c: which container a hook attached. */

/**
 * container_put() - remember a container
 * @pins: open, and created
 * @id: the container's
 * @cgroup: its cgroup's
 *
 * Return: 0 or -errno; -EINVAL: oci_id_escape() does not take the id.
 */
int container_put(const struct pins *pins, const char *id, uint64_t cgroup);

/**
 * container_remove() - detach what a hook attached for a container, and forget it
 * @pins: open
 * @id: the container's
 *
 * Return: how many cgroups, 0 if none was.
 */
int container_remove(const struct pins *pins, const char *id);

/**
 * containers_gc() - forget those whose cgroup is not attached any more, or gone
 * @pins: open
 * @dry_run: they stay
 *
 * Return: how many.
 */
int containers_gc(const struct pins *pins, bool dry_run);

/**
 * containers_forget() - all of them, when nothing is attached any more
 * @pins: open
 */
void containers_forget(const struct pins *pins);

/* cmd_monitor.c */

/**
 * monitor_lock() - be the one reader of events
 * @pins: open
 *
 * Return: as pins_try_lock(); EWOULDBLOCK: another monitor runs.
 */
int monitor_lock(const struct pins *pins);

/* cmd_gc.c */

/**
 * gc_pins() - remove links of cgroups that have gone, containers' records, and what a killed monitor had switched on
 * @pins: open
 * @dry_run: only count
 * @nr_containers: how many records
 *
 * Return: how many links, or -errno.
 */
int gc_pins(const struct pins *pins, bool dry_run, int *nr_containers);

/**
 * gc_run_directory() - remove what a run that is over left
 * @set: settings
 * @name: of its directory (pins_run_name())
 * @dry_run: only count
 *
 * Return: how many links that were, 0 also where it is not over; or -1.
 */
int gc_run_directory(const struct settings *set, const char *name, bool dry_run);

/* kstats.c */
struct kstats;

/**
 * kstats_new() - a memory for counters of namespaces that are gone, so that totals never fall
 *
 * Return: to be freed by kstats_free(); NULL without memory.
 */
struct kstats *kstats_new(void);

/**
 * kstats_free() - free it
 * @k: from kstats_new(), or NULL
 */
void kstats_free(struct kstats *k);

/**
 * kstats_read() - the module's counters, added up over all network namespaces that have a process
 * @k: what it remembers is added; NULL: only what is there now counts
 *
 * Return: a new reference, name -> value; empty where the module is not loaded.
 */
json_t *kstats_read(struct kstats *k);

/* metrics.c */

/**
 * struct daemon_stats - what the daemon counts
 * @loaded: looks at the policy file that put it in force
 * @unchanged: that found it in force
 * @invalid: that found it invalid
 * @failed: that could not read it, or not put it in force
 * @is_bad: as it is now it could not be loaded
 * @attach_failed: cgroups that could not be attached
 */
struct daemon_stats {
	uint64_t loaded;
	uint64_t unchanged;
	uint64_t invalid;
	uint64_t failed;
	bool is_bad;
	uint64_t attach_failed;
};

/**
 * metrics_gather() - all families of metrics
 * @set: settings
 * @daemon: NULL: there is none, and what belongs to it is left out
 * @kstats: as of kstats_read()
 *
 * Return: a new reference: an array of {name, type, help, samples: [{labels, value}]}; NULL with the reason printed.
 */
json_t *metrics_gather(const struct settings *set, const struct daemon_stats *daemon, struct kstats *kstats);

/**
 * metrics_write() - print them as OpenMetrics text
 * @out: to where
 * @families: from metrics_gather(); the reference is not taken
 */
void metrics_write(FILE *out, const json_t *families);

/**
 * policy_hash() - SHA-256 of a text: policy show | sha256sum prints the same
 * @text: canonical
 * @hex: filled in with hexadecimal digits and a NUL
 */
void policy_hash(const char *text, char hex[65]);

/* notify.c: what systemd wants to hear (sd_notify(3)). */

/**
 * notify() - tell it, if there is one that listens
 * @fmt: as of printf(): lines VARIABLE=VALUE, less than 1 KiB
 */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * notify_watchdog() - within what time it wants to hear from us
 *
 * Return: microseconds; 0: never.
 */
uint64_t notify_watchdog(void);

/* privileges.c */

/**
 * privileges_drop() - keep CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON only, for good, and for whatever this process might execute
 *
 * Return: 0, or -1 with the reason printed.
 */
int privileges_drop(void);

/**
 * privileges_missing() - what is missing of what loading and attaching take; CAP_SYS_ADMIN stands for each
 * @out: names with a blank before each; "" if nothing is missing
 * @size: of @out, in bytes; 64 are enough
 */
void privileges_missing(char *out, size_t size);

/**
 * has_capability() - have we a capability, in effect
 * @cap: CAP_*
 *
 * Return: whether we have.
 */
bool has_capability(int cap);

/* policy_file.c */
#define DEFAULT_POLICY "/etc/smc-ulp/policy.yaml"

#define STDIN_NAME "<stdin>" /* what messages call it */

/**
 * policy_read_diag() - read a policy file, look up names on this machine, and print what is said of it
 * @path: of the file; "-" is stdin
 * @diag: takes the messages
 * @code: an exit code
 *
 * Return: to be freed by smcpol_free(); or NULL with the reason printed, and *@code is EX_BAD_POLICY or EX_FAILED.
 */
struct smcpol *policy_read_diag(const char *path, struct smcpol_diag *diag, int *code);

/**
 * policy_read_file() - likewise, for those who do not need the messages
 * @path: of the file; "-" is stdin
 * @code: an exit code
 *
 * Return: as policy_read_diag().
 */
struct smcpol *policy_read_file(const char *path, int *code);

/**
 * policy_read_text() - the canonical text of a policy that was read before
 * @name: what messages call it
 * @text: NUL-terminated
 * @code: an exit code
 *
 * Return: as policy_read_diag().
 */
struct smcpol *policy_read_text(const char *name, const char *text, int *code);

/**
 * policy_resolve() - what number a name stands for on this machine; of struct smcpol_resolver, and for what the command line names
 * @arg: not used
 * @kind: what it is a name of
 * @name: the name; of a network namespace, also its file, if it begins with '/'
 * @number: filled in
 *
 * Return: false: there is none.
 */
bool policy_resolve(void *arg, enum smcpol_name kind, const char *name, __u32 *number);

/* in_force.c: the policy in force, for commands that look at it or replace it. */

/**
 * in_force_open() - the maps of what is attached
 * @set: settings
 * @pins: opened; to be closed by pins_close()
 * @maps: opened; to be closed by maps_close()
 *
 * Return: 0, or -1 with the reason printed and nothing open.
 */
int in_force_open(const struct settings *set, struct pins *pins, struct maps *maps);

/**
 * in_force_read() - text and counters
 * @set: settings
 * @info: filled in; to be freed by policy_info_free()
 *
 * Return: 0, or -1 with the reason printed.
 */
int in_force_read(const struct settings *set, struct policy_info *info);

#endif
