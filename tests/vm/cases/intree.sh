#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: baseline: the kernel's own SMC to itself, two hosts
# hosts: 2
# kernel: 6.12
# more:
# timeout: 600
# mtu: 9000
# suites: 
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# Not about this project: says what the other two interop cases may expect of net/smc.
. "$SMCU_TREE/tests/vm/cases/lib/transfers.sh"

check "in-tree smc loads" load_intree
rxe_up
barrier up

MANY=60
transfers "--family smc" "--family smc"
