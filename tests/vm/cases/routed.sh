#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: a router between the two hosts, our server, clients of ours and the kernel's own
# hosts: 2
# kernel: 6.12
# timeout: 300
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

SERVER_ADDR=10.66.0.1

# Host 1's end of the wire goes into a namespace that routes, and host 1 is behind it: what has one hop left does not arrive.
behind_router() {
	ip netns add router && ip link set eth0 netns router && ip link add up0 type veth peer name down0 netns router || return 1
	ip netns exec router sysctl -qw net.ipv4.ip_forward=1
	ip -n router addr add 10.77.0.1/24 dev eth0 && ip -n router link set eth0 up
	ip -n router addr add 10.66.0.254/24 dev down0 && ip -n router link set down0 up
	ip addr add $SERVER_ADDR/24 dev up0 && ip link set up0 up && ip route add 10.77.0.0/24 via 10.66.0.254 || return 1
	modprobe rdma_rxe && rdma link add rxe0 type rxe netdev up0
}

transfers() {
	exchange "1 byte" "--ulp" "$1 -n 1"
	exchange "4 MiB both ways" "--ulp" "$1 -n 4M"
	exchange "20 connections" "--ulp -c 20" "$1 -c 20 -n 20000"
}

check "module loads" load_module
if [ "$SMCU_HOST" = 1 ]; then
	check "a router in front" behind_router
else
	check "an adapter and a route" eval 'rxe_up && ip route add 10.66.0.0/24 via 10.77.0.1'
fi
barrier up
[ "$SMCU_HOST" = 1 ] || check "the way is there" wait_for 10 ping -c 1 -W 1 $SERVER_ADDR
barrier reached
rdma_used "our client" yes transfers "--ulp"
barrier ours
# 6.1's own SMC takes no soft-RoCE, and 7.2 has none.
if [ "$SMCU_KERNEL" != 6.1 ] && [ "$SMCU_KERNEL" != 7.2 ]; then
	[ "$SMCU_HOST" = 1 ] || check "the kernel's own SMC instead" eval 'smcu_unload && load_intree'
	barrier theirs
	rdma_used "the kernel's own client" yes transfers "--family smc"
	barrier done
fi
check "module unloads" smcu_unload
