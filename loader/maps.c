// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The policy in the kernel: two generations, one published. Order of a reload, each step safe to be the last one:
 *
 *	1. build the new generation's image, records and cgroups, which no program can see yet
 *	2. wait for an RCU grace period: nobody still reads the idle slot from before the last flip (a loader that died there)
 *	3. put all into the idle slot, and pin them and the text under that slot's names
 *	4. one 32-bit store: programs that start from now on take the new slot
 *	5. wait again, empty the other slot, and let its counters follow; its text stays, for a rollback
 *
 * The wait is an update of a map-in-map: the kernel synchronizes RCU in it, and needs no more privilege than the rest does.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fts.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loader.h"

/* Entries for cgroups that appear later, beside as many again as there are. */
#define CGROUPS_ROOM 1024

/* The one value of a slot's text map. */
struct stored_text {
	uint64_t loaded;
	uint32_t len;
	uint32_t generation; /* that it was stored for, which a loader that died may never have published */
	char text[];
};

/* What fills a slot. */
enum part { PART_IMAGE, PART_RECORDS, PART_CGROUPS, PART_TEXT, NR_PARTS };

static const char *const part_name[NR_PARTS] = { "image", "records", "cgroups", "text" };

struct generation {
	int fd[NR_PARTS]; /* -1: not there */
};

static void generation_init(struct generation *g)
{
	unsigned int i;

	for (i = 0; i < NR_PARTS; i++)
		g->fd[i] = -1;
}

static void generation_close(struct generation *g)
{
	unsigned int i;

	for (i = 0; i < NR_PARTS; i++) {
		if (g->fd[i] >= 0)
			close(g->fd[i]);
	}
	generation_init(g);
}

static int open_pin(const struct pins *pins, const char *name)
{
	char *path = path_join(pins->maps, name);
	int fd = bpf_obj_get(path);

	free(path);
	return fd;
}

/* A pinned map of another build may have another form: that is found here, not by reading nonsense. */
static int open_map(const struct pins *pins, const char *name, uint32_t type, uint32_t value_size, uint32_t max_entries)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = open_pin(pins, name), err;

	if (fd < 0)
		return -errno;
	err = bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : 0;
	if (!err && (info.type != type || info.key_size != sizeof(uint32_t) || info.value_size != value_size ||
		     info.max_entries != max_entries)) {
		log_error("%s/%s was made by a build whose maps differ: smc-ulp-loader detach --all, then attach again", pins->maps,
			  name);
		err = -EPROTO;
	}
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int open_outer(const struct pins *pins, const char *name)
{
	return open_map(pins, name, BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), SMCU_POLICY_SLOTS);
}

int maps_open(struct maps *maps, const struct pins *pins)
{
	void *word;
	int err;

	memset(maps, 0, sizeof(*maps));
	maps->state = open_map(pins, "smcu_state", BPF_MAP_TYPE_ARRAY, sizeof(struct smcu_policy_state), 1);
	err = maps->state < 0 ? maps->state : 0;
	if (!err)
		err = maps->images = open_outer(pins, "smcu_images");
	if (err >= 0)
		err = maps->rules = open_outer(pins, "smcu_rules");
	if (err >= 0)
		err = maps->cgroups = open_outer(pins, "smcu_cgroups");
	if (err < 0)
		goto err_close;
	word = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, maps->state, 0);
	if (word == MAP_FAILED) {
		err = -errno;
		goto err_close;
	}
	maps->word = word;
	return 0;

err_close:
	maps_close(maps);
	return err;
}

void maps_close(struct maps *maps)
{
	const int fds[] = { maps->state, maps->images, maps->rules, maps->cgroups };
	unsigned int i;

	if (maps->word)
		munmap((void *)maps->word, sysconf(_SC_PAGESIZE));
	for (i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] > 0)
			close(fds[i]);
	}
	memset(maps, 0, sizeof(*maps));
}

bool maps_have_policy(const struct maps *maps)
{
	return maps->word->abi == SMCU_POLICY_ABI;
}

/* A mapping of an array's whole content. NULL, and errno says why. */
struct view {
	void *at;
	size_t size;
	uint32_t nr;
};

static int view_open(struct view *view, int fd, uint32_t value_size)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != value_size || !(info.map_flags & BPF_F_MMAPABLE))
		return -EPROTO;
	view->nr = info.max_entries;
	view->size = (size_t)info.max_entries * value_size;
	view->at = mmap(NULL, view->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return view->at == MAP_FAILED ? -errno : 0;
}

static void view_close(struct view *view)
{
	munmap(view->at, view->size);
}

static int make_array(const char *name, uint32_t value_size, uint32_t nr, const void *content)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), value_size, nr, &opts), err;
	struct view view;

	if (fd < 0)
		return -errno;
	err = view_open(&view, fd, value_size);
	if (err) {
		close(fd);
		return err;
	}
	memcpy(view.at, content, view.size);
	view_close(&view);
	return fd;
}

static int make_text(const char *text, uint32_t generation)
{
	size_t len = strlen(text), size = (sizeof(struct stored_text) + len + 1 + 7) & ~7UL;
	struct stored_text *stored = calloc(1, size);
	uint32_t zero = 0;
	int fd, err;

	if (!stored)
		return -ENOMEM;
	stored->loaded = time(NULL);
	stored->len = len;
	stored->generation = generation;
	memcpy(stored->text, text, len);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "smcu_text", sizeof(uint32_t), size, 1, NULL);
	err = fd < 0 ? -errno : 0;
	if (!err && bpf_map_update_elem(fd, &zero, stored, BPF_ANY)) {
		err = -errno;
		close(fd);
	}
	free(stored);
	return err ? err : fd;
}

/* Cgroups */

struct cgroup_entry {
	uint64_t id;
	struct smcu_policy_cgroup sets;
};

struct cgroup_list {
	struct cgroup_entry *at;
	unsigned int nr;
	unsigned int room;
};

typedef int cgroup_visit(void *arg, const char *path, uint64_t id);

/* Every cgroup there is, each after the one it lies in. Return: 0 or -errno. */
static int walk_cgroups(const struct pins *pins, cgroup_visit *visit, void *arg)
{
	const struct settings set = { .cgroup_root = pins->cgroup_root };
	struct cgroup_mount mount;
	char *roots[2] = { NULL };
	FTSENT *entry;
	size_t len;
	int err = 0;
	FTS *tree;

	cgroup_mount_find(&set, &mount);
	if (!mount.path) {
		log_error("the policy names cgroups, but cgroup v2 is mounted nowhere: mount -t cgroup2 none /sys/fs/cgroup");
		return -ENOENT;
	}
	if (mount.is_partial)
		log_warning("%s shows only a part of the cgroup hierarchy: the policy's cgroups are looked for in that part",
			    mount.path);
	roots[0] = mount.path;
	len = strlen(mount.path);
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		err = -errno;
	while (tree && !err && (entry = fts_read(tree))) {
		/* What went away meanwhile needs no entry. */
		if (entry->fts_info == FTS_D)
			err = visit(arg, entry->fts_path[len] ? entry->fts_path + len : "/", entry->fts_statp->st_ino);
	}
	if (tree)
		fts_close(tree);
	cgroup_mount_free(&mount);
	return err;
}

static bool names_cgroups(const union smcu_block *blocks)
{
	return blocks[0].head.dims >> SMCU_DIM_CGROUP & 1;
}

/* What classify() works on. */
struct building {
	const struct smcpol *policy;
	struct smcpol_image *image;
	struct cgroup_list list;
};

static int classify(void *arg, const char *path, uint64_t id)
{
	struct building *b = arg;
	struct cgroup_list *list = &b->list;
	struct cgroup_entry *entry;

	if (list->nr == list->room) {
		entry = reallocarray(list->at, list->room + CGROUPS_ROOM, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		list->at = entry;
		list->room += CGROUPS_ROOM;
	}
	entry = &list->at[list->nr];
	entry->id = id;
	if (!smcpol_image_cgroup(b->image->blocks, b->policy, path, &entry->sets) &&
	    !(smcpol_image_reserve(b->image, SMCPOL_CGROUP_ROOM) &&
	      smcpol_image_cgroup(b->image->blocks, b->policy, path, &entry->sets)))
		return -ENOMEM;
	list->nr++;
	return 0;
}

static int make_cgroups(const struct cgroup_list *list, bool is_needed)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	unsigned int i;
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "smcu_cgroup", sizeof(uint64_t), sizeof(struct smcu_policy_cgroup),
			    is_needed ? 2 * list->nr + CGROUPS_ROOM : 1, &opts);
	if (fd < 0)
		return -errno;
	for (i = 0; i < list->nr; i++) {
		if (bpf_map_update_elem(fd, &list->at[i].id, &list->at[i].sets, BPF_ANY)) {
			err = -errno;
			close(fd);
			return err;
		}
	}
	return fd;
}

/* Everything of a new generation. Return: 0 or -errno. */
static int generation_make(struct generation *g, const struct pins *pins, const struct smcpol *policy, uint32_t number)
{
	struct building b = { .policy = policy, .image = smcpol_compile(policy) };
	char *text = smcpol_print(policy);
	bool by_cgroup;
	int err = 0;

	generation_init(g);
	if (!b.image || !text)
		err = errno == E2BIG ? -E2BIG : -ENOMEM;
	by_cgroup = !err && names_cgroups(b.image->blocks);
	if (by_cgroup)
		err = walk_cgroups(pins, classify, &b);
	if (by_cgroup && !err && !smcpol_image_reserve(b.image, SMCPOL_CGROUP_ROOM))
		err = -ENOMEM;
	if (!err)
		err = g->fd[PART_IMAGE] = make_array("smcu_image", sizeof(union smcu_block), b.image->nr_blocks, b.image->blocks);
	if (err >= 0)
		err = g->fd[PART_RECORDS] = make_array("smcu_records", sizeof(struct smcu_policy_rule), b.image->nr_rules + 1,
						       b.image->records);
	if (err >= 0)
		err = g->fd[PART_CGROUPS] = make_cgroups(&b.list, by_cgroup);
	if (err >= 0)
		err = g->fd[PART_TEXT] = make_text(text, number);
	free(b.list.at);
	smcpol_image_free(b.image);
	free(text);
	return err < 0 ? err : 0;
}

static void slot_name(char *name, size_t size, enum part part, uint32_t slot)
{
	snprintf(name, size, "%s-%u", part_name[part], slot);
}

static int open_part(const struct pins *pins, enum part part, uint32_t slot)
{
	char name[32];

	slot_name(name, sizeof(name), part, slot);
	return open_pin(pins, name);
}

/* Everyone who reads any slot now will have finished. */
static int wait_for_readers(const struct maps *maps, int image)
{
	uint32_t slot = SMCU_POLICY_SLOT_BARRIER;

	return bpf_map_update_elem(maps->images, &slot, &image, BPF_ANY) ? -errno : 0;
}

static int put_slot(struct maps *maps, const struct pins *pins, uint32_t slot, const struct generation *g)
{
	unsigned int part;
	char name[32];
	int err = 0;

	if (bpf_map_update_elem(maps->images, &slot, &g->fd[PART_IMAGE], BPF_ANY) ||
	    bpf_map_update_elem(maps->rules, &slot, &g->fd[PART_RECORDS], BPF_ANY) ||
	    bpf_map_update_elem(maps->cgroups, &slot, &g->fd[PART_CGROUPS], BPF_ANY))
		return -errno;
	for (part = 0; part < NR_PARTS && !err; part++) {
		slot_name(name, sizeof(name), part, slot);
		err = pins_put(g->fd[part], pins->maps, name);
	}
	return err;
}

/* All but the text, which a rollback needs. */
static void empty_slot(struct maps *maps, const struct pins *pins, uint32_t slot)
{
	unsigned int part;
	char name[32], *path;

	bpf_map_delete_elem(maps->images, &slot);
	bpf_map_delete_elem(maps->rules, &slot);
	bpf_map_delete_elem(maps->cgroups, &slot);
	for (part = 0; part < NR_PARTS; part++) {
		if (part == PART_TEXT)
			continue;
		slot_name(name, sizeof(name), part, slot);
		path = path_join(pins->maps, name);
		unlink(path);
		free(path);
	}
}

static int by_rule_name(const void *a, const void *b)
{
	const struct smcu_policy_rule *const *ra = a, *const *rb = b;

	return strcmp((*ra)->name, (*rb)->name);
}

static struct smcu_policy_rule **sort_rules(const struct view *view)
{
	struct smcu_policy_rule **sorted = calloc(view->nr, sizeof(*sorted));
	uint32_t i;

	for (i = 0; sorted && i < view->nr; i++)
		sorted[i] = (struct smcu_policy_rule *)view->at + i;
	if (sorted)
		qsort(sorted, view->nr, sizeof(*sorted), by_rule_name);
	return sorted;
}

/*
 * What was decided by rules that are gone or decide otherwise now, by action, to be added to what the rules that there are decided: so
 * the sum for an action never falls. As differences, as a rule takes its hits along.
 */
#define PAST "past"

/* Made when first needed. Return: 0 or -errno. */
static int past_open(struct view *past, const struct pins *pins, bool create)
{
	const uint64_t zero[2] = { 0, 0 };
	int fd = open_pin(pins, PAST), err = fd < 0 ? -errno : 0;

	if (err == -ENOENT && create) {
		fd = make_array("smcu_past", sizeof(*zero), 2, zero);
		err = fd < 0 ? fd : pins_put(fd, pins->maps, PAST);
	}
	if (!err)
		err = view_open(past, fd, sizeof(*zero));
	if (fd >= 0)
		close(fd);
	return err;
}

/* Counters belong to a name: what rules were counted in the last generation is added in this one, while programs count on. */
static void carry_counters(const struct view *from, const struct view *to, uint64_t past[2])
{
	struct smcu_policy_rule **old = sort_rules(from), **new = sort_rules(to);
	uint32_t o = 0, n = 0;

	while (old && new && o < from->nr) {
		int d = n < to->nr ? by_rule_name(&old[o], &new[n]) : -1;
		uint64_t hits = old[o]->hits;

		if (!d) {
			__atomic_fetch_add(&new[n]->hits, hits, __ATOMIC_RELAXED);
			__atomic_fetch_add(&new[n]->enabled, old[o]->enabled, __ATOMIC_RELAXED);
			__atomic_fetch_add(&new[n]->failed, old[o]->failed, __ATOMIC_RELAXED);
			/* No counter: whatever the programs write meanwhile is newer. */
			if (!new[n]->last_error)
				new[n]->last_error = old[o]->last_error;
			past[new[n]->action] -= hits;
		}
		if (d <= 0)
			past[old[o]->action] += hits;
		o += d <= 0;
		n += d >= 0;
	}
	free(old);
	free(new);
}

static void carry(const struct pins *pins, int old_records, int new_records)
{
	struct view from, to, past;
	int err;

	if (old_records < 0 || view_open(&from, old_records, sizeof(struct smcu_policy_rule)))
		return;
	err = past_open(&past, pins, true);
	if (!err && !view_open(&to, new_records, sizeof(struct smcu_policy_rule))) {
		carry_counters(&from, &to, past.at);
		view_close(&to);
	}
	if (err)
		log_warning("the counters of the policy before this one are lost: %s", strerror(-err));
	else
		view_close(&past);
	view_close(&from);
}

/* A slot's text, to be freed, if it was stored for that generation. Return: 0 or -errno. */
static int read_text(const struct pins *pins, uint32_t generation, char **text, uint64_t *loaded)
{
	int fd = open_part(pins, PART_TEXT, generation & 1), err = 0;
	struct bpf_map_info map = { 0 };
	uint32_t size = sizeof(map), zero = 0;
	struct stored_text *stored;

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &map, &size)) {
		err = -errno;
		close(fd);
		return err;
	}
	stored = calloc(1, map.value_size);
	if (!stored) {
		err = -ENOMEM;
	} else if (map.value_size < sizeof(*stored) || bpf_map_lookup_elem(fd, &zero, stored) ||
		   stored->len > map.value_size - sizeof(*stored)) {
		err = -EINVAL;
	} else if (stored->generation != generation) {
		err = -ENOENT;
	} else {
		*loaded = stored->loaded;
		*text = strndup(stored->text, stored->len);
		err = *text ? 0 : -ENOMEM;
	}
	free(stored);
	close(fd);
	return err;
}

char *maps_previous(const struct maps *maps, const struct pins *pins)
{
	char *text = NULL;
	uint64_t loaded;

	read_text(pins, maps->word->gen - 1, &text, &loaded);
	return text;
}

/*
 * The text to return to after this policy will be in force: that of the policy now in force, which is where it belongs already (NULL), or if
 * that is the same policy, loaded again or to make room for cgroups, that of the one before, to be freed.
 */
static char *text_to_keep(const struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	char *text = smcpol_print(policy), *now = NULL, *keep = NULL;
	uint64_t loaded;

	if (text && maps_have_policy(maps) && !read_text(pins, maps->word->gen, &now, &loaded) && !strcmp(text, now))
		keep = maps_previous(maps, pins);
	free(text);
	free(now);
	return keep;
}

static void keep_text(const struct pins *pins, const char *text, uint32_t generation)
{
	int fd = make_text(text, generation);
	char name[32];

	slot_name(name, sizeof(name), PART_TEXT, generation & 1);
	if (fd < 0 || pins_put(fd, pins->maps, name))
		log_warning("the policy before this one could not be kept for a rollback: %s", strerror(fd < 0 ? -fd : errno));
	if (fd >= 0)
		close(fd);
}

int maps_publish(struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	uint32_t generation = maps->word->gen + 1, slot = generation & 1, barrier = SMCU_POLICY_SLOT_BARRIER;
	int old_records = maps_have_policy(maps) ? open_part(pins, PART_RECORDS, !slot) : -1;
	char *keep = text_to_keep(maps, pins, policy);
	struct generation g;
	int err;

	err = generation_make(&g, pins, policy, generation);
	if (!err)
		err = wait_for_readers(maps, g.fd[PART_IMAGE]);
	if (!err)
		err = put_slot(maps, pins, slot, &g);
	if (!err) {
		__atomic_store_n(&maps->word->gen, generation, __ATOMIC_RELEASE);
		/* The first time: programs ignore the maps until this is set. */
		__atomic_store_n(&maps->word->abi, SMCU_POLICY_ABI, __ATOMIC_RELEASE);
		if (!wait_for_readers(maps, g.fd[PART_IMAGE])) {
			carry(pins, old_records, g.fd[PART_RECORDS]);
			empty_slot(maps, pins, !slot);
		}
		bpf_map_delete_elem(maps->images, &barrier);
		if (keep)
			keep_text(pins, keep, generation - 1);
	} else {
		log_error("the policy could not be put into the kernel: %s; the one before stays in force",
			  err == -E2BIG ? "its compiled form is too large, name fewer values in its rules" : strerror(-err));
	}
	generation_close(&g);
	free(keep);
	if (old_records >= 0)
		close(old_records);
	return err ? -1 : 0;
}

static int read_records(const struct pins *pins, struct policy_info *info)
{
	int fd = open_part(pins, PART_RECORDS, info->generation & 1), err;
	struct view view;

	if (fd < 0)
		return -errno;
	err = view_open(&view, fd, sizeof(*info->records));
	close(fd);
	if (err)
		return err;
	info->records = malloc(view.size);
	if (info->records) {
		memcpy(info->records, view.at, view.size);
		info->nr_records = view.nr;
	}
	view_close(&view);
	return info->records ? 0 : -ENOMEM;
}

static int read_past(const struct pins *pins, struct policy_info *info)
{
	struct view past;
	int err = past_open(&past, pins, false);

	if (!err) {
		memcpy(info->past, past.at, sizeof(info->past));
		view_close(&past);
	}
	return err == -ENOENT ? 0 : err;
}

int maps_read(const struct maps *maps, const struct pins *pins, struct policy_info *info)
{
	int err;

	memset(info, 0, sizeof(*info));
	info->generation = maps->word->gen;
	err = read_records(pins, info);
	if (!err)
		err = read_past(pins, info);
	if (!err)
		err = read_text(pins, info->generation, &info->text, &info->loaded);
	if (err)
		policy_info_free(info);
	return err;
}

void policy_info_free(struct policy_info *info)
{
	free(info->records);
	free(info->text);
	memset(info, 0, sizeof(*info));
}

/* The image and the cgroups in force, open for additions. */
struct additions {
	const struct smcpol *policy;
	struct view image;
	int cgroups;
	bool is_needed; /* else nothing is open */
};

static int additions_open(struct additions *a, const struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	uint32_t slot = maps->word->gen & 1;
	int image = open_part(pins, PART_IMAGE, slot), err;

	memset(a, 0, sizeof(*a));
	a->policy = policy;
	if (image < 0)
		return -errno;
	err = view_open(&a->image, image, sizeof(union smcu_block));
	close(image);
	if (err)
		return err;
	a->is_needed = names_cgroups(a->image.at);
	if (a->is_needed) {
		a->cgroups = open_part(pins, PART_CGROUPS, slot);
		err = a->cgroups < 0 ? -errno : 0;
	}
	if (err || !a->is_needed)
		view_close(&a->image);
	return err;
}

static void additions_close(struct additions *a)
{
	if (!a->is_needed)
		return;
	view_close(&a->image);
	close(a->cgroups);
}

/* The set first, then the entry by which programs find it. */
static int add_cgroup(void *arg, const char *path, uint64_t id)
{
	struct additions *a = arg;
	struct smcu_policy_cgroup sets;

	if (!bpf_map_lookup_elem(a->cgroups, &id, &sets))
		return 0;
	if (!smcpol_image_cgroup(a->image.at, a->policy, path, &sets))
		return -ENOSPC;
	return bpf_map_update_elem(a->cgroups, &id, &sets, BPF_ANY) ? -errno : 0;
}

/* Ids of the cgroups that are there. */
struct ids {
	struct additions *additions;
	uint64_t *at;
	unsigned int nr;
	unsigned int room;
};

static int note_cgroup(void *arg, const char *path, uint64_t id)
{
	struct ids *ids = arg;

	if (ids->nr == ids->room) {
		uint64_t *grown = reallocarray(ids->at, ids->room + CGROUPS_ROOM, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		ids->at = grown;
		ids->room += CGROUPS_ROOM;
	}
	ids->at[ids->nr++] = id;
	return add_cgroup(ids->additions, path, id);
}

static int by_id(const void *a, const void *b)
{
	const uint64_t *ia = a, *ib = b;

	return (*ia > *ib) - (*ia < *ib);
}

/* Entries of cgroups that have gone. */
static void remove_gone(int fd, struct ids *ids)
{
	uint64_t id, next;
	bool more;

	qsort(ids->at, ids->nr, sizeof(*ids->at), by_id);
	for (more = !bpf_map_get_next_key(fd, NULL, &id); more; id = next) {
		/* Asked for before the current one goes: then there is no next. */
		more = !bpf_map_get_next_key(fd, &id, &next);
		if (!bsearch(&id, ids->at, ids->nr, sizeof(id), by_id))
			bpf_map_delete_elem(fd, &id);
	}
}

int maps_cgroups_sync(const struct maps *maps, const struct pins *pins, const struct smcpol *policy)
{
	struct additions a;
	struct ids ids = { .additions = &a };
	int err = additions_open(&a, maps, pins, policy);

	if (err || !a.is_needed)
		return err;
	err = walk_cgroups(pins, note_cgroup, &ids);
	if (!err)
		remove_gone(a.cgroups, &ids);
	free(ids.at);
	additions_close(&a);
	return err;
}

int maps_remove(const struct pins *pins)
{
	static const char *const names[] = { "smcu_state", "smcu_images", "smcu_rules", "smcu_cgroups", "smcu_events", "image-0",
					     "image-1",	   "records-0",	  "records-1",	"cgroups-0",	"cgroups-1",   "text-0",
					     "text-1",	   PAST,	 PINS_FRESH };
	unsigned int i;
	int err = 0;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_join(pins->maps, names[i]);

		if (unlink(path) && errno != ENOENT)
			err = -errno;
		free(path);
	}
	return err;
}
