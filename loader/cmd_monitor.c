// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * monitor: decisions as they are made, out of the ring buffer that the programs fill while the state says so. One reader at a time, as they
 * would take events from each other: a lock on the programs' directory says who. What a killed monitor left switched on, the next one
 * or gc switches off; a full ring loses events, and costs nothing but the attempt.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "loader.h"

struct monitor {
	const struct settings *set;
	struct pins pins; /* open, but not locked: the names of rules are read from here */
	struct maps maps;
	struct policy_info info;
	long left; /* events to print; -1: without end */
	bool is_draining;
	int64_t boot; /* ns to add to a time since boot */
};

static volatile sig_atomic_t must_stop; /* the signal that says so */

static void stop(int signo)
{
	must_stop = signo;
}

static void stop_unless_ignored(int signo)
{
	struct sigaction sa = { .sa_handler = stop }, old;

	if (!sigaction(signo, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(signo, &sa, NULL);
}

/* Its terminal or its reader may go, unless the one who started it took care of that (nohup). */
static void set_signals(void)
{
	struct sigaction sa = { .sa_handler = stop };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	stop_unless_ignored(SIGHUP);
	stop_unless_ignored(SIGPIPE);
}

int monitor_lock(const struct pins *pins)
{
	return pins_try_lock(pins->programs);
}

/* The name of a rule; of a policy that is not in force any more, its number. To be freed. */
static char *rule_name(struct monitor *m, const struct smcu_policy_event *e)
{
	char *name;

	if (e->gen != m->info.generation) {
		policy_info_free(&m->info);
		if (m->maps.word->gen == e->gen && maps_read(&m->maps, &m->pins, &m->info))
			m->info.generation = 0;
	}
	if (e->gen == m->info.generation && e->rule < m->info.nr_records)
		return strndup(m->info.records[e->rule].name, SMCU_POLICY_NAME_LEN);
	if (asprintf(&name, "generation %u, rule %u", e->gen, e->rule) < 0)
		abort();
	return name;
}

static void print_address(char *out, size_t size, const __u32 *addr, int af)
{
	if (!af || !inet_ntop(af == 4 ? AF_INET : AF_INET6, addr, out, size))
		snprintf(out, size, "-");
}

/* A task may call itself anything: no terminal is to be steered by that. */
static void print_comm(char out[SMCU_COMM_LEN + 1], const char *comm)
{
	int i;

	memcpy(out, comm, SMCU_COMM_LEN);
	out[SMCU_COMM_LEN] = '\0';
	for (i = 0; out[i]; i++) {
		if ((unsigned char)out[i] < 0x20 || (unsigned char)out[i] > 0x7e)
			out[i] = '?';
	}
}

/* Return: 0, or -errno where nobody takes it. */
static int print_event(const struct monitor *m, const struct smcu_policy_event *e, const char *rule)
{
	const char *result = e->action != SMCU_ACTION_SMC ? "tcp" : e->error ? "refused" : "smc";
	char dst[INET6_ADDRSTRLEN], src[INET6_ADDRSTRLEN], comm[SMCU_COMM_LEN + 1], when[40];
	int64_t at = m->boot + (int64_t)e->time;
	time_t seconds = at / 1000000000;
	char *path = cgroup_path(m->set, e->cgroup), *cgroup = out_name(path);
	const char *direction = e->dir == SMCU_DIR_IN ? "in" : "out";

	print_address(dst, sizeof(dst), e->dst, e->dst_af);
	print_address(src, sizeof(src), e->src, e->src_af);
	print_comm(comm, e->comm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime(&seconds));
	snprintf(when + strlen(when), sizeof(when) - strlen(when), ".%06dZ", (int)(at % 1000000000 / 1000));
	if (m->set->json) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:i, s:i, s:I, s:s, s:s?, s:s?}", "time", when, "rule", rule, "result",
				      result, "direction", direction, "dst", e->dst_af ? dst : NULL, "src", e->src_af ? src : NULL,
				      "port", e->port, "pid", e->pid, "uid", (json_int_t)e->uid, "comm", comm, "cgroup", cgroup, "error",
				      e->error ? strerror(-e->error) : NULL);

		json_dumpf(o, stdout, JSON_COMPACT);
		json_decref(o);
		putchar('\n');
	} else {
		printf("%s %-7s %-20s %-3s %s port %u by %s[%u] uid %u in %s%s%s\n", when, result, rule, direction,
		       e->dir == SMCU_DIR_IN ? src : dst, e->port, comm, e->pid, e->uid, cgroup ? cgroup : "-", e->error ? ": " : "",
		       e->error ? strerror(-e->error) : "");
	}
	free(cgroup);
	free(path);
	return fflush(stdout) ? -errno : 0;
}

static int on_event(void *arg, void *data, size_t size)
{
	const struct smcu_policy_event *e = data;
	struct monitor *m = arg;
	char *rule;
	int err = 0;

	if (m->is_draining || size < sizeof(*e) || !m->left)
		return 0;
	rule = rule_name(m, e);
	if (rule && (!m->set->rule || !strcmp(rule, m->set->rule))) {
		err = print_event(m, e, rule);
		if (m->left > 0)
			m->left--;
	}
	free(rule);
	return err || m->left ? err : -ECANCELED;
}

static int64_t boot_offset(void)
{
	struct timespec wall, boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &boot);
	return (int64_t)(wall.tv_sec - boot.tv_sec) * 1000000000 + wall.tv_nsec - boot.tv_nsec;
}

static int watch(struct monitor *m)
{
	struct ring_buffer *ring;
	int fd, err, code = EX_FAILED;
	char *path;

	path = path_join(m->pins.maps, "smcu_events");
	fd = bpf_obj_get(path);
	ring = fd < 0 ? NULL : ring_buffer__new(fd, on_event, m, NULL);
	if (!ring) {
		log_error("%s: %s", path, strerror(errno));
		goto out;
	}
	/* What a monitor before us did not read is not of now. */
	m->is_draining = true;
	ring_buffer__consume(ring);
	m->is_draining = false;
	m->boot = boot_offset();
	__atomic_store_n(&m->maps.word->events, 1, __ATOMIC_RELEASE);
	log_info("watching");
	do {
		err = ring_buffer__poll(ring, 1000);
	} while (!must_stop && m->left && (err >= 0 || err == -EINTR));
	__atomic_store_n(&m->maps.word->events, 0, __ATOMIC_RELEASE);
	code = must_stop || !m->left ? EX_DONE : EX_FAILED;
	/* What becomes of standard output is told at the end of main(). */
	if (code != EX_DONE && !ferror(stdout))
		log_error("%s: %s", path, strerror(-err));
out:
	ring_buffer__free(ring);
	if (fd >= 0)
		close(fd);
	free(path);
	return code;
}

int cmd_monitor(const struct settings *set, char **operands)
{
	struct monitor m = { .set = set, .left = -1 };
	int lock, code;
	char *end;

	(void)operands;
	if (set->count) {
		m.left = strtol(set->count, &end, 10);
		if (*end || m.left < 1) {
			log_error("--count '%s' is not a number from 1 on", set->count);
			return EX_USAGE_ERROR;
		}
	}
	if (in_force_open(set, &m.pins, &m.maps))
		return EX_FAILED;
	/* It goes on for long: others must be able to work meanwhile. */
	close(m.pins.lock);
	m.pins.lock = -1;
	lock = monitor_lock(&m.pins);
	if (lock < 0) {
		log_error("%s: %s", m.pins.programs, errno == EWOULDBLOCK ? "another monitor runs: the events go to one reader" : strerror(errno));
		code = EX_FAILED;
		goto out;
	}
	set_signals();
	code = watch(&m);
	close(lock);
out:
	policy_info_free(&m.info);
	maps_close(&m.maps);
	pins_close(&m.pins);
	if (must_stop == SIGPIPE) {
		/* As everybody ends whose reader has gone. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return code;
}
