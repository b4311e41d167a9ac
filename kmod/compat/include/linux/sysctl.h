/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.11, "sysctl: treewide: constify the ctl_table argument of proc_handlers". Before, handlers could write to the table and none
 * of those that we call does. Our own handlers have their shape in ops_shape.h.
 */
#ifndef SMCU_COMPAT_LINUX_SYSCTL_H
#define SMCU_COMPAT_LINUX_SYSCTL_H

#include_next <linux/sysctl.h>

#ifndef SMCU_HAVE_SYSCTL_CONST
#define proc_dointvec_minmax(table, write, buf, len, pos) \
	(proc_dointvec_minmax)((struct ctl_table *)(table), write, buf, len, pos)
#endif

#endif
