#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: the module stays while it is used and goes when it is not, one host
# hosts: 1
# kernel: 6.12
# timeout: 300
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

check "adapter on lo" rxe_up
for i in $(seq 20); do
	load_module || fail "load $i"
	PORT=$((PORT + 1))
	"$IO" single $LO_ADDR $PORT --ulp -n 20000 -c 4 >"$TMP/out" 2>&1 || fail "transfer $i" "$(cat "$TMP/out")"
	smcu_unload 10 || fail "unload $i"
done
pass "loaded and unloaded 20 times"

check "module loads" load_module
for kind in unconnected listener smc fallback; do
	holder $kind
	[ $kind != smc ] || check "the connection is SMC" grep -q ' SMC ' /proc/net/smc_ulp/sockets
	refused "rmmod with a socket: $kind" rmmod smc_ulp
	let_go || fail "the connection no longer carries data: $kind"
	check "rmmod after it: $kind" smcu_unload 10
	check "module loads again" load_module
done
check "module unloads" smcu_unload
