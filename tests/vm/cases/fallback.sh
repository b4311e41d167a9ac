#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: each way to end up on TCP, two hosts
# hosts: 2
# kernel: 6.12
# timeout: 400
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# falls_back NAME REASON "SERVER SOCKET OPTIONS" "CLIENT SOCKET OPTIONS": a few exchanges, all of them over TCP; host 2 must
# have counted REASON (a pattern; empty: it has nothing to count).
falls_back() {
	local name=$1 reason=$2 server=$3 client=$4 packets counted
	packets=$(rxe_sent_pkts 2>/dev/null || echo 0)
	counted=$(fallbacks "$reason")
	exchange "$name: 1 byte" "$server" "$client -n 1"
	exchange "$name: 4 MiB, big early sends" "$server" "$client -n 4M --chunk 1M --fixed"
	exchange "$name: 100 connections" "$server -c 100 --stall 60" "$client -c 100 -n 20000 --stall 60"
	[ "$name" != "no adapter" ] && [ "$name" != "plain server" ] || more_exchanges "$name" "$server" "$client"
	if [ "$(rxe_sent_pkts 2>/dev/null || echo 0)" -lt $((packets + 50)) ]; then
		pass "$name: no RDMA"
	else
		fail "$name" "RDMA packets were sent"
	fi
	if [ "$SMCU_HOST" = 2 ] && [ -n "$reason" ]; then
		check "$name: counted as $reason" test "$(fallbacks "$reason")" -ge $((counted + 102))
	fi
}

more_exchanges() {
	exchange "$1: edge, half close" "$2 --edge" "$3 --edge --half-close -n 300K"
	exchange "$1: threads" "$2 --threads -c 8" "$3 --threads -c 8 -n 300K"
	exchange "$1: splice" "$2 --splice" "$3 --splice -n 1M"
	exchange "$1: write and exit" "$2" "$3 --write-exit -n 200K"
	exchange "$1: reset" "$2 --expect abort" "$3 --rst -n 1M"
}

# fallbacks PATTERN: how many were counted for these reasons.
fallbacks() {
	awk -v reasons="^fallback_($1)\$" '$1 ~ reasons { n += $2 } END { print n + 0 }' /proc/net/smc_ulp/stats 2>/dev/null
}

check "module loads" load_module
barrier loaded
falls_back "no adapter" no_device "--ulp" "--ulp"

rxe_up
barrier up
falls_back "plain server" peer_no_smc "" "--ulp"
falls_back "plain client" "" "--ulp" ""
sysctl -qw net.smc_ulp.ueid=HOST$SMCU_HOST
barrier ueid
falls_back "no common EID" "no_eid|peer_declined" "--ulp" "--ulp"
sysctl -qw net.smc_ulp.ueid=$UEID
# What is written in two pieces, or is too long, is not half an answer.
in_pieces() {
	{ echo "$UEID" && echo OTHER; } >/proc/sys/net/smc_ulp/ueid
	[ "$(cat /proc/sys/net/smc_ulp/ueid)" = "$UEID" ]
}
check "user EIDs: a second piece erases nothing" in_pieces
refused "user EIDs: too long" sysctl -qw "net.smc_ulp.ueid=$(printf '%-200s' "$UEID")X"
barrier ueid-again
[ "$SMCU_HOST" = 2 ] || rdma link del rxe0
barrier one-adapter
falls_back "server without adapter" "no_device|no_smcr_device|peer_declined" "--ulp" "--ulp"

if [ "$SMCU_HOST" = 1 ]; then
	check "server's module unloads" smcu_unload
fi
barrier unloaded
falls_back "server without module" peer_no_smc "" "--ulp"
if [ "$SMCU_HOST" = 1 ]; then
	# As installed: else the name loads the kernel's own module, whose ULP puts another socket behind the file (on the debug kernel
	# RCU's list is broken, and its socket leaks).
	cp "$SMCU_TREE/etc/modprobe.d/smc-ulp.conf" /etc/modprobe.d/
	check "socket option without module: ENOENT" python3 -c '
import errno, socket
try:
    socket.socket().setsockopt(socket.IPPROTO_TCP, 31, b"smc")
except OSError as err:
    raise SystemExit(err.errno != errno.ENOENT)
raise SystemExit("it was allowed")'
	check "and the kernel has not loaded its own" [ ! -e /sys/module/smc ]
fi
