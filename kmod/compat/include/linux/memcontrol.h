/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMCU_COMPAT_LINUX_MEMCONTROL_H
#define SMCU_COMPAT_LINUX_MEMCONTROL_H

#include_next <linux/memcontrol.h>

/* 6.3, "mm: multi-gen LRU: per-node lru_gen_folio lists": a reference, unless the group is going. */
#ifndef SMCU_HAVE_MEM_CGROUP_TRYGET
static inline bool mem_cgroup_tryget(struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	return !memcg || css_tryget(&memcg->css);
#else
	return true;
#endif
}
#endif

#endif
