/* SPDX-License-Identifier: GPL-2.0 */
/* 6.9, "bpf: treewide: Annotate BPF kfuncs in BTF": lists of kfuncs are marked as such. Older kernels want no mark. */
#ifndef SMCU_COMPAT_LINUX_BTF_IDS_H
#define SMCU_COMPAT_LINUX_BTF_IDS_H

#include_next <linux/btf_ids.h>

#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START BTF_SET8_START
#define BTF_KFUNCS_END BTF_SET8_END
#endif

#endif
