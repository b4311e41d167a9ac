// SPDX-License-Identifier: GPL-2.0
/*
 * The ib_client: adapters come, go, and have events. All of it runs in process context: add and remove in the RDMA core's, the
 * rest in work. No lock is held when the layers above are told.
 */
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include "dev/internal.h"

/* What an adapter must be able to do, in queue entries and pages of a registration. */
enum {
	MIN_QP_WR = 512,
	MIN_CQE = 512,
	MIN_SGE = 2,
	MIN_MR_PAGES = SMCU_RMBE_MIN / 4096,
};

static void (*tell_gone)(struct ib_device *ibdev);
static void (*tell_event)(struct ib_device *ibdev, u8 port_num);

void smcu_port_update(struct smcu_port *port)
{
	struct ib_port_attr attr;

	might_sleep();
	WRITE_ONCE(port->checked, jiffies);
	if (ib_query_port(port->dev->ibdev, port->num, &attr)) {
		WRITE_ONCE(port->active, false);
		return;
	}
	WRITE_ONCE(port->mtu, clamp_t(int, attr.active_mtu, SMCU_MTU_CODE_MIN, SMCU_MTU_CODE_MAX));
	WRITE_ONCE(port->active, attr.state == IB_PORT_ACTIVE);
}

static void event_work(struct work_struct *work)
{
	struct smcu_dev *dev = container_of(work, struct smcu_dev, event_work);
	u8 i;

	for (i = 0; i < dev->n_ports; i++) {
		if (!test_and_clear_bit(i, dev->event_ports) || !dev->port[i].roce)
			continue;
		smcu_port_update(&dev->port[i]);
		if (!dev->port[i].active && tell_event)
			tell_event(dev->ibdev, dev->port[i].num);
	}
}

/* Any context. */
static void on_event(struct ib_event_handler *handler, struct ib_event *event)
{
	struct smcu_dev *dev = container_of(handler, struct smcu_dev, handler);
	unsigned int port;

	switch (event->event) {
	case IB_EVENT_DEVICE_FATAL:
		/* One by one: the work clears bits meanwhile. */
		for (port = 0; port < dev->n_ports; port++)
			set_bit(port, dev->event_ports);
		break;
	case IB_EVENT_PORT_ACTIVE:
	case IB_EVENT_PORT_ERR:
	case IB_EVENT_GID_CHANGE:
	case IB_EVENT_PKEY_CHANGE:
	case IB_EVENT_LID_CHANGE:
	case IB_EVENT_SM_CHANGE:
		if (!event->element.port_num || event->element.port_num > dev->n_ports)
			return;
		set_bit(event->element.port_num - 1, dev->event_ports);
		break;
	default:
		return;
	}
	schedule_work(&dev->event_work);
}

static bool is_usable(const struct ib_device *ibdev)
{
	const struct ib_device_attr *a = &ibdev->attrs;

	return ibdev->node_type == RDMA_NODE_IB_CA &&
	       a->device_cap_flags & IB_DEVICE_MEM_MGT_EXTENSIONS &&
	       a->max_send_sge >= MIN_SGE && a->max_recv_sge >= MIN_SGE &&
	       a->max_qp_wr >= MIN_QP_WR && a->max_cqe >= MIN_CQE &&
	       a->max_fast_reg_page_list_len >= MIN_MR_PAGES;
}

/* The instance takes its MAC from the first port that has one. */
static void learn_mac(const struct smcu_port *port)
{
	const struct ib_gid_attr *attr;
	u8 mac[ETH_ALEN];

	attr = rdma_get_gid_attr(port->dev->ibdev, port->num, 0);
	if (IS_ERR(attr))
		return;
	if (!rdma_read_gid_l2_fields(attr, NULL, mac))
		smcu_dev_learn_mac(mac);
	rdma_put_gid_attr(attr);
}

static int add_one(struct ib_device *ibdev);
static void remove_one(struct ib_device *ibdev, void *client_data);

static struct ib_client client = {
	.name = "smc_ulp",
	.add = add_one,
	.remove = remove_one,
};

static int add_one(struct ib_device *ibdev)
{
	u8 n = min_t(u32, ibdev->phys_port_cnt, 255);
	struct smcu_dev *dev;
	bool roce = false;
	u8 i;

	if (!is_usable(ibdev))
		return -EOPNOTSUPP;

	dev = kzalloc(struct_size(dev, port, n), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	dev->n_ports = n;
	dev->ibdev = ibdev;
	refcount_set(&dev->refs, 1);
	init_completion(&dev->unused);
	INIT_WORK(&dev->event_work, event_work);
	for (i = 0; i < n; i++) {
		struct smcu_port *port = &dev->port[i];

		port->dev = dev;
		port->num = i + 1;
		port->roce = rdma_protocol_roce(ibdev, i + 1);
		if (!port->roce)
			continue;
		roce = true;
		smcu_port_update(port);
		learn_mac(port);
	}
	if (!roce) {
		kfree(dev);
		return -EOPNOTSUPP;
	}

	ib_set_client_data(ibdev, &client, dev);
	INIT_IB_EVENT_HANDLER(&dev->handler, ibdev, on_event);
	ib_register_event_handler(&dev->handler);

	down_write(&smcu_dev_sem);
	list_add_tail(&dev->node, &smcu_dev_list);
	up_write(&smcu_dev_sem);
	return 0;
}

static void remove_one(struct ib_device *ibdev, void *client_data)
{
	struct smcu_dev *dev = client_data;

	if (!dev)
		return;

	down_write(&smcu_dev_sem);
	WRITE_ONCE(dev->gone, true);
	list_del(&dev->node);
	up_write(&smcu_dev_sem);

	ib_unregister_event_handler(&dev->handler);
	cancel_work_sync(&dev->event_work);

	/* Link groups end here; handshakes that hold a path end by themselves, at the latest by their timeouts. */
	if (tell_gone)
		tell_gone(ibdev);
	smcu_dev_put(dev);
	wait_for_completion(&dev->unused);
	kfree(dev);
}

int smcu_ibclient_init(void (*gone)(struct ib_device *ibdev),
		       void (*event)(struct ib_device *ibdev, u8 port_num))
{
	tell_gone = gone;
	tell_event = event;
	return ib_register_client(&client);
}

void smcu_ibclient_exit(void)
{
	ib_unregister_client(&client);
}
