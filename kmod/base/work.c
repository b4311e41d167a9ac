// SPDX-License-Identifier: GPL-2.0
/* The workqueue that runs the engines of sockets. */
#include "base/base.h"

struct workqueue_struct *smcu_sock_wq;

int smcu_work_init(void)
{
	/*
	 * Unbound: a step may wait for a registration on the adapter. MEM_RECLAIM: a socket may be the way to swap. The number
	 * of steps that run at once is bounded by the default of the queue; those that wait for a peer do not occupy a worker.
	 */
	smcu_sock_wq = alloc_workqueue("smcu_sock", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return smcu_sock_wq ? 0 : -ENOMEM;
}

void smcu_work_exit(void)
{
	destroy_workqueue(smcu_sock_wq);
}
