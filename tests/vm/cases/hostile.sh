#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: a peer that misbehaves in the handshake, one host
# hosts: 1
# kernel: 6.12
# timeout: 900
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# hostile NAME OPTIONS...
hostile() {
	each_line "$1" python3 "$TOOLS/hostile.py" "${@:2}"
}

check "module loads" load_module
check "adapter on lo" rxe_up
hostile "eight at once" --jobs 8 --limit 30
hostile "one by one" --limit 15 --only 'server/decline*'
rdma_used "good connections work after all that" yes exchange_local "after all that" "--ulp -c 20" "--ulp -c 20 -n 50000"
link_ids() { awk '$3 == "active" { print $1 }' /proc/net/smc_ulp/links; }
links=$(link_ids)
check "there are link groups" test -n "$links"
hostile "in the name of a peer" --limit 15 --only 'server/impostor*'
check "their link groups live" test "$(link_ids)" = "$links"
exchange_local "after impostors" "--ulp" "--ulp -n 50000"
check "module unloads" smcu_unload
