#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: our module and the kernel's own in one kernel, two hosts
# hosts: 2
# kernel: 6.12
# more: 6.1
# timeout: 600
# mtu: 9000
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# Host 1 has both, in turns or at once; host 2 has ours.
works() {
	rdma_used "$1" "$3" exchange "$1" "$2 -c 4" "--ulp -c 4 -n 300K"
}
ours_works() { works "$1: ours works" --ulp yes; }
in_tree_works() { works "$1: in-tree works" "--family smc" $in_tree_rdma; }

# on_1 COMMAND...: on host 1 only, and host 2 waits for it.
on_1() {
	STEP=$((${STEP:-0} + 1))
	[ "$SMCU_HOST" = 2 ] || "$@"
	barrier "step-$STEP"
}

unload_intree() { rmmod smc_diag && wait_for 30 rmmod smc; }
busy() { smcu_load 2>&1 | grep -q busy; }
log_says() { dmesg | grep -q "$1"; }

has_ulp=$(modinfo -F alias smc | grep -c '^tcp-ulp-smc$')
# 6.1's declines (see load_intree), and its peers are TCP with every byte.
in_tree_rdma=yes
[ "$SMCU_KERNEL" != 6.1 ] || in_tree_rdma=no
rxe_up
[ "$SMCU_HOST" = 1 ] || check "module loads on the other host" load_module
barrier up

if [ "$has_ulp" != 0 ]; then
	# The name of a ULP is taken once: whoever is second is refused, and says why.
	on_1 check "in-tree loads" load_intree
	on_1 check "ours beside it is refused, and modprobe would not take that for success" busy
	on_1 check "and says why" log_says 'smc_ulp: ULP "smc" is taken.*modprobe -r smc_diag smc'
	in_tree_works "after the refusal"
	on_1 check "in-tree unloads" unload_intree
	on_1 check "ours loads" load_module
	# modprobe is content with the EEXIST it gets, but nothing is loaded.
	on_1 check "in-tree beside it is refused" sh -c "modprobe smc; ! test -e /sys/module/smc"
	on_1 check "and says why, too" log_says "smc: smc_init: tcp_ulp_register fails with -17"
	ours_works "after the other refusal"
	on_1 check "ours unloads" smcu_unload
	on_1 check "in-tree loads again" load_intree
	in_tree_works "again"
else
	# Without a ULP in the kernel's own both are there at once, and neither minds that the other goes.
	on_1 check "in-tree loads" load_intree
	on_1 check "ours loads beside it" load_module
	ours_works "both"
	in_tree_works "both"
	on_1 check "in-tree unloads" unload_intree
	ours_works "in-tree has gone"
	on_1 check "in-tree loads again" load_intree
	on_1 check "ours unloads" smcu_unload
	in_tree_works "ours has gone"
	on_1 check "ours loads again" load_module
	ours_works "ours is back"
	in_tree_works "ours is back"
	on_1 check "ours unloads again" smcu_unload
fi
on_1 check "in-tree unloads at the end" unload_intree
