/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.3, "bpf: Add __bpf_kfunc tag for marking kernel functions as kfuncs"; 7.0, "bpf: Make KF_TRUSTED_ARGS the default for all
 * kfuncs", which is the end of the flag.
 */
#ifndef SMCU_COMPAT_LINUX_BTF_H
#define SMCU_COMPAT_LINUX_BTF_H

#include_next <linux/btf.h>

#ifndef __bpf_kfunc
#define __bpf_kfunc __used noinline
#endif

/* Without it an older verifier would let a program pass any pointer of the right type. */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

#endif
