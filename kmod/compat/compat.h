/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Force-included before every file of the modules. The code is written for the newest kernel's interfaces; the wrappers in
 * compat/include/ bend older kernels to them, one for each kernel header that changed.
 */
#ifndef SMCU_COMPAT_H
#define SMCU_COMPAT_H

#define pr_fmt(fmt) "smc_ulp: " fmt

#endif
