#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: what a program may expect of the socket, one host
# hosts: 1
# kernel: 6.12
# timeout: 300
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

check "module loads" load_module
ip link set lo up
ip addr add $LO_ADDR/32 dev lo
each_line "no adapter" python3 "$TOOLS/api.py" --both
check "adapter on lo" rxe_up
each_line "fallback" python3 "$TOOLS/api.py"
rdma_used "smc: over RDMA" yes each_line "smc" python3 "$TOOLS/api.py" --both
check "module unloads" smcu_unload
