// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * The policy in the kernel: two generations, one published. Order of a reload, each step safe to be the last one:
 *
 *	1. build the new generation's trie and records, which no program can see yet
 *	2. wait for an RCU grace period: nobody still reads the idle slot from before the last flip (a loader that died there)
 *	3. put both into the idle slot, and pin the records and the text under that slot's names
 *	4. one 32-bit store: programs that start from now on take the new slot
 *	5. wait again, and empty the other slot
 *
 * The wait is an update of a map-in-map: the kernel synchronizes RCU in it, and needs no more privilege than the rest does.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "loader.h"

/* The one value of a slot's text map. */
struct stored_text {
	uint64_t loaded;
	uint32_t len;
	uint32_t zero;
	char text[];
};

static int open_pin(const struct pins *pins, const char *name)
{
	char *path = path_join(pins->maps, name);
	int fd = bpf_obj_get(path);

	free(path);
	return fd;
}

/* Return: 0, or -errno with nothing printed: -ENOENT is how "nothing attached" looks. */
int maps_open(struct maps *maps, const struct pins *pins)
{
	void *word;
	int err;

	memset(maps, 0, sizeof(*maps));
	maps->state = open_pin(pins, "smcu_state");
	maps->tries = open_pin(pins, "smcu_tries");
	maps->rules = open_pin(pins, "smcu_rules");
	if (maps->state < 0 || maps->tries < 0 || maps->rules < 0) {
		err = -errno;
		goto err_close;
	}
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
	if (maps->word)
		munmap((void *)maps->word, sysconf(_SC_PAGESIZE));
	if (maps->state > 0)
		close(maps->state);
	if (maps->tries > 0)
		close(maps->tries);
	if (maps->rules > 0)
		close(maps->rules);
	memset(maps, 0, sizeof(*maps));
}

bool maps_have_policy(const struct maps *maps)
{
	return maps->word->abi == SMCU_POLICY_ABI;
}

static int make_trie(const struct smcpol_image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	unsigned int i;
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "smcu_trie", sizeof(struct smcu_policy_key),
			    sizeof(struct smcu_policy_bits), image->nr_entries ? image->nr_entries : 1, &opts);
	if (fd < 0)
		return -errno;
	for (i = 0; i < image->nr_entries; i++) {
		if (bpf_map_update_elem(fd, &image->entries[i].key, &image->entries[i].bits, BPF_ANY)) {
			err = -errno;
			close(fd);
			return err;
		}
	}
	return fd;
}

static int make_records(const struct smcpol_image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	unsigned int i;
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "smcu_records", sizeof(uint32_t), sizeof(struct smcu_policy_rule),
			    image->nr_rules + 1, &opts);
	if (fd < 0)
		return -errno;
	for (i = 0; i <= image->nr_rules; i++) {
		if (bpf_map_update_elem(fd, &i, &image->records[i], BPF_ANY)) {
			err = -errno;
			close(fd);
			return err;
		}
	}
	return fd;
}

static int make_text(const char *text)
{
	size_t len = strlen(text), size = (sizeof(struct stored_text) + len + 1 + 7) & ~7UL;
	struct stored_text *stored = calloc(1, size);
	uint32_t zero = 0;
	int fd, err;

	if (!stored)
		return -ENOMEM;
	stored->loaded = time(NULL);
	stored->len = len;
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

/* Everyone who reads any slot now will have finished. */
static int wait_for_readers(const struct maps *maps, int trie)
{
	uint32_t slot = SMCU_POLICY_SLOT_BARRIER;

	return bpf_map_update_elem(maps->tries, &slot, &trie, BPF_ANY) ? -errno : 0;
}

static void slot_name(char *name, size_t size, const char *what, uint32_t slot)
{
	snprintf(name, size, "%s-%u", what, slot);
}

static int put_slot(struct maps *maps, const struct pins *pins, uint32_t slot, int trie, int records, int text)
{
	char name[32];
	int err;

	if (bpf_map_update_elem(maps->tries, &slot, &trie, BPF_ANY) ||
	    bpf_map_update_elem(maps->rules, &slot, &records, BPF_ANY))
		return -errno;
	slot_name(name, sizeof(name), "records", slot);
	err = pins_put(records, pins->maps, name);
	if (err)
		return err;
	slot_name(name, sizeof(name), "text", slot);
	return pins_put(text, pins->maps, name);
}

static void empty_slot(struct maps *maps, const struct pins *pins, uint32_t slot)
{
	static const char *const what[] = { "records", "text" };
	char name[32], *path;
	unsigned int i;

	bpf_map_delete_elem(maps->tries, &slot);
	bpf_map_delete_elem(maps->rules, &slot);
	for (i = 0; i < 2; i++) {
		slot_name(name, sizeof(name), what[i], slot);
		path = path_join(pins->maps, name);
		unlink(path);
		free(path);
	}
}

/* Put a policy in force, all at once. Return: 0, or -1 with the reason printed and the old policy still in force. */
int maps_publish(struct maps *maps, const struct pins *pins, const struct smcpol_image *image, const char *text)
{
	uint32_t generation = maps->word->gen + 1, slot = generation & 1, barrier = SMCU_POLICY_SLOT_BARRIER;
	int trie, records, stored, err;

	trie = make_trie(image);
	records = make_records(image);
	stored = make_text(text);
	err = trie < 0 ? trie : records < 0 ? records : stored < 0 ? stored : 0;
	if (!err)
		err = wait_for_readers(maps, trie);
	if (!err)
		err = put_slot(maps, pins, slot, trie, records, stored);
	if (!err) {
		__atomic_store_n(&maps->word->gen, generation, __ATOMIC_RELEASE);
		/* The first time: programs ignore the maps until this is set. */
		__atomic_store_n(&maps->word->abi, SMCU_POLICY_ABI, __ATOMIC_RELEASE);
		if (!wait_for_readers(maps, trie))
			empty_slot(maps, pins, !slot);
		bpf_map_delete_elem(maps->tries, &barrier);
	} else {
		log_error("the policy could not be put into the kernel: %s; the one before stays in force", strerror(-err));
	}
	if (trie >= 0)
		close(trie);
	if (records >= 0)
		close(records);
	if (stored >= 0)
		close(stored);
	return err ? -1 : 0;
}

static int read_text(int fd, struct policy_info *info)
{
	struct bpf_map_info map = { 0 };
	struct stored_text *stored;
	uint32_t size = sizeof(map), zero = 0;
	int err = 0;

	if (bpf_obj_get_info_by_fd(fd, &map, &size))
		return -errno;
	stored = calloc(1, map.value_size);
	if (!stored)
		return -ENOMEM;
	if (map.value_size < sizeof(*stored) || bpf_map_lookup_elem(fd, &zero, stored) ||
	    stored->len > map.value_size - sizeof(*stored)) {
		err = -EINVAL;
	} else {
		info->loaded = stored->loaded;
		info->text = strndup(stored->text, stored->len);
	}
	free(stored);
	return err;
}

static int read_records(int fd, struct policy_info *info)
{
	struct bpf_map_info map = { 0 };
	uint32_t size = sizeof(map), i;

	if (bpf_obj_get_info_by_fd(fd, &map, &size))
		return -errno;
	if (map.value_size != sizeof(*info->records))
		return -EINVAL;
	info->records = calloc(map.max_entries, sizeof(*info->records));
	if (!info->records)
		return -ENOMEM;
	info->nr_records = map.max_entries;
	for (i = 0; i < map.max_entries; i++) {
		if (bpf_map_lookup_elem(fd, &i, &info->records[i]))
			return -errno;
	}
	return 0;
}

/* The policy in force, with its counters. Return: 0 or -errno. */
int maps_read(const struct maps *maps, const struct pins *pins, struct policy_info *info)
{
	char records_name[32], text_name[32];
	int records, text, err;

	memset(info, 0, sizeof(*info));
	info->generation = maps->word->gen;
	slot_name(records_name, sizeof(records_name), "records", info->generation & 1);
	slot_name(text_name, sizeof(text_name), "text", info->generation & 1);
	records = open_pin(pins, records_name);
	text = open_pin(pins, text_name);
	err = records < 0 || text < 0 ? -errno : read_records(records, info);
	if (!err)
		err = read_text(text, info);
	if (records >= 0)
		close(records);
	if (text >= 0)
		close(text);
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

/* Unpin every map, when the last link has gone. */
int maps_remove(const struct pins *pins)
{
	static const char *const names[] = { "smcu_state", "smcu_tries", "smcu_rules", "records-0",
					     "records-1",  "text-0",	 "text-1",     "new" };
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
