// SPDX-License-Identifier: GPL-2.0
/*
 * RoCE: queue pairs are brought up by ib_modify_qp with what CLC has told. Called by xport.c in process context; no locks.
 */
#include <rdma/ib_cache.h>
#include "xport/verbs.h"

/* Attributes of section 3.2. */
enum {
	MIN_RNR_TIMER = 5,		/* 60 us */
	ACK_TIMEOUT = 15,		/* 134 ms */
	RETRIES = 7,			/* rxe takes it for "without end"; TEST_LINK notices the peer's absence */
	RNR_RETRIES = 7,		/* for ever */
	HOPS_DIRECT = 1,
	HOPS_GATEWAY = 64,
};

/* Work of the RDMA core; older drivers: any context. */
static void on_qp_event(struct ib_event *event, void *context)
{
	switch (event->event) {
	case IB_EVENT_QP_FATAL:
	case IB_EVENT_QP_REQ_ERR:
	case IB_EVENT_QP_ACCESS_ERR:
	case IB_EVENT_DEVICE_FATAL:
		smcu_verbs_fail(context, -ECONNABORTED);
		break;
	default:
		break;
	}
}

int smcu_roce_create(struct smcu_xport *xp)
{
	struct ib_qp_init_attr init = {
		.event_handler = on_qp_event,
		.qp_context = xp,
		.send_cq = xp->scq,
		.recv_cq = xp->rcq,
		.cap = {
			.max_send_wr = SMCU_SQ_WR + SMCU_SQ_DRAIN,
			.max_recv_wr = SMCU_RQ_WR + SMCU_RQ_DRAIN,
			.max_send_sge = xp->max_sge,
			.max_recv_sge = 2,
			.max_inline_data = SMCU_SLOT_LEN,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
	};
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT,
		.port_num = xp->path.port_num,
		.qp_access_flags = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE,
	};
	struct ib_qp *qp;
	int err;

	/* Not every adapter does it for kernel queue pairs; those that do need not look up and read the message's memory. */
	qp = ib_create_qp(xp->pd, &init);
	if (IS_ERR(qp)) {
		init.cap.max_inline_data = 0;
		qp = ib_create_qp(xp->pd, &init);
	}
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	xp->inline_ok = init.cap.max_inline_data >= SMCU_SLOT_LEN;
	err = ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	if (err) {
		ib_destroy_qp(qp);
		return err;
	}
	xp->qp = qp;
	return 0;
}

/* Is our GID still where it was found? The table may have changed since. */
static bool gid_is_there(const struct smcu_path *path)
{
	const struct ib_gid_attr *attr;
	bool same;

	attr = rdma_get_gid_attr(path->ibdev, path->port_num, path->sgid_index);
	if (IS_ERR(attr))
		return false;
	/* The same bytes may stand in the table as RoCE v1 too. */
	same = attr->gid_type == IB_GID_TYPE_ROCE_UDP_ENCAP &&
	       !memcmp(attr->gid.raw, path->gid, SMCU_GID_LEN);
	rdma_put_gid_attr(attr);
	return same;
}

int smcu_roce_connect(struct smcu_xport *xp, const struct smcu_xaddr *peer, const struct smcu_hop *hop)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTR,
		.path_mtu = min(xp->path.mtu, peer->mtu),
		.dest_qp_num = peer->qpn,
		.rq_psn = peer->psn,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = MIN_RNR_TIMER,
	};
	u8 gid[SMCU_GID_LEN];
	int err;

	if (!gid_is_there(&xp->path))
		return -EADDRNOTAVAIL;

	memcpy(gid, peer->gid, sizeof(gid));
	attr.ah_attr.type = RDMA_AH_ATTR_TYPE_ROCE;
	rdma_ah_set_port_num(&attr.ah_attr, xp->path.port_num);
	rdma_ah_set_grh(&attr.ah_attr, NULL, 0, xp->path.sgid_index,
			hop->direct ? HOPS_DIRECT : HOPS_GATEWAY, 0);
	rdma_ah_set_dgid_raw(&attr.ah_attr, gid);
	memcpy(attr.ah_attr.roce.dmac, hop->mac, SMCU_MAC_LEN);

	err = ib_modify_qp(xp->qp, &attr,
			   IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN |
			   IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	if (err)
		return err;
	xp->mtu = min(xp->path.mtu, peer->mtu);
	return 0;
}

int smcu_roce_start(struct smcu_xport *xp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTS,
		.timeout = ACK_TIMEOUT,
		.retry_cnt = RETRIES,
		.rnr_retry = RNR_RETRIES,
		.sq_psn = xp->psn,
		.max_rd_atomic = 1,
	};

	return ib_modify_qp(xp->qp, &attr,
			    IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
			    IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}
