/* SPDX-License-Identifier: GPL-2.0 */
/* 6.16, "net: devmem: Implement TX path": msg_zerocopy_realloc() is told whether the memory is a device's. */
#ifndef SMCU_COMPAT_LINUX_SKBUFF_H
#define SMCU_COMPAT_LINUX_SKBUFF_H

#include_next <linux/skbuff.h>

#ifndef SMCU_HAVE_ZEROCOPY_DEVMEM
#define msg_zerocopy_realloc(sk, size, uarg, devmem) (msg_zerocopy_realloc)(sk, size, uarg)
#endif

#endif
