#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# The guest's part of tests/bench/run: guest.sh EFFORT. One boot, an adapter on lo; the kernel's own SMC first, then this
# project's module, since both register the ULP "smc" on 6.12.
set -u
bench=$SMCU_TREE/build/tools/bench
ueid=$SMCU_TREE/build/tools/smc_ueid
workloads="rr64 rr4k stream64k crr64 multi16 memory"
status=0

measure() {
	"$bench" --address 10.9.9.9 --effort "$effort" "$@" || status=1
}

need() {
	"$@" && return
	echo "bench: failed: $*" >&2
	exit 1
}

effort=$1
need ip addr add 10.9.9.9/32 dev lo
need modprobe rdma_rxe
need rdma link add rxe0 type rxe netdev lo
# In-tree SMC finds no RDMA adapter for lo unless a pnet id joins the two.
need modprobe smc
need "$ueid" add SMCTEST01
need "$ueid" pnet-eth BENCH lo
need "$ueid" pnet-ib BENCH rxe0

for subject in tcp unix intree; do
	measure $subject $workloads
done

if [ ! -e "$SMCU_MODDIR/smc_ulp.ko" ]; then
	echo "bench: no $SMCU_KERNEL module smc_ulp.ko, so no figures for it" >&2
	exit 1
fi
rmmod smc_diag 2>/dev/null
need rmmod smc
need insmod "$SMCU_MODDIR/smc_ulp.ko"
for subject in tcp-loaded smc fallback fallback-server; do
	measure $subject $workloads
done
exit $status
