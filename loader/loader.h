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

/* What the command line said. */
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
	const char *globs[MAX_GLOBS + 1]; /* the daemon's cgroups; NULL at the end */
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
struct option_row {
	char letter; /* also what a command's list of options names it by */
	const char *name;
	const char *metavar; /* NULL: takes none */
	const char *help;
};

/*
 * options: letters of options[]. "c!" must be given, "c|a" is exactly one of the two, "G*" may be given several times; what bears no mark
 * is optional.
 */
struct command {
	const char *name; /* one word or two */
	const char *operands;
	unsigned int min_operands;
	unsigned int max_operands;
	const char *options;
	const char *help;
	int (*run)(const struct settings *set, char **operands); /* operands end with a NULL */
};

#define ANY_NUMBER 1000000 /* of operands; options after the first one are the operand's own */

extern const struct option_row options[];
extern const struct command commands[];
extern const char global_options[];

void usage(FILE *out);
void usage_of(FILE *out, const struct command *command);
const struct option_row *option_by_letter(char letter);

/* cmd_*.c */
int cmd_attach(const struct settings *set, char **operands);
int cmd_detach(const struct settings *set, char **operands);
int cmd_status(const struct settings *set, char **operands);
int cmd_policy_check(const struct settings *set, char **operands);
int cmd_policy_load(const struct settings *set, char **operands);
int cmd_policy_show(const struct settings *set, char **operands);
int cmd_policy_diff(const struct settings *set, char **operands);
int cmd_policy_rollback(const struct settings *set, char **operands);
int cmd_policy_off(const struct settings *set, char **operands);
int cmd_policy_on(const struct settings *set, char **operands);
int cmd_explain(const struct settings *set, char **operands);
int cmd_rules(const struct settings *set, char **operands);
int cmd_run(const struct settings *set, char **operands);
int cmd_daemon(const struct settings *set, char **operands);
int cmd_monitor(const struct settings *set, char **operands);
int cmd_metrics(const struct settings *set, char **operands);
int cmd_gc(const struct settings *set, char **operands);
int cmd_hook_oci(const struct settings *set, char **operands);
int cmd_hook_install(const struct settings *set, char **operands);
int cmd_features(const struct settings *set, char **operands);
int cmd_completion(const struct settings *set, char **operands);
int cmd_version(const struct settings *set, char **operands);
int cmd_help(const struct settings *set, char **operands);

/* log.c: to stderr. An error says what to do. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_setup(const struct settings *set);
void log_to_syslog(void);
void log_libbpf_replay(void);
bool color_wanted(const struct settings *set, int fd);

/* out.c: one description of the data, printed as a table or as JSON. */
struct column {
	const char *key;
	const char *title;
	bool is_right;
	bool is_state; /* coloured: a boolean, or "attached" as opposed to anything else */
};

void out_setup(const struct settings *set);
int out_json(json_t *value);
char *out_name(const char *name);
int out_table(json_t *rows, const struct column *columns);

/* cgroup.c */
struct cgroup_mount {
	char *path;	 /* NULL: mounted nowhere */
	bool is_hybrid;	 /* v1 hierarchies are mounted as well */
	bool is_partial; /* not the host's whole hierarchy: a container's view */
};

#define MAX_CGROUP_DEPTH 64

void cgroup_path_clean(char *path);
void cgroup_mount_find(const struct settings *set, struct cgroup_mount *mount);
void cgroup_mount_free(struct cgroup_mount *mount);
int cgroup_of_process(const struct settings *set, const char *pid, char **below);
int cgroup_ancestors(const char *root, const char *path, uint64_t ids[MAX_CGROUP_DEPTH]);
int cgroup_open(const struct settings *set, const char *path, char **resolved, uint64_t *id);
char *cgroup_path(const struct settings *set, uint64_t id);
bool cgroup_is_root(int fd);
bool cgroup_is_populated(const char *path);

/* features.c: what this kernel offers now. */
enum way { WAY_NONE, WAY_SETSOCKOPT, WAY_KFUNC };

struct features {
	bool has_module;   /* smc_ulp */
	bool has_redirect; /* smc_ulp_bpf */
	bool has_kfunc;
	enum way way; /* which one programs will use */
};

void features_probe(struct features *f);
bool kernel_has_btf(void);
json_t *probes_report(const struct settings *set, const struct features *f); /* probes.c */
bool modules_would_help(const struct features *f);
const char *way_name(enum way way);
bool features_can_enable(const struct features *f);
void features_warn(const struct features *f);

/* pins.c: where everything lives under bpffs, held by one loader at a time. */
struct pins {
	char *dir;   /* smc-ulp/vN */
	char *links; /* smc-ulp/vN/links, and so on */
	char *programs;
	char *containers; /* a directory for each container that a hook attached: its id, @, its cgroup's id */
	char *maps;
	const char *cgroup_root; /* --cgroup-root, or NULL */
	int lock;
};

#define PINS_FRESH "new" /* a pin on its way to its name */
#define RUN_INFIX "-run-"
#define RUN_CGROUP "smc-ulp-run-"

int pins_open(struct pins *pins, const struct settings *set, bool create);
int pins_open_named(struct pins *pins, const struct settings *set, const char *name, bool create);
void pins_run_name(char *name, size_t size, int pid);
char *pins_top(const struct settings *set);
void pins_close(struct pins *pins);
void pins_remove(const struct pins *pins);
int pins_put(int fd, const char *dir, const char *name);
int pins_try_lock(const char *directory);
int daemon_lock(const struct pins *pins);
bool daemon_is_running(const struct pins *pins);
char *path_join(const char *dir, const char *name);

/* maps.c: the policy's generations. */
struct maps {
	int state;
	int images;
	int rules;
	int cgroups;
	volatile struct smcu_policy_state *word;
};

struct policy_info {
	unsigned int generation;
	uint64_t loaded; /* seconds since 1970 */
	char *text;
	unsigned int nr_records;
	struct smcu_policy_rule *records;
	uint64_t past[2]; /* by SMCU_ACTION_*: with the records' hits, what was decided since the first policy */
};

int maps_open(struct maps *maps, const struct pins *pins);
void maps_close(struct maps *maps);
bool maps_have_policy(const struct maps *maps);
int maps_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy);
int maps_read(const struct maps *maps, const struct pins *pins, struct policy_info *info);
char *maps_previous(const struct maps *maps, const struct pins *pins);
void policy_info_free(struct policy_info *info);
int maps_remove(const struct pins *pins);

/*
 * Cgroups that came or went while a policy is in force, which must be the one given. Cheap and harmless where no rule names cgroups.
 * Return: 0 or -errno.
 */
int maps_cgroups_sync(const struct maps *maps, const struct pins *pins, const struct smcpol *policy);

/* attach.c: programs and links. */
struct link_state {
	uint64_t pinned_id; /* the cgroup it was attached to */
	uint64_t id;	    /* the cgroup it is attached to: 0 when that was removed */
	unsigned int prog;
	char hook[16];
};

struct programs;

enum which { WHICH_CGROUP, WHICH_DEAD, WHICH_ALL };

struct programs *programs_load(const struct pins *pins, enum way *way);
enum way programs_way(const struct programs *programs);
struct programs *programs_open(const struct pins *pins);
void programs_free(struct programs *programs);
int programs_install(const struct programs *programs, const struct pins *pins);
int programs_attach(const struct programs *programs, const struct pins *pins, int cgroup, uint64_t id);
int programs_remove(const struct pins *pins);
int links_list(const struct pins *pins, struct link_state **links);
int links_detach(const struct pins *pins, enum which which, uint64_t id, bool dry_run);
uint64_t links_cover(const struct pins *pins, const uint64_t *ids, int nr);

/* control.c: what attach, run, daemon and hook do alike. */
struct target {
	int fd;
	uint64_t id;
};

int control_attach(const struct pins *pins, const struct smcpol *policy, const struct target *targets, int nr,
		   enum way *way);
int control_attach_ready(const struct pins *pins, const struct target *target);
struct smcpol *control_policy(const struct maps *maps, const struct pins *pins);
int control_sync_cgroups(struct maps *maps, const struct pins *pins, const struct smcpol *policy);
int control_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy);
int control_clear(const struct pins *pins);

/* containers.c */
int container_put(const struct pins *pins, const char *id, uint64_t cgroup);
int container_remove(const struct pins *pins, const char *id);
int containers_gc(const struct pins *pins, bool dry_run);
void containers_forget(const struct pins *pins);

/* cmd_monitor.c */
int monitor_lock(const struct pins *pins);

/* cmd_gc.c */
int gc_pins(const struct pins *pins, bool dry_run, int *nr_containers);
int gc_run_directory(const struct settings *set, const char *name, bool dry_run);

/* kstats.c */
struct kstats;

struct kstats *kstats_new(void);
void kstats_free(struct kstats *k);
json_t *kstats_read(struct kstats *k);

/* metrics.c */
struct daemon_stats {
	uint64_t loaded, unchanged, invalid, failed; /* looks at the policy file */
	bool is_bad;
	uint64_t attach_failed;
};

json_t *metrics_gather(const struct settings *set, const struct daemon_stats *daemon, struct kstats *kstats);
void metrics_write(FILE *out, const json_t *families);
void policy_hash(const char *text, char hex[65]);

/* notify.c */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
uint64_t notify_watchdog(void);

/* privileges.c */
int privileges_drop(void);
void privileges_missing(char *out, size_t size);
bool has_capability(int cap);

/* policy_file.c */
#define DEFAULT_POLICY "/etc/smc-ulp/policy.yaml"

#define STDIN_NAME "<stdin>" /* what messages call it */

struct smcpol *policy_read_diag(const char *path, struct smcpol_diag *diag, int *code);
struct smcpol *policy_read_file(const char *path, int *code);
struct smcpol *policy_read_text(const char *name, const char *text, int *code);
bool policy_resolve(void *arg, enum smcpol_name kind, const char *name, __u32 *number);

/* in_force.c: the policy in force, for commands that look at it or replace it. */
int in_force_open(const struct settings *set, struct pins *pins, struct maps *maps);
int in_force_read(const struct settings *set, struct policy_info *info);

#endif
