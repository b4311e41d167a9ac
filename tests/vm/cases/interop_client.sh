#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: our client, the kernel's own SMC as server, two hosts
# hosts: 2
# kernel: 6.12
# more: 6.12,6.1 6.12,7.2
# timeout: 600
# mtu: 9000
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

. "$SMCU_TREE/tests/vm/cases/lib/transfers.sh"

if [ "$SMCU_HOST" = 1 ]; then
	check "in-tree smc loads" load_intree
else
	check "module loads" load_module
fi
rxe_up
barrier up

transfers "--family smc" "--ulp"
adapter_gone "server's adapter" 1 "--family smc" "--ulp"
adapter_gone "client's adapter" 2 "--family smc" "--ulp"
