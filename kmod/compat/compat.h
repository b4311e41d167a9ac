/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Force-included before every file of the modules. The code is written for the newest kernel's interfaces (7.2). compat/include/
 * bends older kernels to them, with one wrapper for each kernel header that changed, which the compiler finds first; probe.mk
 * looks for what this kernel has. Callbacks that only have another signature are in ops_shape.h. docs/compat.md is the list.
 */
#ifndef SMCU_COMPAT_H
#define SMCU_COMPAT_H

#define pr_fmt(fmt) "smc_ulp: " fmt

/* 6.6, "Compiler Attributes: Add __counted_by macro", in a header that comes before this one. 6.1 has it since its later updates. */
#ifndef __counted_by
#define __counted_by(member)
#endif

#endif
