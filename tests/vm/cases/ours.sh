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

barrier done
check "module unloads" smcu_unload
