// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * daemon: keeps the policy in force what the policy file says, attaches cgroups as they appear, cleans up after those that went, serves
 * metrics. Nothing waits for it: links and maps are pinned, so while it is down every connection is decided as before.
 *
 * One thread, one epoll. The lock on the pins is taken for each step and given back, so the command line and hooks work beside it.
 */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cgwatch.h"
#include "glob.h"
#include "http.h"
#include "loader.h"

#define DEFAULT_LISTEN "127.0.0.1:9780"
#define DEBOUNCE_MS 200
#define TICK_SECONDS 5
#define COLLECTIONS 6 /* ticks after a cgroup has gone */

/* Of all cgroups at once: a batch is attached under one lock. */
#define MAX_BATCH 256

struct daemon {
	const struct settings *set;
	struct daemon_stats stats;
	struct kstats *kstats;
	struct http *http;
	struct cgwatch *cgwatch;
	struct cgroup_mount mount;
	struct smcpol *policy; /* in force, when it was looked at last */
	unsigned int generation; /* its; 0: none */
	enum way way;
	char *file;	 /* the policy */
	char *directory; /* it lies in; watched, since a ConfigMap swaps a symlink beside it */
	int lock;
	int epoll;
	int signals;
	int inotify;
	int watch;    /* of the directory, or -1 */
	int debounce; /* timers */
	int tick;
	int watchdog;
	bool must_stop;
	bool must_scan; /* a policy that names cgroups came: each there is has to be known */
	int collections; /* to come: the kernel detaches some time after a cgroup's directory has gone */
	char *batch[MAX_BATCH];
	int nr_batch;
};

static const char nothing[] = "version: 1\ndefault: tcp\n";

/* The policy file, parsed; NULL: the reason was printed. */
static struct smcpol *read_policy(struct daemon *d)
{
	int code;
	struct smcpol *policy = policy_read_file(d->file, &code);

	d->stats.is_bad = !policy;
	if (!policy && code == EX_BAD_POLICY)
		d->stats.invalid++;
	else if (!policy)
		d->stats.failed++;
	return policy;
}

static bool is_in_force(const struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	char *text = smcpol_print(policy);
	struct policy_info info;
	bool same = false;

	if (text && maps_have_policy(maps) && !maps_read(maps, pins, &info)) {
		same = !strcmp(text, info.text);
		policy_info_free(&info);
	}
	free(text);
	return same;
}

static bool policy_is_new(const struct pins *pins, const struct smcpol *policy, bool *has_policy)
{
	struct maps maps;
	bool same;

	*has_policy = false;
	if (maps_open(&maps, pins))
		return true;
	*has_policy = maps_have_policy(&maps);
	same = is_in_force(&maps, pins, policy);
	maps_close(&maps);
	return !same;
}

/* Open the pins, and say that we run: somebody may have removed the directory that our lock is on. */
static int open_pins(struct daemon *d, struct pins *pins)
{
	int fd;

	if (pins_open(pins, d->set, true) < 0)
		return -1;
	fd = daemon_lock(pins);
	if (fd >= 0) {
		if (d->lock >= 0)
			close(d->lock);
		d->lock = fd;
	} else if (d->lock < 0) {
		log_error("%s: %s", pins->links, errno == EWOULDBLOCK ? "another daemon runs already: stop that one" : strerror(errno));
		pins_close(pins);
		return -1;
	}
	return 0;
}

/*
 * What the policy in force says of cgroups, which may have been replaced by the command line since. sync: they came or went. A policy that
 * names cgroups wants to know of each, not only of those that the globs match.
 */
static void follow_cgroups(struct daemon *d, const struct pins *pins, bool sync)
{
	bool was_asked = d->policy && smcpol_names_cgroups(d->policy);
	struct maps maps;

	if (!d->cgwatch || maps_open(&maps, pins))
		return;
	if (maps.word->gen != d->generation || !d->policy) {
		smcpol_free(d->policy);
		d->policy = control_policy(&maps, pins);
		d->generation = maps.word->gen;
		if (d->policy && smcpol_names_cgroups(d->policy) && !was_asked) {
			/* Not here: what is found is attached, under the lock that our caller has. */
			d->must_scan = true;
			sync = true;
		}
	}
	if (sync && d->policy && smcpol_names_cgroups(d->policy)) {
		control_sync_cgroups(&maps, pins, d->policy);
		d->generation = maps.word->gen;
	}
	maps_close(&maps);
}

static void free_batch(struct daemon *d)
{
	while (d->nr_batch)
		free(d->batch[--d->nr_batch]);
}

/* Attach what was found, by the programs that are pinned. A cgroup may be gone again, which is nobody's fault. */
static void attach_found(struct daemon *d, const struct pins *pins, const struct programs *programs)
{
	int i, ret, fd, fresh = 0;
	uint64_t id;

	for (i = 0; i < d->nr_batch; i++) {
		char *full = path_join(d->mount.path, d->batch[i]), *resolved = NULL;

		fd = access(full, F_OK) ? -1 : cgroup_open(d->set, full, &resolved, &id);
		if (fd >= 0) {
			ret = programs_attach(programs, pins, fd, id);
			fresh += ret > 0;
			d->stats.attach_failed += ret < 0 && ret != -ENOENT;
			close(fd);
		}
		free(resolved);
		free(full);
	}
	if (fresh)
		log_info("attached to %d more cgroups", fresh);
	free_batch(d);
}

/*
 * Start, or start over (a module came): load the programs of this build, put the policy in force if it differs from the one that is, renew
 * every link, attach what is there. A policy file that cannot be read leaves the policy in force; where there is none, everything stays TCP.
 */
static int begin(struct daemon *d)
{
	struct smcpol *policy = read_policy(d), *wanted = policy;
	struct programs *programs;
	struct features features;
	struct pins pins;
	bool has_policy;
	int code;

	features_probe(&features);
	d->way = features.way;
	if (open_pins(d, &pins)) {
		free_batch(d);
		smcpol_free(policy);
		return EX_FAILED;
	}
	if (policy && !policy_is_new(&pins, policy, &has_policy)) {
		wanted = NULL;
		d->stats.unchanged++;
	} else if (!policy) {
		struct smcpol_diag *diag = smcpol_diag_new();
		struct maps maps;

		has_policy = !maps_open(&maps, &pins);
		if (has_policy) {
			has_policy = maps_have_policy(&maps);
			maps_close(&maps);
		}
		if (!has_policy && diag)
			wanted = policy = smcpol_load("default", nothing, sizeof(nothing) - 1, diag);
		smcpol_diag_free(diag);
		log_warning("%s cannot be used: %s", d->file,
			    has_policy ? "the policy in force stays" : "every socket stays on TCP until it can");
	}
	code = control_attach(&pins, wanted, NULL, &features.way);
	if (code != EX_DONE)
		d->stats.failed++;
	else if (wanted && !d->stats.is_bad)
		d->stats.loaded++;
	features_warn(&features);
	programs = code == EX_DONE ? programs_open(&pins) : NULL;
	if (programs)
		attach_found(d, &pins, programs);
	programs_free(programs);
	if (code == EX_DONE)
		follow_cgroups(d, &pins, true);
	pins_close(&pins);
	free_batch(d);
	smcpol_free(policy);
	return code;
}

/* The policy file changed, or may have. */
static void reload(struct daemon *d)
{
	struct smcpol *policy = read_policy(d);
	struct pins pins;
	struct maps maps;

	if (!policy) {
		log_warning("%s cannot be used: the policy in force stays", d->file);
		return;
	}
	if (!open_pins(d, &pins)) {
		if (maps_open(&maps, &pins)) {
			d->stats.failed++;
			log_error("%s: nothing is pinned any more; restart the daemon", pins.maps);
		} else {
			if (is_in_force(&maps, &pins, policy)) {
				d->stats.unchanged++;
			} else if (control_publish(&maps, &pins, policy)) {
				d->stats.failed++;
				d->stats.is_bad = true;
			} else {
				d->stats.loaded++;
				log_info("policy generation %u: %u rules", maps.word->gen, smcpol_nr_rules(policy));
			}
			maps_close(&maps);
			follow_cgroups(d, &pins, false);
		}
		pins_close(&pins);
	}
	smcpol_free(policy);
}

/* Cgroups that appeared: by the programs that are pinned. */
static void attach_batch(struct daemon *d, bool came)
{
	struct programs *programs;
	struct pins pins;

	if (!d->nr_batch && !came)
		return;
	if (open_pins(d, &pins)) {
		free_batch(d);
		return;
	}
	programs = programs_open(&pins);
	if (!programs) {
		/* Detached by hand since. */
		pins_close(&pins);
		begin(d);
		return;
	}
	attach_found(d, &pins, programs);
	programs_free(programs);
	follow_cgroups(d, &pins, came);
	pins_close(&pins);
}

/* Every cgroup that matches goes into the batch. */
static void rescan(struct daemon *d)
{
	if (d->cgwatch)
		cgwatch_scan(d->cgwatch, d->policy && smcpol_names_cgroups(d->policy));
}

/* For cgwatch. */
static void found(void *arg, const char *path)
{
	struct daemon *d = arg;

	if (d->nr_batch == MAX_BATCH)
		attach_batch(d, false);
	d->batch[d->nr_batch++] = strdup(path);
}

static void scan_if_needed(struct daemon *d)
{
	if (!d->must_scan)
		return;
	d->must_scan = false;
	rescan(d);
	attach_batch(d, true);
}

static void collect(struct daemon *d)
{
	struct pins pins;
	int containers, links;

	if (open_pins(d, &pins))
		return;
	links = gc_pins(&pins, false, &containers);
	follow_cgroups(d, &pins, true);
	if (links < 0)
		log_error("a dead link could not be removed: %s", strerror(-links));
	pins_close(&pins);
}

static char *metrics_text(void *arg)
{
	struct daemon *d = arg;
	json_t *families = metrics_gather(d->set, &d->stats, d->kstats);
	size_t size;
	char *text = NULL;
	FILE *f;

	if (!families)
		return NULL;
	f = open_memstream(&text, &size);
	if (f) {
		metrics_write(f, families);
		fclose(f);
	}
	json_decref(families);
	return text;
}

static void set_timer(int fd, uint64_t usec, bool again)
{
	struct itimerspec t = { .it_value = { usec / 1000000, usec % 1000000 * 1000 } };

	if (again)
		t.it_interval = t.it_value;
	timerfd_settime(fd, 0, &t, NULL);
}

static void drain(int fd)
{
	char buffer[4096];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
}

/* The directory may not be there yet, or be replaced. */
static void watch_directory(struct daemon *d)
{
	d->watch = inotify_add_watch(d->inotify, d->directory, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE |
				     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

/* Others' files must not keep the time from running out. Kubernetes changes what a link "..data" names, never the file itself. */
static bool concerns_policy(const struct daemon *d, const char *name)
{
	const char *slash = strrchr(d->file, '/');

	return !strcmp(name, slash ? slash + 1 : d->file) || !strncmp(name, "..", 2);
}

static void on_policy_event(struct daemon *d)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *e;
	bool is_ours = false;
	ssize_t n, at;

	while ((n = read(d->inotify, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < n; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(buffer + at);
			if (e->mask & IN_MOVE_SELF)
				inotify_rm_watch(d->inotify, e->wd);
			if (e->mask & IN_IGNORED)
				d->watch = -1;
			is_ours |= !e->len || concerns_policy(d, e->name);
		}
	}
	/* Each event starts the time anew: a file written in pieces is read once, at the end. */
	if (is_ours)
		set_timer(d->debounce, DEBOUNCE_MS * 1000, false);
}

static void on_signal(struct daemon *d)
{
	struct signalfd_siginfo info;
	struct timespec now;

	while (read(d->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			d->must_stop = true;
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		notify("RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
		reload(d);
		notify("READY=1");
	}
}

/* A policy that names cgroups may have been loaded by hand. */
static void watch_command_line(struct daemon *d)
{
	struct pins pins;

	if (open_pins(d, &pins))
		return;
	follow_cgroups(d, &pins, false);
	pins_close(&pins);
}

/* What nothing announces: a module, a directory that comes back, links that died later than their cgroup's directory. */
static void on_tick(struct daemon *d)
{
	struct features features;

	features_probe(&features);
	if (features.way != d->way) {
		rescan(d);
		begin(d);
	}
	if (d->watch < 0) {
		watch_directory(d);
		if (d->watch >= 0)
			reload(d);
	}
	watch_command_line(d);
	if (d->collections) {
		d->collections--;
		collect(d);
	}
}

static int add(struct daemon *d, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= 0 && !epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e))
		return 0;
	log_error("the loop cannot be set up: %s", strerror(errno));
	return -1;
}

static void loop(struct daemon *d)
{
	struct epoll_event events[16];
	int i, n, timeout = -1;

	while (!d->must_stop) {
		n = epoll_wait(d->epoll, events, 16, timeout);
		if (n < 0 && errno != EINTR) {
			log_error("epoll: %s", strerror(errno));
			return;
		}
		for (i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == d->signals) {
				on_signal(d);
			} else if (fd == d->inotify) {
				on_policy_event(d);
			} else if (fd == d->debounce) {
				drain(fd);
				reload(d);
			} else if (fd == d->tick) {
				drain(fd);
				on_tick(d);
			} else if (fd == d->watchdog) {
				drain(fd);
				notify("WATCHDOG=1");
			} else if (d->cgwatch && fd == cgwatch_fd(d->cgwatch)) {
				unsigned int what = cgwatch_read(d->cgwatch);

				if (what & CGWATCH_WENT)
					d->collections = COLLECTIONS;
				attach_batch(d, what & CGWATCH_CAME);
			}
		}
		scan_if_needed(d);
		if (d->http)
			timeout = http_run(d->http);
	}
}

static int set_up(struct daemon *d)
{
	uint64_t watchdog = notify_watchdog();
	const char *listen_at = d->set->listen ? d->set->listen : DEFAULT_LISTEN;
	struct pins pins;
	sigset_t mask;
	int i;

	for (i = 0; d->set->globs[i]; i++) {
		if (!glob_is_valid(d->set->globs[i])) {
			log_error("--cgroups '%s': a glob is a path that begins with /, and ** can only be its last name", d->set->globs[i]);
			return EX_USAGE_ERROR;
		}
	}
	/* Nothing of another daemon's is touched. */
	if (open_pins(d, &pins))
		return EX_FAILED;
	pins_close(&pins);

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	d->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	d->debounce = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	d->tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	d->watchdog = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (add(d, d->signals) || add(d, d->inotify) || add(d, d->debounce) || add(d, d->tick) || add(d, d->watchdog))
		return EX_FAILED;
	set_timer(d->tick, TICK_SECONDS * 1000000, true);
	if (watchdog)
		set_timer(d->watchdog, watchdog / 2, true);

	if (strcmp(listen_at, "none")) {
		d->http = http_new(listen_at, metrics_text, d);
		if (!d->http || add(d, http_fd(d->http)))
			return EX_FAILED;
	}
	if (privileges_drop())
		return EX_FAILED;

	cgroup_mount_find(d->set, &d->mount);
	if (d->set->globs[0] && (!d->mount.path || d->mount.is_partial)) {
		log_error("%s", d->mount.path ? "this is a container's view of the cgroups, in which the globs mean something else: use the host's cgroup namespace and its /sys/fs/cgroup" :
						"cgroup v2 is mounted nowhere: smc-ulp-loader features says more");
		return EX_FAILED;
	}
	for (i = 0; d->set->globs[i]; i++) {
		size_t len = strlen(d->mount.path);

		/* It would match nothing, for ever. */
		if (!strncmp(d->set->globs[i], d->mount.path, len) && d->set->globs[i][len] == '/') {
			log_error("--cgroups '%s': a glob begins at the root of the cgroups: did you mean '%s'?", d->set->globs[i],
				  d->set->globs[i] + len);
			return EX_USAGE_ERROR;
		}
	}
	/* Without globs too: the policy may name cgroups. */
	if (d->mount.path && !d->mount.is_partial) {
		d->cgwatch = cgwatch_new(d->mount.path, d->set->globs, found, d);
		if (!d->cgwatch || add(d, cgwatch_fd(d->cgwatch)))
			return EX_FAILED;
	}
	return EX_DONE;
}

/* What a start that failed has made. */
static void undo(struct daemon *d)
{
	struct pins pins;
	struct maps maps;

	if (d->lock < 0 || pins_open(&pins, d->set, false) != 1)
		return;
	if (maps_open(&maps, &pins))
		control_clear(&pins);
	else
		maps_close(&maps);
	pins_close(&pins);
}

static void tear_down(struct daemon *d)
{
	const int fds[] = { d->lock, d->epoll, d->signals, d->inotify, d->debounce, d->tick, d->watchdog };
	unsigned int i;

	http_free(d->http);
	cgwatch_free(d->cgwatch);
	for (i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	cgroup_mount_free(&d->mount);
	kstats_free(d->kstats);
	smcpol_free(d->policy);
	free_batch(d);
	free(d->directory);
	free(d->file);
}

int cmd_daemon(const struct settings *set, char **operands)
{
	struct daemon d = { .set = set, .lock = -1, .epoll = -1, .signals = -1, .inotify = -1, .watch = -1, .debounce = -1,
			    .tick = -1, .watchdog = -1 };
	char *copy;
	int code;

	(void)operands;
	d.file = strdup(set->policy ? set->policy : DEFAULT_POLICY);
	copy = strdup(d.file);
	d.directory = strdup(dirname(copy));
	free(copy);
	d.kstats = kstats_new();

	code = set_up(&d);
	if (code != EX_DONE)
		goto out;
	/* Watched before it is read, as the cgroups are. */
	watch_directory(&d);
	rescan(&d);
	code = begin(&d);
	if (code != EX_DONE)
		goto out;
	scan_if_needed(&d);
	collect(&d);
	log_info("running: policy %s", d.file);
	notify("READY=1");

	loop(&d);

	notify("STOPPING=1");
	log_info("stopped; what is attached stays so, and the policy in force");
out:
	if (code != EX_DONE)
		undo(&d);
	tear_down(&d);
	return code;
}
