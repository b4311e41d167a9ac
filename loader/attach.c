// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Programs and links. A link is pinned as ID-HOOK (bpffs takes no dots), so that whoever comes later finds it: attaching again replaces the program in
 * the link, which misses no connection, and detaching removes the pin.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"
#include "select.skel.h"

struct programs {
	struct select_bpf *skel;
};

static const char *const hooks[] = { "connect4", "connect6", "bind4", "bind6" };
#define NR_HOOKS (sizeof(hooks) / sizeof(*hooks))

static struct bpf_program *program_of(struct programs *programs, const char *hook)
{
	char name[32];

	snprintf(name, sizeof(name), "smcu_%s", hook);
	return bpf_object__find_program_by_name(programs->skel->obj, name);
}

/* Maps that are pinned already are taken over, others are made and pinned. */
static int set_pin_paths(struct select_bpf *skel, const struct pins *pins)
{
	struct bpf_map *maps[] = { skel->maps.smcu_state, skel->maps.smcu_tries, skel->maps.smcu_rules };
	unsigned int i;
	int err = 0;

	for (i = 0; i < 3 && !err; i++) {
		char *path = path_join(pins->maps, bpf_map__name(maps[i]));

		err = bpf_map__set_pin_path(maps[i], path);
		free(path);
	}
	return err;
}

static struct select_bpf *try_load(const struct pins *pins, bool use_kfunc, int *err)
{
	struct select_bpf *skel = select_bpf__open();

	if (!skel) {
		*err = -errno;
		return NULL;
	}
	skel->rodata->use_kfunc = use_kfunc;
	*err = set_pin_paths(skel, pins);
	if (!*err)
		*err = select_bpf__load(skel);
	if (!*err)
		return skel;
	select_bpf__destroy(skel);
	return NULL;
}

/*
 * Load the programs for the best way this kernel has; *way is what they use in the end. NULL: the reason was printed, and
 * errno tells EPERM from a kernel that cannot.
 */
struct programs *programs_load(const struct pins *pins, enum way *way)
{
	struct programs *programs = calloc(1, sizeof(*programs));
	int err = -ENOMEM;

	if (!programs)
		return NULL;
	programs->skel = try_load(pins, *way == WAY_KFUNC, &err);
	if (!programs->skel && *way == WAY_KFUNC) {
		/* Its BTF names the kfunc, but this kernel does not admit it here. */
		*way = WAY_SETSOCKOPT;
		programs->skel = try_load(pins, false, &err);
	}
	if (programs->skel)
		return programs;

	free(programs);
	log_libbpf_replay();
	if (err == -EPERM || err == -EACCES)
		log_error("the kernel refused the BPF programs: %s. CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed; are you root?",
			  strerror(-err));
	else
		log_error("the BPF programs could not be loaded: %s (-v shows why)", strerror(-err));
	errno = -err;
	return NULL;
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	select_bpf__destroy(programs->skel);
	free(programs);
}

static char *pin_path(const struct pins *pins, uint64_t id, const char *hook)
{
	char name[64];

	snprintf(name, sizeof(name), "%" PRIu64 "-%s", id, hook);
	return path_join(pins->links, name);
}

static int link_info(int fd, struct bpf_link_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &size) ? -errno : 0;
}

/* 1 when the pinned link now runs our program, 0 when there is none that lives, or -errno. */
static int link_replace(const char *path, struct bpf_program *prog)
{
	struct bpf_link_info info;
	int fd, err;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = link_info(fd, &info);
	if (!err && !info.cgroup.cgroup_id) {
		/* Its cgroup was removed, and this is another one of the same number. */
		err = unlink(path) ? -errno : 0;
	} else if (!err) {
		err = bpf_link_update(fd, bpf_program__fd(prog), NULL) ? -errno : 1;
	}
	close(fd);
	return err;
}

static int link_create(const char *path, struct bpf_program *prog, int cgroup)
{
	struct bpf_link *link = bpf_program__attach_cgroup(prog, cgroup);
	int err;

	if (!link)
		return -errno;
	err = bpf_link__pin(link, path);
	bpf_link__destroy(link);
	return err;
}

/* Bring the other cgroups' links to the same programs: one version, one way of enabling, everywhere. */
static int links_update_others(struct programs *programs, const struct pins *pins, uint64_t id)
{
	struct link_state *links;
	int i, nr, err = 0;

	nr = links_list(pins, &links);
	for (i = 0; i < nr && err >= 0; i++) {
		char *path;

		if (links[i].pinned_id == id || !links[i].id)
			continue;
		path = pin_path(pins, links[i].pinned_id, links[i].hook);
		err = link_replace(path, program_of(programs, links[i].hook));
		free(path);
	}
	if (nr >= 0)
		free(links);
	return nr < 0 ? nr : err < 0 ? err : 0;
}

/*
 * Attach all hooks to a cgroup, or renew what is attached. Return: 0, or -1 with the reason printed; what this call had newly
 * attached is gone then.
 */
int programs_attach(struct programs *programs, const struct pins *pins, int cgroup, uint64_t id)
{
	char *created[NR_HOOKS] = { NULL };
	unsigned int i;
	int err = 0;

	for (i = 0; i < NR_HOOKS && err >= 0; i++) {
		struct bpf_program *prog = program_of(programs, hooks[i]);
		char *path = pin_path(pins, id, hooks[i]);

		err = link_replace(path, prog);
		if (!err) {
			err = link_create(path, prog, cgroup);
			if (!err) {
				created[i] = path;
				path = NULL;
			}
		}
		free(path);
		if (err < 0)
			log_error("%s could not be attached: %s", hooks[i], strerror(-err));
	}
	if (err >= 0) {
		err = links_update_others(programs, pins, id);
		if (err < 0)
			log_error("a link of another cgroup could not be renewed: %s", strerror(-err));
	}
	for (i = 0; i < NR_HOOKS; i++) {
		if (err < 0 && created[i])
			unlink(created[i]);
		free(created[i]);
	}
	return err < 0 ? -1 : 0;
}

static int read_link(const struct pins *pins, const char *name, struct link_state *state)
{
	struct bpf_link_info info;
	char *path;
	int fd, err;

	memset(state, 0, sizeof(*state));
	if (sscanf(name, "%" SCNu64 "-%15s", &state->pinned_id, state->hook) != 2)
		return -EINVAL;
	path = path_join(pins->links, name);
	fd = bpf_obj_get(path);
	err = fd < 0 ? -errno : link_info(fd, &info);
	if (fd >= 0)
		close(fd);
	free(path);
	if (err)
		return err;
	state->id = info.cgroup.cgroup_id;
	state->prog = info.prog_id;
	return 0;
}

static int by_cgroup_and_hook(const void *a, const void *b)
{
	const struct link_state *la = a, *lb = b;

	if (la->pinned_id != lb->pinned_id)
		return la->pinned_id < lb->pinned_id ? -1 : 1;
	return strcmp(la->hook, lb->hook);
}

/* All pinned links, sorted, to be freed. Return: their number or -errno. */
int links_list(const struct pins *pins, struct link_state **links)
{
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	*links = NULL;
	dir = opendir(pins->links);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		struct link_state *grown;

		if (entry->d_name[0] == '.')
			continue;
		grown = reallocarray(*links, nr + 1, sizeof(*grown));
		if (!grown) {
			free(*links);
			closedir(dir);
			return -ENOMEM;
		}
		*links = grown;
		if (!read_link(pins, entry->d_name, &grown[nr]))
			nr++;
	}
	closedir(dir);
	if (nr)
		qsort(*links, nr, sizeof(**links), by_cgroup_and_hook);
	return nr;
}

/* Remove a cgroup's links, or all. Return: how many, or -errno. */
int links_detach(const struct pins *pins, uint64_t id, bool all)
{
	struct link_state *links;
	int i, nr, removed = 0, err = 0;

	nr = links_list(pins, &links);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++) {
		char *path;

		if (!all && links[i].pinned_id != id)
			continue;
		path = pin_path(pins, links[i].pinned_id, links[i].hook);
		if (unlink(path))
			err = -errno;
		else
			removed++;
		free(path);
	}
	free(links);
	return err ? err : removed;
}
