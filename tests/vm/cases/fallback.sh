#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: each way to end up on TCP, two hosts
# hosts: 2
# kernel: 6.12
# timeout: 400
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# falls_back NAME "SERVER SOCKET OPTIONS" "CLIENT SOCKET OPTIONS": a few exchanges, all of them over TCP.
falls_back() {
	local before
	before=$(rxe_sent_pkts 2>/dev/null || echo 0)
	exchange "$1: 1 byte" "$2" "$3 -n 1"
	exchange "$1: 8 MiB, big early sends" "$2" "$3 -n 8M --chunk 1M --fixed"
	exchange "$1: 200 connections" "$2 -c 200 --stall 60" "$3 -c 200 -n 20000 --stall 60"
	exchange "$1: edge, half close" "$2 --edge" "$3 --edge --half-close -n 300K"
	exchange "$1: threads" "$2 --threads -c 8" "$3 --threads -c 8 -n 300K"
	exchange "$1: splice" "$2 --splice" "$3 --splice -n 1M"
	exchange "$1: write and exit" "$2" "$3 --write-exit -n 200K"
	exchange "$1: reset" "$2 --expect abort" "$3 --rst -n 1M"
	if [ "$(rxe_sent_pkts 2>/dev/null || echo 0)" -lt $((before + 50)) ]; then
		pass "$1: no RDMA"
	else
		fail "$1" "RDMA packets were sent"
	fi
}

check "module loads" load_module
barrier loaded
falls_back "no adapter" "--ulp" "--ulp"

rxe_up
barrier up
falls_back "plain server" "" "--ulp"
falls_back "plain client" "--ulp" ""
sysctl -qw net.smc_ulp.ueid=HOST$SMCU_HOST
barrier ueid
falls_back "no common EID" "--ulp" "--ulp"
sysctl -qw net.smc_ulp.ueid=$UEID
barrier ueid-again
[ "$SMCU_HOST" = 2 ] || rdma link del rxe0
barrier one-adapter
falls_back "server without adapter" "--ulp" "--ulp"

if [ "$SMCU_HOST" = 1 ]; then
	check "server's module unloads" smcu_unload
fi
barrier unloaded
falls_back "server without module" "" "--ulp"
if [ "$SMCU_HOST" = 1 ]; then
	refused "socket option without module" "$IO" client $SERVER_ADDR 1 --ulp
else
	for reason in no_device peer_no_smc no_eid; do
		check "counted: $reason" test "$(stat_of fallback_$reason)" -gt 0
	done
fi
