# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: the harness itself: two guests, the wire, soft-RoCE
# hosts: 2
# kernel: 6.12
# timeout: 180
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"

barrier start
check "host $SMCU_HOST reaches the other" ping -c 1 -W 10 "$SMCU_PEER_IP"
check "host $SMCU_HOST reaches the other by IPv6" ping -c 1 -W 10 "$SMCU_PEER_IP6"
check "soft-RoCE is up on host $SMCU_HOST" rxe_up
check "host $SMCU_HOST counts packets" rxe_sent_pkts
barrier end
