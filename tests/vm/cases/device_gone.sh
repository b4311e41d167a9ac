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

# under_load NAME REMOVER: a transfer runs, host REMOVER removes its adapter; both ends must learn of it.
under_load() {
	local name=$1 pid before
	PORT=$((PORT + 1))
	before=$(rxe_sent_pkts)
	if [ "$SMCU_HOST" = 1 ]; then
		start_server $SERVER_ADDR --ulp --expect abort -c 4 --stall 40
		pid=$SERVER_PID
		barrier "listening-$PORT"
	else
		barrier "listening-$PORT"
		"$IO" client $SERVER_ADDR $PORT --ulp --expect abort -c 4 -n 64G --stall 40 >"$TMP/server.out" 2>&1 &
		pid=$!
	fi
	wait_for 60 rxe_sent_since "$before" 1000 || fail "$name" "no transfer began"
	barrier "under-load-$PORT"
	[ "$SMCU_HOST" != "$2" ] || check "$name: rdma link del" timeout 30 rdma link del rxe0
	if wait $pid; then
		pass "$name: the program got an error: $(tail -n 1 "$TMP/server.out")"
	else
		fail "$name" "status $?"
		explain "$TMP/server.out"
	fi
	[ "$SMCU_HOST" != "$2" ] || check "$name: rdma link add" rdma link add rxe0 type rxe netdev eth0
	barrier "again-$PORT"
	rdma_used "$name: new connections use RDMA" yes exchange "$name: after it" "--ulp -c 4" "--ulp -c 4 -n 1M"
}

. "$SMCU_TREE/tests/vm/cases/lib/transfers.sh"

check "module loads" load_module
rxe_up
barrier up
rdma_used "before" yes exchange "before" "--ulp" "--ulp -n 1M"
under_load "server's adapter" 1
under_load "client's adapter" 2
barrier done
check "module unloads" smcu_unload
