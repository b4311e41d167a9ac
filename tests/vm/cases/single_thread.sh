#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: connect and send before accept, in one thread, one host
# hosts: 1
# kernel: 6.12
# timeout: 200
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

single() {
	PORT=$((PORT + 1))
	check "single: $*" "$IO" single $LO_ADDR $PORT "$@"
}

check "module loads" load_module
check "adapter on lo" rxe_up
for n in 1 5000 200K 4M; do
	rdma_used "$n bytes go by RDMA" yes single --ulp -n $n -c 30
done
single --ulp -n 300K --edge --half-close
single --ulp -n 300K --edge --server-ends
rdma link del rxe0
for n in 1 5000 200K 4M; do
	single --ulp -n $n -c 30
done
check "module unloads" smcu_unload
