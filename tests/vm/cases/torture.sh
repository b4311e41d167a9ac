#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: everything at once and in any order, one host
# hosts: 1
# kernel: 6.12
# timeout: 300
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

SECONDS_OF_IT=20
! is_debug_kernel || SECONDS_OF_IT=90

check "module loads" load_module
check "adapter on lo" rxe_up

torture() {
	local i
	for i in 1 2 3; do
		python3 "$TOOLS/torture.py" --seconds $SECONDS_OF_IT &
	done
	wait
}
torture >"$TMP/torture" 2>&1 &
TORTURE=$!
# Whether they succeed is for hostile.sh to see; here nothing holds still for them.
python3 "$TOOLS/hostile.py" --jobs 4 --limit 60 >/dev/null 2>&1 &
HOSTILE=$!

# What an operator may do meanwhile. The pauses are part of it.
replaced=0
while kill -0 $TORTURE 2>/dev/null; do
	cat /proc/net/smc_ulp/* >/dev/null
	case $((RANDOM % 12)) in
	0) ss -K -t state established dst $LO_ADDR >/dev/null 2>&1 ;;
	1) ip link set lo mtu $((1500 + RANDOM % 60000)) ;;
	2)
		rdma link del rxe0
		sleep 0.1
		rdma link add rxe0 type rxe netdev lo
		replaced=$((replaced + 1))
		;;
	3) sysctl -qw net.smc_ulp.ueid=SMCTEST0$((RANDOM % 2)) ;;
	4)
		ip netns add gone
		ip netns exec gone ip link set lo up
		ip netns del gone
		;;
	5)
		sysctl -qw net.smc_ulp.enable=0
		sleep 0.1
		sysctl -qw net.smc_ulp.enable=1
		;;
	*) sleep 0.3 ;;
	esac
done
wait $TORTURE
kill $HOSTILE 2>/dev/null
wait $HOSTILE 2>/dev/null
pkill -f hostile.py
each_line "with the adapter replaced $replaced times" cat "$TMP/torture"
check "three processes said so" test "$(grep -c '^ok' "$TMP/torture")" = 3

no_sockets() { [ "$(wc -l </proc/net/smc_ulp/sockets)" = 1 ]; }
check "no socket is left" wait_for 100 no_sockets
ip link set lo mtu 65536
sysctl -qw "net.smc_ulp.ueid=$UEID"
rdma_used "good connections work after all that" yes exchange_local "after all that" "--ulp -c 20" "--ulp -c 20 -n 50000"
check "module unloads" smcu_unload
