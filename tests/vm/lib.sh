# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# shellcheck shell=bash
#
# Vocabulary of guest scripts: source it with
#   . "$SMCU_TREE/tests/vm/lib.sh"
# A test is one line on stdout: "PASS name", "FAIL name: why" or "SKIP name: why".
# A script that sourced this ends non-zero when a test failed.

SMCU_FAILED=0
SMCU_OWN=$SMCU_SHARE/.host$SMCU_HOST
SMCU_PEER=$((3 - SMCU_HOST))
# The other host's address, on either family.
SMCU_PEER_IP=10.77.0.$SMCU_PEER
SMCU_PEER_IP6=fd77::$SMCU_PEER
# shellcheck disable=SC2034
SMCU_MY_IP=10.77.0.$SMCU_HOST SMCU_MY_IP6=fd77::$SMCU_HOST
if [ "$SMCU_HOSTS" = 1 ]; then
	SMCU_PEER_IP=10.9.9.9 SMCU_PEER_IP6=fd99::9
	# shellcheck disable=SC2034
	SMCU_MY_IP=10.9.9.9 SMCU_MY_IP6=fd99::9
fi
export SMCU_PEER_IP SMCU_PEER_IP6 SMCU_MY_IP SMCU_MY_IP6

pass() { echo "PASS $1"; }
fail() { echo "FAIL $1${2:+: $2}"; SMCU_FAILED=1; }
skip() { echo "SKIP $1: ${2:?skip needs a reason}"; }

# Things to undo, last first; they run when the script ends in any way.
SMCU_CLEANUP=()
at_exit() { SMCU_CLEANUP=("$*" "${SMCU_CLEANUP[@]}"); }

# Bash runs this at the end: a failed test makes the exit status 1, whatever the
# script's last command said.
smcu_end() {
	local status=$? c
	trap - EXIT
	for c in "${SMCU_CLEANUP[@]}"; do
		eval "$c"
	done
	[ $status != 0 ] || status=$SMCU_FAILED
	exit "$status"
}
trap smcu_end EXIT

# check NAME COMMAND...: a test that is one command.
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$(tail -n 3 <<<"$out" | tr '\n' ' ')"
		return 1
	fi
}

# wait_for SECONDS COMMAND...: until the command succeeds.
exec {SMCU_NAP}<> <(:) # nobody ever writes
wait_for() {
	# Nothing is executed: on the debug kernel a process costs more than what is waited for.
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		read -rt 0.05 -u "$SMCU_NAP"
	done
	true # and not what read says
}

# barrier NAME [SECONDS]: both hosts wait for each other. Each name once.
barrier() {
	local name=$1 limit=${2:-120}
	[ "$SMCU_HOSTS" = 2 ] || return 0
	[ ! -e "$SMCU_OWN/at-$name" ] || {
		echo "barrier $name: used twice" >&2
		exit 1
	}
	: >"$SMCU_OWN/at-$name"
	wait_for "$limit" test -e "$SMCU_SHARE/.host$SMCU_PEER/at-$name" || {
		echo "FAIL barrier $name: host $SMCU_PEER did not come within $limit s"
		exit 1
	}
}

# tell NAME VALUE / ask NAME [SECONDS]: hand a word to the other host (with one
# host: to another process of this one).
tell() {
	printf '%s\n' "$2" >"$SMCU_SHARE/.word-$1.tmp"
	mv "$SMCU_SHARE/.word-$1.tmp" "$SMCU_SHARE/.word-$1"
}
ask() {
	wait_for "${2:-120}" test -e "$SMCU_SHARE/.word-$1" || return 1
	cat "$SMCU_SHARE/.word-$1"
}

# allow_log REGEX: lines of the kernel log that this script provokes on purpose
# (Python syntax); the runner does not count them.
allow_log() { printf '%s\n' "$1" >>"$SMCU_OWN/allow"; }

# Soft-RoCE: on the wire with two hosts; on lo, at 10.9.9.9, with one.
rxe_up() {
	local dev=eth0
	modprobe rdma_rxe || return 1
	# rxe on lo has a GID per address, so both must be there first.
	if [ "$SMCU_HOSTS" = 1 ]; then
		dev=lo
		ip addr replace 10.9.9.9/32 dev lo
		ip addr replace fd99::9/128 dev lo nodad
	fi
	[ -e /sys/class/infiniband/rxe0 ] ||
		rdma link add rxe0 type rxe netdev "$dev" || return 1
	wait_for 10 grep -q ACTIVE /sys/class/infiniband/rxe0/ports/1/state
}

rxe_down() { rdma link delete rxe0; }

# Packets soft-RoCE has sent: what tells RDMA from a quiet fallback to TCP.
rxe_sent_pkts() { cat /sys/class/infiniband/rxe0/ports/1/hw_counters/sent_pkts; }

# smcu_load [PARAMETER=VALUE...]: the module under test, and what it needs.
smcu_load() { smcu_insmod smc_ulp "$@"; }
smcu_load_bpf() { smcu_insmod smc_ulp_bpf "$@"; }
smcu_insmod() {
	local ko=$SMCU_MODDIR/$1.ko dep
	shift
	[ -f "$ko" ] || { echo "no $ko: make kmod KVER=$SMCU_KERNEL" >&2; return 1; }
	for dep in $(modinfo -F depends "$ko" | tr , ' '); do
		[ -e "/sys/module/$dep" ] || modprobe "$dep" || return 1
	done
	insmod "$ko" "$@"
}

# smcu_unload [SECONDS]: out again, once the last connection let go.
smcu_unload() {
	[ ! -e /sys/module/smc_ulp_bpf ] || rmmod smc_ulp_bpf || return 1
	[ ! -e /sys/module/smc_ulp ] || wait_for "${1:-30}" rmmod smc_ulp
}

is_debug_kernel() { [ -e /sys/kernel/debug/kmemleak ]; }

# kmemleak_scan [NAME]: a test of its own on the debug kernel; says nothing where
# the kernel cannot tell. Two scans: what is young at the first is not reported.
# What the kernel's own SMC allocated and lost is told, and not counted.
kmemleak_scan() {
	local f=/sys/kernel/debug/kmemleak report theirs
	is_debug_kernel || return 0
	echo scan >$f
	sleep 5
	echo scan >$f
	report=$(cat $f)
	theirs=$(awk '/^unreferenced/ { own = 0 } / \[smc\]$/ && !own { own = 1; n++ } END { print n + 0 }' <<<"$report")
	if [ "$(grep -c '^unreferenced' <<<"$report")" -gt "$theirs" ]; then
		echo "$report" >&2
		fail "${1:-no memory leaked}" "$(grep -c '^unreferenced' <<<"$report") objects, $theirs of them of the kernel's own SMC"
		return 1
	fi
	[ "$theirs" = 0 ] || allow_log 'kmemleak: \d+ new suspected'
	pass "${1:-no memory leaked}$([ "$theirs" = 0 ] || echo ": but $theirs by the kernel's own SMC")"
}
