#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: system calls on a converted socket answer as on a plain one
# timeout: 600
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

check "rxe is up" rxe_up
check "module loads" load_module
# A local address that no adapter has, and one that nobody has: packets to it come back on lo and are dropped.
ip route add local 10.8.8.8/32 dev lo
ip route add 192.0.2.0/24 dev lo

while read -r line; do
	case $line in
	ok*) pass "${line#ok }" ;;
	FAIL*) fail "${line#FAIL }" ;;
	*) echo "    $line" ;;
	esac
done < <(python3 "$TOOLS/same.py" "$@" 2>&1 || echo "FAIL same.py: exit $?")
check "they were SMC" test "$(stat_of smc_server)" -gt 100
check "they were declined" test "$(stat_of fallback_peer_declined)" -gt 100
none_left() { [ "$(wc -l </proc/net/smc_ulp/sockets)" = 1 ]; }
check "sockets are gone" wait_for 60 none_left
check "module unloads" smcu_unload
