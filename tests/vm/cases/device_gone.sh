#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: the adapter goes under load, two hosts
# hosts: 2
# kernel: 6.12
# timeout: 300
# mtu: 9000
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

. "$SMCU_TREE/tests/vm/cases/lib/transfers.sh"

check "module loads" load_module
rxe_up
barrier up
rdma_used "before" yes exchange "before" "--ulp" "--ulp -n 1M"
adapter_gone "server's adapter" 1 "--ulp" "--ulp"
adapter_gone "client's adapter" 2 "--ulp" "--ulp"
barrier done
check "module unloads" smcu_unload
