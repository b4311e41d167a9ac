#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: a policy on a cgroup moves unmodified programs to SMC-R, one host
# hosts: 1
# kernel: 6.12
# timeout: 300
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

LOADER=$SMCU_TREE/build/loader/smc-ulp-loader
CGROUP=/sys/fs/cgroup/selected

# run_in CGROUP COMMAND...
run_in() {
	bash -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$@"
}

# plain NAME yes|no SERVER-CGROUP CLIENT-CGROUP PORT: two programs that know nothing of SMC; is RDMA used?
plain() {
	PORT=$5
	rdma_used "$1" "$2" plain_exchange "$1" "$3" "$4"
}

plain_exchange() {
	rm -f "$TMP/ready"
	run_in "$2" "$IO" server $LO_ADDR $PORT -c 4 --ready "$TMP/ready" >"$TMP/server.out" 2>&1 &
	SERVER_PID=$!
	wait_for 30 test -e "$TMP/ready" || fail "$1" "server does not listen"
	check "client: $1" run_in "$3" "$IO" client $LO_ADDR $PORT -c 4 -n 100K
	end_server "server: $1"
}

policy() {
	printf 'version: 1\ndefault: tcp\nrules:\n  - name: ports\n    match: { port: %s }\n    action: smc\n' "$1"
}

all_plain() {
	local others=/sys/fs/cgroup/others
	plain "$1: selected port, both in the cgroup" "$2" $CGROUP $CGROUP 7100
	plain "$1: subgroup" "$2" $CGROUP/below $CGROUP/below 7101
	plain "$1: other port" no $CGROUP $CGROUP 7200
	plain "$1: client outside" no $CGROUP $others 7102
	plain "$1: server outside" no $others $CGROUP 7103
	plain "$1: both outside" no $others $others 7104
}

mkdir -p $CGROUP/below /sys/fs/cgroup/others
check "module loads" load_module
[ ! -e "$SMCU_MODDIR/smc_ulp_bpf.ko" ] || check "module for BPF loads" smcu_load_bpf
check "adapter on lo" rxe_up

policy 7100-7199 >"$TMP/policy.yaml"
policy 7200 >"$TMP/other.yaml"
check "policy attaches" "$LOADER" attach --cgroup $CGROUP --policy "$TMP/policy.yaml"
all_plain attached yes
check "policy is replaced" "$LOADER" policy load "$TMP/other.yaml"
plain "replaced: port of before" no $CGROUP $CGROUP 7105
plain "replaced: port of now" yes $CGROUP $CGROUP 7200
check "policy detaches" "$LOADER" detach --cgroup $CGROUP
all_plain detached no
check "modules unload" smcu_unload
