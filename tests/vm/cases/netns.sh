#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: adapters in network namespaces, where soft-RoCE has them, one host
# hosts: 1
# kernel: 7.2
# more:
# timeout: 300
# suites: check
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# Two namespaces joined by veth, each with an adapter and settings of its own.
A=10.88.0.1
namespaces() {
	local ns n=1
	ip netns add ns1 && ip netns add ns2 && ip link add v1 netns ns1 type veth peer name v2 netns ns2 || return 1
	modprobe rdma_rxe || return 1
	for n in 1 2; do
		ns=ns$n
		ip -n $ns link set lo up
		ip -n $ns addr add 10.88.0.$n/24 dev v$n
		ip -n $ns addr add fd88::$n/64 dev v$n nodad
		ip -n $ns link set v$n up
		ip netns exec $ns rdma link add rxe$((n - 1)) type rxe netdev v$n || return 1
		ip netns exec $ns sysctl -qw net.smc_ulp.ueid=$UEID || return 1
	done
	wait_for 10 ip netns exec ns2 ping -c 1 -W 1 $A && wait_for 10 ip netns exec ns2 ping -c 1 -W 1 fd88::1
}

# The server in the first one, clients in the second.
cat >"$TMP/io" <<-END
	#!/bin/sh
	[ "\$1" = server ] && ns=ns1 || ns=ns2
	exec ip netns exec \$ns "$IO" "\$@"
END
chmod +x "$TMP/io"
IO=$TMP/io

transfers() {
	exchange_local "1 byte" --ulp "--ulp -n 1" 0 $A
	exchange_local "4 MiB both ways" --ulp "--ulp -n 4M" 0 $A
	exchange_local "50 connections" "--ulp -c 50" "--ulp -c 50 -n 20000" 0 $A
	exchange_local "IPv6" --ulp "--ulp -n 300K" 0 fd88::1
}
alone() { [ "$(ip netns exec "$1" cat /proc/net/smc_ulp/sockets | wc -l)" = 1 ]; }

check "module loads" load_module
check "two namespaces with an adapter each" namespaces
rdma_used "they use RDMA" yes transfers
# One without an adapter does not take another's.
check "a third namespace" eval 'ip netns add ns3 && ip -n ns3 link set lo up && ip -n ns3 addr add $LO_ADDR/32 dev lo'
rdma_used "it is on TCP" no each_line "no adapter" ip netns exec ns3 python3 "$TOOLS/api.py"
check "an adapter goes" ip netns exec ns2 rdma link del rxe1
rdma_used "its namespace is on TCP" no exchange_local "without it" --ulp "--ulp -n 300K" 0 $A
check "nothing is left" wait_for 30 alone ns1
ip -all netns delete
check "module unloads" smcu_unload
