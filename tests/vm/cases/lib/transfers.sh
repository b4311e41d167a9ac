# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# shellcheck shell=bash
# The list of what two hosts do to each other, whichever SMC each of them has. Sourced after common.sh.

# In-tree SMC (6.12) has limits of its own, seen in intree.sh: its splice() heeds SPLICE_F_NONBLOCK but not O_NONBLOCK; what
# a process has written and not yet sent is lost when it exits; handshakes queue up until the last of many time out.
is_intree() {
	[[ $1 == *"--family smc"* ]]
}

splice_by() {
	if is_intree "$1"; then
		echo "--splice --threads"
	else
		echo "--splice"
	fi
}

MANY=200
BIG=64M
# The debug kernel needs ten times as long for everything, and the kernel's own SMC gives up on handshakes after seconds.
if is_debug_kernel; then
	MANY=30
	BIG=8M
fi

# transfers "SERVER SOCKET OPTIONS" "CLIENT SOCKET OPTIONS"
transfers() {
	local s=$1 c=$2 n how

	for n in 1 100 4096 65535 65536 1M; do
		exchange "$n bytes both ways" "$s" "$c -n $n"
	done
	exchange "$MANY connections" "$s -c $MANY --stall 60" "$c -c $MANY -n 20000 --stall 60"
	for how in --edge --level --threads; do
		exchange "4 x 1 MiB $how" "$s $how -c 4" "$c $how -c 4 -n 1M"
		exchange "half close $how" "$s $how" "$c $how --half-close -n 300K"
		exchange "server ends $how" "$s $how" "$c $how --server-ends -n 300K"
		is_intree "$c" || exchange "write and exit $how" "$s $how" "$c $how --write-exit -n 200K"
	done
	is_intree "$c" || exchange "write and SIGKILL" "$s" "$c --write-kill -n 200K" 137
	exchange "reset" "$s --expect abort" "$c --rst -n 4M"
	exchange "splice" "$s $(splice_by "$s")" "$c $(splice_by "$c") -n 3M"
	exchange "sendfile" "$s --sendfile" "$c --sendfile -n 3M"
	exchange "8 MiB to the client" "$s --edge --sendfile" "$c --edge -n 1 -r 8M"
	exchange "8 MiB to the server" "$s --edge" "$c --edge --sendfile -n 8M -r 1"
	exchange "8 MiB to the client, blocking" "$s --threads" "$c --threads -n 1 -r 8M"
	exchange "peek" "$s --peek" "$c --peek -n 1M"
	exchange "sends of one byte" "$s --nodelay" "$c --nodelay --chunk 1 --fixed -n 2000"
	exchange "buffers of 16 KiB" "$s --sndbuf 16K --rcvbuf 16K" "$c --sndbuf 16K --rcvbuf 16K -n 2M"
	exchange "buffers of 1 MiB" "$s --sndbuf 1M --rcvbuf 1M" "$c --sndbuf 1M --rcvbuf 1M -n 8M"
	big_transfer "$s" "$c"
	peer_killed "client" "$s" "$c"
	peer_killed "server" "$s" "$c"
}

# $BIG each way go by RDMA and not by TCP, as the counters of both hosts say.
big_transfer() {
	local segs
	segs=$(tcp_out_segs)
	rdma_used "$BIG go by RDMA" yes exchange "$BIG both ways" "$1 --stall 60" "$2 -n $BIG --stall 60"
	segs=$(($(tcp_out_segs) - segs))
	if [ $segs -lt 2000 ]; then
		pass "$BIG do not go by TCP: $segs segments"
	else
		fail "$BIG do not go by TCP" "$segs segments"
	fi
}

# The process at one end is killed in the middle of a transfer; the other end must learn of it.
# peer_killed client|server "SERVER OPTIONS" "CLIENT OPTIONS"
peer_killed() {
	local victim=$1 victim_host=1 pid before
	[ "$victim" = server ] || victim_host=2
	PORT=$((PORT + 1))
	if [ "$SMCU_HOST" = 1 ]; then
		start_server $SERVER_ADDR $2 --expect abort --deadline 120
		pid=$SERVER_PID
		barrier "listening-$PORT"
	else
		barrier "listening-$PORT"
		"$IO" client $SERVER_ADDR $PORT $3 -n 64G --expect abort --deadline 120 >"$TMP/server.out" 2>&1 &
		pid=$!
	fi
	before=$(rxe_sent_pkts)
	wait_for 60 rxe_sent_since "$before" 500 || fail "$victim killed" "no transfer began"
	barrier "under-load-$PORT"
	if [ "$SMCU_HOST" = $victim_host ]; then
		kill -9 $pid
		wait $pid 2>/dev/null
		return 0
	fi
	if wait $pid; then
		pass "$victim killed: the other end got an error or the end of the stream"
	else
		fail "$victim killed" "status $?"
		explain "$TMP/server.out"
	fi
}

# rxe_sent_since BEFORE COUNT
rxe_sent_since() {
	[ $(($(rxe_sent_pkts) - $1)) -ge "$2" ]
}

# A transfer runs, host REMOVER removes its adapter; both ends must learn of it.
# adapter_gone NAME REMOVER "SERVER OPTIONS" "CLIENT OPTIONS"
adapter_gone() {
	local name=$1 remover=$2 pid before
	PORT=$((PORT + 1))
	before=$(rxe_sent_pkts)
	# 7.2's soft-RoCE closes its socket before it says that the adapter goes, so that nobody can take leave, and the kernel's own SMC at
	# the other end repeats for ever (docs/compat.md). While there is another adapter it does not.
	[ "$SMCU_HOST$SMCU_KERNEL" != "${remover}7.2" ] || ! is_intree "$3$4" || rdma link add rxe1 type rxe netdev lo
	if [ "$SMCU_HOST" = 1 ]; then
		start_server $SERVER_ADDR $3 --expect abort -c 4 --stall 40
		pid=$SERVER_PID
		barrier "listening-$PORT"
	else
		barrier "listening-$PORT"
		"$IO" client $SERVER_ADDR $PORT $4 --expect abort -c 4 -n 64G --stall 40 >"$TMP/server.out" 2>&1 &
		pid=$!
	fi
	wait_for 60 rxe_sent_since "$before" 1000 || fail "$name" "no transfer began"
	barrier "under-load-$PORT"
	[ "$SMCU_HOST" != "$remover" ] || check "$name: rdma link del" timeout 30 rdma link del rxe0
	if wait $pid; then
		pass "$name: the program got an error: $(tail -n 1 "$TMP/server.out")"
	else
		fail "$name" "status $?"
		explain "$TMP/server.out"
	fi
	[ "$SMCU_HOST" != "$remover" ] || check "$name: rdma link add" rdma link add rxe0 type rxe netdev eth0
	barrier "again-$PORT"
	# A server that has not heard of it yet offers the group it had with the client; the client declines, and both use TCP. From there on
	# the server knows.
	exchange "$name: first after it" "$3" "$4"
	rdma_used "$name: new connections use RDMA" yes exchange "$name: after it" "$3 -c 4" "$4 -c 4 -n 1M"
	[ ! -e /sys/class/infiniband/rxe1 ] || check "$name: the other one" rdma link del rxe1
}
