#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: the module stays while it is used and goes when it is not, one host
# hosts: 1
# kernel: 6.12
# timeout: 300
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"
# A socket that stays until told: holder MODE; MODE: listener, connected.
holder() {
	coproc HOLD { exec python3 "$TOOLS/hold.py" "$@"; }
	read -r line <&"${HOLD[0]}"
	[ "$line" = ready ] || fail "hold $*: $line"
}

let_go() {
	echo >&"${HOLD[1]}"
	wait $HOLD_PID
}

check "adapter on lo" rxe_on_lo
for i in $(seq 20); do
	load_module || fail "load $i"
	PORT=$((PORT + 1))
	"$IO" single $LO_ADDR $PORT --ulp -n 20000 -c 4 >"$TMP/out" 2>&1 || fail "transfer $i: $(cat "$TMP/out")"
	wait_for 10 rmmod smc_ulp 2>/dev/null || fail "unload $i"
done
pass "loaded and unloaded 20 times"

check "module loads" load_module
for kind in unconnected listener smc; do
	holder $kind
	refused "rmmod with a socket: $kind" rmmod smc_ulp
	let_go
	check "rmmod after it: $kind" wait_for 10 rmmod smc_ulp
	check "module loads again" load_module
done

# A socket that fell back is TCP: the module may go or stay, the connection must live on.
holder fallback
rmmod smc_ulp 2>/dev/null && echo "    the module went while a fallen-back socket lives"
check "the fallen-back connection still carries data" let_go
[ ! -d /sys/module/smc_ulp ] || check "rmmod after it: fallback" wait_for 10 rmmod smc_ulp
