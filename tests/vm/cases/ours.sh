#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: our ULP to our ULP, two hosts
# hosts: 2
# kernel: 6.12
# timeout: 600
# mtu: 9000
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

. "$SMCU_TREE/tests/vm/cases/lib/transfers.sh"

check "module loads" load_module
rxe_up
barrier up

transfers "--ulp" "--ulp"
exchange "IPv6 socket, v4-mapped address" "--ulp" "--ulp -n 1M" 0 ::ffff:$SERVER_ADDR
rdma_used "$MANY connections use RDMA" yes exchange "$MANY x 20 KB" "--ulp -c $MANY --stall 60" "--ulp -c $MANY -n 20000 --stall 60"

# Later than soft-RoCE's 134 ms: it repeats what it has in its queue, registrations of new rings among it.
modprobe -q sch_netem
check "the wire gets slow" tc qdisc add dev eth0 root netem delay 100ms limit 10000
barrier slow
rdma_used "late acknowledgements end no link" yes exchange "30 x 20 KB on a slow wire" "--ulp -c 30 --stall 60" "--ulp -c 30 -n 20000 --stall 60"
tc qdisc del dev eth0 root

barrier done
check "module unloads" smcu_unload
