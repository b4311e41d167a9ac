// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The module's counters, added up over all network namespaces that have a process: containers have their own. A namespace is entered by
 * looking through /proc/PID/net, which needs no privilege, and told from others by the inode of its file.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader.h"

#define MAX_NAMESPACES 4096

/* Adds "name value" lines to what is there. */
static void add_file(FILE *f, json_t *sums)
{
	char name[64];
	long long value;

	while (fscanf(f, "%63s %lld", name, &value) == 2)
		json_object_set_new(sums, name, json_integer(json_integer_value(json_object_get(sums, name)) + value));
}

static bool is_known(const ino_t *seen, unsigned int nr, ino_t ino)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (seen[i] == ino)
			return true;
	}
	return false;
}

/* What one namespace counted last time; and what those that are gone had counted. */
struct kstats {
	json_t *last; /* inode -> counters */
	json_t *gone;
};

struct kstats *kstats_new(void)
{
	struct kstats *k = calloc(1, sizeof(*k));

	if (k) {
		k->last = json_object();
		k->gone = json_object();
	}
	return k;
}

void kstats_free(struct kstats *k)
{
	if (!k)
		return;
	json_decref(k->last);
	json_decref(k->gone);
	free(k);
}

static void add_all(json_t *to, const json_t *from)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)from, name, value)
		json_object_set_new(to, name, json_integer(json_integer_value(json_object_get(to, name)) +
							   json_integer_value(value)));
}

/* Only counters outlive their namespace. */
static void retire(struct kstats *k, json_t *counters)
{
	json_object_del(counters, "handshakes_now");
	add_all(k->gone, counters);
}

/* A namespace that is gone or whose number another one has now (it counted less) is kept in the sum, so that totals never fall. */
static void remember(struct kstats *k, json_t *now)
{
	const char *key, *name;
	json_t *old, *fresh, *value;

	json_object_foreach(k->last, key, old) {
		bool fell = false;

		fresh = json_object_get(now, key);
		json_object_foreach(fresh, name, value)
			fell = fell || (strcmp(name, "handshakes_now") &&
					json_integer_value(value) < json_integer_value(json_object_get(old, name)));
		if (!fresh || fell)
			retire(k, old);
	}
	json_decref(k->last);
	k->last = json_incref(now);
}

json_t *kstats_read(struct kstats *k)
{
	json_t *sum = json_object(), *now = json_object(), *one;
	ino_t seen[MAX_NAMESPACES];
	unsigned int nr = 0;
	struct dirent *e;
	char path[300];
	const char *key;
	struct stat st;
	DIR *proc;
	FILE *f;

	proc = opendir("/proc");
	while (proc && nr < MAX_NAMESPACES && (e = readdir(proc))) {
		if (!isdigit((unsigned char)*e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/net/smc_ulp/stats", e->d_name);
		if (stat(path, &st) || is_known(seen, nr, st.st_ino))
			continue;
		f = fopen(path, "re");
		if (!f)
			continue;
		seen[nr++] = st.st_ino;
		one = json_object();
		add_file(f, one);
		fclose(f);
		snprintf(path, sizeof(path), "%ju", (uintmax_t)st.st_ino);
		json_object_set_new(now, path, one);
	}
	if (proc)
		closedir(proc);

	if (k)
		remember(k, now);
	json_object_foreach(now, key, one)
		add_all(sum, one);
	if (k)
		add_all(sum, k->gone);
	json_decref(now);
	return sum;
}
