#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: end to end, fallback and unload in short, on each kernel and between kernels, two hosts
# hosts: 2
# kernel: 6.1 7.2
# more: 6.1,7.2 7.2,6.1 6.1,6.12 6.12,6.1 6.12,7.2 7.2,6.12
# timeout: 600
# mtu: 9000
# suites: check
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# 6.12 has it all at length in ours.sh, fallback.sh and unload.sh.
transfers() {
	exchange "$1: 1 byte" "--ulp" "--ulp -n 1"
	exchange "$1: 1 MiB, edge, half close" "--ulp --edge" "--ulp --edge --half-close -n 1M"
	exchange "$1: blocking, server ends" "--ulp --threads" "--ulp --threads --server-ends -n 300K"
	exchange "$1: splice" "--ulp --splice" "--ulp --splice -n 1M"
	exchange "$1: sendfile" "--ulp --sendfile" "--ulp --sendfile -n 1M"
	exchange "$1: 50 connections" "--ulp -c 50 --stall 60" "--ulp -c 50 -n 20000 --stall 60"
	exchange "$1: write and exit" "--ulp" "--ulp --write-exit -n 200K"
	exchange "$1: reset" "--ulp --expect abort" "--ulp --rst -n 1M"
	exchange "$1: IPv6 socket, v4-mapped address" "--ulp" "--ulp -n 200K" 0 ::ffff:$SERVER_ADDR
}

# 16 MiB each way go by RDMA and not by TCP, as the counters of both hosts say.
big_transfer() {
	local segs
	segs=$(tcp_out_segs)
	rdma_used "16 MiB go by RDMA" yes exchange "16 MiB both ways" "--ulp" "--ulp -n 16M"
	segs=$(($(tcp_out_segs) - segs))
	if [ $segs -lt 1000 ]; then
		pass "16 MiB do not go by TCP: $segs segments"
	else
		fail "16 MiB do not go by TCP" "$segs segments"
	fi
}

# falls_back NAME "SERVER" "CLIENT"
falls_back() {
	rdma_used "$1: no RDMA" no exchange "$1" "$2" "$3 -n 1M"
}

check "module loads" load_module
rxe_up
barrier up
rdma_used "all of them use RDMA" yes transfers smc
big_transfer
falls_back "plain server" "" "--ulp"
falls_back "plain client" "--ulp" ""
sysctl -qw net.smc_ulp.ueid=HOST$SMCU_HOST
barrier ueid
falls_back "no common EID" "--ulp" "--ulp"
rdma link del rxe0
barrier no-adapter
exchange "no adapter" "--ulp -c 20" "--ulp -c 20 -n 20000"

holder fallback --address $SMCU_MY_IP
refused "rmmod with a socket" rmmod smc_ulp
let_go || fail "the connection no longer carries data"
barrier done
check "module unloads" smcu_unload
check "module loads again" load_module
check "module unloads again" smcu_unload
