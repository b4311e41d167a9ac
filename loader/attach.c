// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * Programs and links. A link is pinned as ID-HOOK (bpffs takes no dots), so that whoever comes later finds it: attaching again replaces
 * the program in the link, which misses no connection, and detaching removes the pin. The programs are pinned beside: a container's hook
 * has two seconds for everything, and loading is most of that on a slow machine.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "loader.h"
#include "select.skel.h"
#include "select_kfunc.skel.h"

static const struct {
	const char *name;
	enum bpf_attach_type type;
} hooks[] = {
	{ "connect4", BPF_CGROUP_INET4_CONNECT },
	{ "connect6", BPF_CGROUP_INET6_CONNECT },
	{ "bind4", BPF_CGROUP_INET4_BIND },
	{ "bind6", BPF_CGROUP_INET6_BIND },
};
#define NR_HOOKS (sizeof(hooks) / sizeof(*hooks))

/* bpf/enable.h; the kernel keeps fifteen letters of a program's name. */
#define KFUNC_PREFIX "smcu_kf_"

/* Just loaded, or opened from their pins: then there is no object, and the descriptors are ours. */
struct programs {
	struct bpf_object *object;
	int fd[NR_HOOKS];
};

static int program_of(const struct programs *programs, const char *hook)
{
	unsigned int i;

	for (i = 0; i < NR_HOOKS; i++) {
		if (!strcmp(hooks[i].name, hook))
			return programs->fd[i];
	}
	return -1;
}

/* Maps that are pinned already are taken over, others are made and pinned. The compiler's own (.rodata) are not for others. */
static int set_pin_paths(struct bpf_object *object, const struct pins *pins)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, object) {
		char *path = bpf_map__is_internal(map) ? NULL : path_join(pins->maps, bpf_map__name(map));

		if (path && !err)
			err = bpf_map__set_pin_path(map, path);
		free(path);
	}
	return err;
}

static struct bpf_object *try_load(const struct pins *pins, bool use_kfunc, int *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "select_bpf");
	const void *elf;
	struct bpf_object *object;
	size_t size;

	elf = use_kfunc ? select_kfunc_bpf__elf_bytes(&size) : select_bpf__elf_bytes(&size);
	object = bpf_object__open_mem(elf, size, &opts);
	if (!object) {
		*err = -errno;
		return NULL;
	}
	*err = set_pin_paths(object, pins);
	if (!*err)
		*err = bpf_object__load(object);
	if (!*err)
		return object;
	bpf_object__close(object);
	return NULL;
}

static void take_descriptors(struct programs *programs, bool use_kfunc)
{
	unsigned int i;
	char name[32];

	for (i = 0; i < NR_HOOKS; i++) {
		snprintf(name, sizeof(name), "%s%s", use_kfunc ? KFUNC_PREFIX : "smcu_", hooks[i].name);
		programs->fd[i] = bpf_program__fd(bpf_object__find_program_by_name(programs->object, name));
	}
}

struct programs *programs_open(const struct pins *pins)
{
	struct programs *programs = calloc(1, sizeof(*programs));
	unsigned int i;
	bool has_all = programs;

	for (i = 0; programs && i < NR_HOOKS; i++) {
		char *path = path_join(pins->programs, hooks[i].name);

		programs->fd[i] = bpf_obj_get(path);
		has_all = has_all && programs->fd[i] >= 0;
		free(path);
	}
	if (has_all)
		return programs;
	programs_free(programs);
	return NULL;
}

void programs_free(struct programs *programs)
{
	unsigned int i;

	if (!programs)
		return;
	for (i = 0; i < NR_HOOKS && !programs->object; i++) {
		if (programs->fd[i] >= 0)
			close(programs->fd[i]);
	}
	bpf_object__close(programs->object);
	free(programs);
}

enum way programs_way(const struct programs *programs)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(programs->fd[0], &info, &size))
		return WAY_NONE;
	return strncmp(info.name, KFUNC_PREFIX, strlen(KFUNC_PREFIX)) ? WAY_SETSOCKOPT : WAY_KFUNC;
}

struct programs *programs_load(const struct pins *pins, enum way *way)
{
	struct programs *programs = calloc(1, sizeof(*programs));
	int err = -ENOMEM;

	if (!programs)
		return NULL;
	if (*way == WAY_KFUNC && !has_capability(CAP_SYS_ADMIN)) {
		/* A module's BTF is shown to CAP_SYS_ADMIN only. Somebody who had it may have left programs for us. */
		free(programs);
		programs = programs_open(pins);
		if (programs && programs_way(programs) == WAY_KFUNC)
			return programs;
		programs_free(programs);
		programs = calloc(1, sizeof(*programs));
		if (!programs)
			return NULL;
		*way = WAY_SETSOCKOPT;
	}
	programs->object = try_load(pins, *way == WAY_KFUNC, &err);
	if (!programs->object && *way == WAY_KFUNC) {
		/* Its BTF names the kfunc, but this kernel does not admit it here. */
		*way = WAY_SETSOCKOPT;
		programs->object = try_load(pins, false, &err);
	}
	if (programs->object) {
		take_descriptors(programs, *way == WAY_KFUNC);
		return programs;
	}

	free(programs);
	log_libbpf_replay();
	if (err == -EPERM || err == -EACCES)
		log_error("the kernel refused the BPF programs: %s. CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed; are you root?",
			  strerror(-err));
	else if (!kernel_has_btf())
		log_error("the BPF programs could not be loaded: this kernel has no BTF. Use one built with CONFIG_DEBUG_INFO_BTF, as Debian's are");
	else
		log_error("the BPF programs could not be loaded: %s. smc-ulp-loader features says what this kernel lacks, -v what the verifier said",
			  strerror(-err));
	errno = -err;
	return NULL;
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
static int link_replace(const char *path, int prog)
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
		err = bpf_link_update(fd, prog, NULL) ? -errno : 1;
	}
	close(fd);
	return err;
}

int programs_install(const struct programs *programs, const struct pins *pins)
{
	struct link_state *links;
	unsigned int h;
	int i, nr, err = 0;

	for (h = 0; h < NR_HOOKS && !err; h++)
		err = pins_put(programs->fd[h], pins->programs, hooks[h].name);
	if (err) {
		log_error("%s: a program cannot be pinned: %s", pins->programs, strerror(-err));
		return -1;
	}
	nr = links_list(pins, &links);
	for (i = 0; i < nr && err >= 0; i++) {
		char *path;

		if (!links[i].id)
			continue;
		path = pin_path(pins, links[i].pinned_id, links[i].hook);
		err = link_replace(path, program_of(programs, links[i].hook));
		free(path);
	}
	if (nr >= 0)
		free(links);
	if (nr >= 0 && err >= 0)
		return 0;
	log_error("a link could not be renewed: %s", strerror(nr < 0 ? -nr : -err));
	return -1;
}

int programs_remove(const struct pins *pins)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i <= NR_HOOKS; i++) {
		char *path = path_join(pins->programs, i < NR_HOOKS ? hooks[i].name : PINS_FRESH);

		if (unlink(path) && errno != ENOENT)
			err = -errno;
		free(path);
	}
	return err;
}

static int link_create(const char *path, int prog, int cgroup, enum bpf_attach_type type)
{
	/* A link is always one among others (BPF_F_ALLOW_MULTI is implied): nobody's program is displaced. */
	int fd = bpf_link_create(prog, cgroup, type, NULL), err;

	if (fd < 0)
		return -errno;
	err = bpf_obj_pin(fd, path) ? -errno : 0;
	close(fd);
	return err;
}

static const char *attach_advice(int err)
{
	switch (err) {
	case -EPERM:
		return ". Either CAP_NET_ADMIN is missing, or a program was attached to this cgroup or one above it without allowing others (bpftool cgroup tree shows it): detach that";
	case -E2BIG:
		return ". 64 programs are the kernel's limit for a hook: detach some (bpftool cgroup tree shows them)";
	case -EINVAL:
		return ". Was the kernel built without CONFIG_CGROUP_BPF?";
	default:
		return "";
	}
}

int programs_attach(const struct programs *programs, const struct pins *pins, int cgroup, uint64_t id)
{
	char *created[NR_HOOKS] = { NULL };
	bool is_new = false;
	unsigned int i;
	int err = 0;

	for (i = 0; i < NR_HOOKS && err >= 0; i++) {
		char *path = pin_path(pins, id, hooks[i].name);

		err = link_replace(path, programs->fd[i]);
		if (!err) {
			err = link_create(path, programs->fd[i], cgroup, hooks[i].type);
			if (!err) {
				is_new = true;
				created[i] = path;
				path = NULL;
			}
		}
		free(path);
		if (err < 0 && err != -ENOENT)
			log_error("%s could not be attached: %s%s", hooks[i].name, strerror(-err), attach_advice(err));
	}
	for (i = 0; i < NR_HOOKS; i++) {
		if (err < 0 && created[i])
			unlink(created[i]);
		free(created[i]);
	}
	return err < 0 ? err : is_new;
}

uint64_t links_cover(const struct pins *pins, const uint64_t *ids, int nr)
{
	struct link_state *links;
	uint64_t found = 0;
	int i, l, nr_links;

	nr_links = links_list(pins, &links);
	for (i = 0; i < nr && !found; i++) {
		for (l = 0; l < nr_links && !found; l++) {
			if (links[l].id == ids[i])
				found = ids[i];
		}
	}
	if (nr_links >= 0)
		free(links);
	return found;
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

int links_detach(const struct pins *pins, enum which which, uint64_t id, bool dry_run)
{
	struct link_state *links;
	int i, nr, removed = 0, err = 0;

	nr = links_list(pins, &links);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++) {
		char *path;

		if ((which == WHICH_CGROUP && links[i].pinned_id != id) || (which == WHICH_DEAD && links[i].id))
			continue;
		path = pin_path(pins, links[i].pinned_id, links[i].hook);
		if (!dry_run && unlink(path))
			err = -errno;
		else
			removed++;
		free(path);
	}
	free(links);
	return err ? err : removed;
}
