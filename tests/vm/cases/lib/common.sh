# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# shellcheck shell=bash
# What the cases have in common: loading modules, the two ends of an exchange, counters. Sourced after tests/vm/lib.sh.

IO=$SMCU_TREE/build/tools/smcu_io
# shellcheck disable=SC2034
TOOLS=$SMCU_TREE/tests/tools
UEID=SMCTEST01
SERVER_ADDR=10.77.0.1	# host 1, two hosts
LO_ADDR=10.9.9.9	# one host, rxe on lo (rxe_up adds it)
TMP=$(mktemp -d)
PORT=7000

load_module() {
	smcu_load && sysctl -qw "net.smc_ulp.ueid=$UEID"
}

# The kernel's own SMC, with the same user EID as ours. 6.1's finds no adapter over soft-RoCE and declines; with a pnet id it finds one
# and hangs in smc_listen_work(), whoever the peer is (seen with 6.1.192 at both ends).
load_intree() {
	modprobe smc && modprobe smc_diag && "$SMCU_TREE/build/tools/smc_ueid" add $UEID
}

# A number from /proc/net/smc_ulp/stats; 0 if it has no such name.
stat_of() {
	awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' /proc/net/smc_ulp/stats
}

# TCP segments this host has sent.
tcp_out_segs() {
	awk '/^Tcp:/ { if (col) print $col; else for (i = 1; i <= NF; i++) if ($i == "OutSegs") col = i }' /proc/net/snmp
}

# each_line NAME PROGRAM...: verdicts of a program that prints "ok NAME" and "FAIL NAME: why"; one that ends otherwise has failed.
each_line() {
	local name=$1 verdict what failed=
	shift
	while read -r verdict what; do
		case $verdict in
		ok) pass "$name: $what" ;;
		FAIL)
			fail "$name: $what"
			failed=1
			;;
		status) [ "$what" = 0 ] || [ -n "$failed" ] || fail "$name" "the program ended with $what" ;;
		*) echo "    $verdict $what" ;;
		esac
	done < <(
		"$@" 2>&1
		echo "status $?"
	)
}

# refused NAME COMMAND...: it must fail.
refused() {
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		fail "$name" "it was allowed: $*"
	else
		pass "$name"
	fi
}

# holder KIND [OPTIONS]: a process with a socket of that kind (see hold.py), which stays until let_go.
holder() {
	coproc HOLD { exec python3 "$TOOLS/hold.py" "$@"; }
	read -r line <&"${HOLD[0]}"
	[ "$line" = ready ] || fail "hold $*" "$line"
}

let_go() {
	echo >&"${HOLD[1]}"
	wait $HOLD_PID
}

# What is known when an exchange failed: the program's output, connections that live, what the module counted.
explain() {
	sed 's/^/    /' "$1"
	[ ! -d /proc/net/smc_ulp ] || {
		sed 's/^/    /' /proc/net/smc_ulp/sockets | head -n 20
		grep -v ' 0$' /proc/net/smc_ulp/stats | tr '\n' ' ' | sed 's/^/    /'
		echo
	}
}

# start_server ADDRESS OPTIONS...: in the background, listening on $PORT when this returns; see end_server.
start_server() {
	rm -f "$TMP/ready"
	"$IO" server "$1" $PORT --ready "$TMP/ready" "${@:2}" >"$TMP/server.out" 2>&1 &
	SERVER_PID=$!
	wait_for 30 test -e "$TMP/ready"
}

# end_server NAME
end_server() {
	wait $SERVER_PID
	local status=$?
	if [ $status = 0 ]; then
		pass "$1: $(tail -n 1 "$TMP/server.out")"
	else
		fail "$1" "status $status"
		explain "$TMP/server.out"
	fi
}

# client NAME WANTED-STATUS ADDRESS OPTIONS...
client() {
	local name=$1 want=$2 status
	"$IO" client "$3" $PORT "${@:4}" >"$TMP/client.out" 2>&1
	status=$?
	if [ $status = "$want" ]; then
		pass "$name: $(tail -n 1 "$TMP/client.out")"
	else
		fail "$name" "status $status, wanted $want"
		explain "$TMP/client.out"
	fi
}

# Two hosts: exchange NAME "SERVER OPTIONS" "CLIENT OPTIONS" [CLIENT STATUS] [CLIENT'S SERVER ADDRESS]
# Host 1 serves, host 2 connects; both call it.
exchange() {
	local name=$1 server_opts=$2 client_opts=$3 status=${4:-0} addr=${5:-$SERVER_ADDR}
	PORT=$((PORT + 1))
	if [ "$SMCU_HOST" = 1 ]; then
		start_server $SERVER_ADDR $server_opts || fail "$name" "server does not listen"
		barrier "listening-$PORT"
		end_server "server: $name"
	else
		barrier "listening-$PORT"
		client "client: $name" "$status" "$addr" $client_opts
	fi
}

# One host: both ends of an exchange, same arguments.
exchange_local() {
	local name=$1 server_opts=$2 client_opts=$3 status=${4:-0} addr=${5:-$LO_ADDR}
	PORT=$((PORT + 1))
	start_server "$addr" $server_opts || fail "$name" "server does not listen"
	client "client: $name" "$status" "$addr" $client_opts
	end_server "server: $name"
}

# rdma_used NAME yes|no COMMAND...: by the adapter's counter of this host, for what COMMAND carries.
rdma_used() {
	local name=$1 want=$2 before after
	shift 2
	before=$(rxe_sent_pkts)
	"$@"
	after=$(rxe_sent_pkts)
	if [ $((after - before > 100)) = "$([ "$want" = yes ] && echo 1 || echo 0)" ]; then
		pass "$name: $((after - before)) RDMA packets"
	else
		fail "$name" "$((after - before)) RDMA packets"
		[ ! -e /proc/net/smc_ulp ] || grep -v ' 0$' /proc/net/smc_ulp/stats /proc/net/smc_ulp/links
	fi
}
