#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: a peer that lies over RDMA after an honest handshake, one host
# hosts: 1
# kernel: 6.12
# timeout: 600
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# A link that is not confirmed within seconds is declined, and two processes make each link: no more of them than that at once.
JOBS=2 LIMIT=30
! is_debug_kernel || JOBS=1 LIMIT=60

check "module loads" load_module
check "adapter on lo" rxe_up
check "queue pairs of programs" modprobe ib_uverbs
each_line "rdma" python3 "$TOOLS/liar.py" --jobs $JOBS --limit $LIMIT
no_links() { [ "$(wc -l </proc/net/smc_ulp/links)" = 1 ]; }
check "no link group is left" wait_for 60 no_links
rdma_used "good connections work after all that" yes exchange_local "after all that" "--ulp -c 20" "--ulp -c 20 -n 50000"
check "module unloads" smcu_unload
