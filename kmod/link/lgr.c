// SPDX-License-Identifier: GPL-2.0
/*
 * Link groups: finding, making, ending. Called by clc/ in process context; a group ends by work of its own, whoever wants it to.
 * MAKING -> ACTIVE -> DEAD, or MAKING -> DEAD; each change under lgr->lock, and the one to DEAD queues term_work, exactly once.
 */
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <rdma/ib_verbs.h>
#include "link/internal.h"

enum { FLUSH_MS = 500, LINGER_MS = 2000 };

struct workqueue_struct *smcu_link_wq;
static struct workqueue_struct *end_wq;	/* term_work, which waits for peers */

static DEFINE_SPINLOCK(lgrs_lock);
static LIST_HEAD(lgrs);			/* under lgrs_lock */
static LIST_HEAD(makings);		/* under lgrs_lock */
static u32 last_id;			/* under lgrs_lock */
static unsigned int n_lgrs;		/* under lgrs_lock */

static void key_of(const struct smcu_lgr_spec *spec, struct smcu_lgr_key *key)
{
	memset(key, 0, sizeof(*key));
	key->net_cookie = spec->net->net_cookie;
	memcpy(key->peer_id, spec->peer_id, SMCU_PEER_ID_LEN);
	memcpy(key->peer_gid, spec->peer_gid, SMCU_GID_LEN);
	memcpy(key->peer_addr, spec->peer_addr, sizeof(key->peer_addr));
	key->ibdev = spec->path.ibdev;
	key->port_num = spec->path.port_num;
	memcpy(key->eid, spec->terms.eid, SMCU_EID_LEN);
}

static bool is_same(const struct smcu_lgr_key *a, const struct smcu_lgr_key *b)
{
	return a->net_cookie == b->net_cookie && a->ibdev == b->ibdev && a->port_num == b->port_num &&
	       !memcmp(a->peer_id, b->peer_id, SMCU_PEER_ID_LEN) &&
	       !memcmp(a->peer_gid, b->peer_gid, SMCU_GID_LEN) &&
	       !memcmp(a->peer_addr, b->peer_addr, sizeof(a->peer_addr)) &&
	       !memcmp(a->eid, b->eid, SMCU_EID_LEN);
}

static struct smcu_making *find_making(const struct smcu_lgr_key *key)
{
	struct smcu_making *mk;

	lockdep_assert_held(&lgrs_lock);

	list_for_each_entry(mk, &makings, node)
		if (is_same(&mk->key, key))
			return mk;
	return NULL;
}

/* The outcome is known: those who waited look again. @mk is off the list already. */
static void resolve(struct smcu_making *mk)
{
	if (!mk)
		return;
	smcu_waiter_wake_all(&mk->waiters);
	kfree(mk);
}

static void resolve_lgr(struct smcu_lgr *lgr)
{
	struct smcu_making *mk;

	spin_lock_bh(&lgrs_lock);
	mk = lgr->making;
	lgr->making = NULL;
	if (mk)
		list_del(&mk->node);
	spin_unlock_bh(&lgrs_lock);
	resolve(mk);
}

void smcu_lgr_drop(struct smcu_lgr *lgr)
{
	if (!refcount_dec_and_test(&lgr->refs))
		return;
	/* Who finds the group under RCU looks at its members, not at these. */
	kfree(lgr->rtokens);
	kfree_rcu(lgr, rcu);
}

/* One more user, if it is ACTIVE and (for a server, who has the choice) not full. */
static bool try_use(struct smcu_lgr *lgr, bool is_server)
{
	bool ok;

	spin_lock_bh(&lgr->lock);
	ok = lgr->state == SMCU_LGR_ACTIVE &&
	     (!is_server || (!lgr->retired && lgr->n_members < lgr->terms.max_conns));
	if (ok) {
		lgr->users++;
		refcount_inc(&lgr->refs);
		cancel_delayed_work(&lgr->idle_work);
	}
	spin_unlock_bh(&lgr->lock);
	return ok;
}

struct smcu_lgr *smcu_lgr_find_server(const struct smcu_lgr_spec *spec, struct smcu_waiter *w)
{
	struct smcu_making *fresh, *mk;
	struct smcu_lgr_key key;
	struct smcu_lgr *lgr;

	might_sleep();

	key_of(spec, &key);
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return ERR_PTR(-ENOMEM);

	spin_lock_bh(&lgrs_lock);
	list_for_each_entry(lgr, &lgrs, node)
		if (lgr->role == SMCU_SERVER && is_same(&lgr->key, &key) && try_use(lgr, true))
			goto out;

	mk = find_making(&key);
	if (mk) {
		smcu_waiter_add(&mk->waiters, w);
		lgr = ERR_PTR(-EINPROGRESS);
		goto out;
	}
	fresh->key = key;
	INIT_LIST_HEAD(&fresh->waiters);
	list_add(&fresh->node, &makings);
	fresh = NULL;
	lgr = ERR_PTR(-ENOENT);
out:
	spin_unlock_bh(&lgrs_lock);
	kfree(fresh);
	return lgr;
}

void smcu_lgr_create_abandon(const struct smcu_lgr_spec *spec)
{
	struct smcu_making *mk;
	struct smcu_lgr_key key;

	key_of(spec, &key);
	spin_lock_bh(&lgrs_lock);
	mk = find_making(&key);
	if (mk)
		list_del(&mk->node);
	spin_unlock_bh(&lgrs_lock);
	resolve(mk);
}

struct smcu_lgr *smcu_lgr_find_client(struct net *net, const u8 *peer_id, const u8 *peer_gid, u32 peer_qpn, u32 rkey, u64 addr)
{
	struct smcu_lgr *lgr;
	int err = -ENOLINK;

	spin_lock_bh(&lgrs_lock);
	list_for_each_entry(lgr, &lgrs, node) {
		/* What is compared first was written before the group became ACTIVE. */
		if (lgr->role != SMCU_CLIENT || smcu_lgr_state(lgr) != SMCU_LGR_ACTIVE || lgr->peer.qpn != peer_qpn ||
		    memcmp(lgr->true_id, peer_id, SMCU_PEER_ID_LEN) ||
		    memcmp(lgr->peer.gid, peer_gid, SMCU_GID_LEN))
			continue;
		/* Also where it is another namespace's, which a server can't tell from ours: not shared, but there. */
		err = -EACCES;
		if (lgr->key.net_cookie == net->net_cookie && smcu_lgr_knows(lgr, rkey, addr) && try_use(lgr, false))
			goto out;
	}
	lgr = ERR_PTR(err);
out:
	spin_unlock_bh(&lgrs_lock);
	return lgr;
}

void smcu_lgr_get(struct smcu_lgr *lgr)
{
	spin_lock_bh(&lgr->lock);
	lgr->users++;
	refcount_inc(&lgr->refs);
	spin_unlock_bh(&lgr->lock);
}

/* Return: true where the caller is the one who has ended it. */
static bool set_dead(struct smcu_lgr *lgr, enum smcu_reason reason, u32 del_reason, enum smcu_end how)
{
	lockdep_assert_held(&lgr->lock);

	if (lgr->state == SMCU_LGR_DEAD)
		return false;
	lgr->reason = reason;
	lgr->del_reason = del_reason;
	lgr->how = how;
	lgr->was_active = lgr->state == SMCU_LGR_ACTIVE;
	/* Pairs with the acquire of smcu_lgr_state(): who sees DEAD sees why. */
	smp_store_release(&lgr->state, SMCU_LGR_DEAD);
	queue_work(end_wq, &lgr->term_work);
	return true;
}

void smcu_lgr_end(struct smcu_lgr *lgr, enum smcu_reason reason, u32 del_reason, enum smcu_end how)
{
	spin_lock_bh(&lgr->lock);
	set_dead(lgr, reason, del_reason, how);
	spin_unlock_bh(&lgr->lock);
}

/* Its link is tested at once. What came before says nothing about the link now. */
static void test_now(struct smcu_lgr *lgr)
{
	lockdep_assert_held(&lgr->lock);

	WRITE_ONCE(lgr->rx_seen, READ_ONCE(lgr->rx_seq));
	/* A test that is under way may have its answer, which would not be seen. */
	WRITE_ONCE(lgr->testing, false);
	mod_delayed_work(smcu_link_wq, &lgr->test_work, 0);
}

void smcu_lgr_out_of_sync(struct smcu_lgr *lgr)
{
	spin_lock_bh(&lgr->lock);
	if (lgr->state == SMCU_LGR_ACTIVE) {
		lgr->retired = true;
		test_now(lgr);
	}
	spin_unlock_bh(&lgr->lock);
}

void smcu_lgr_retire(struct smcu_lgr *lgr)
{
	spin_lock_bh(&lgr->lock);
	lgr->retired = true;
	spin_unlock_bh(&lgr->lock);
}

static unsigned long idle_time(const struct smcu_lgr *lgr)
{
	if (lgr->retired)
		return 0;
	return msecs_to_jiffies(lgr->role == SMCU_SERVER ? SMCU_T_IDLE_SERVER : SMCU_T_IDLE_CLIENT);
}

void smcu_lgr_put(struct smcu_lgr *lgr)
{
	spin_lock_bh(&lgr->lock);
	if (!--lgr->users) {
		if (lgr->state == SMCU_LGR_MAKING)
			/* The maker gives up; the peer may believe that the link is up. */
			set_dead(lgr, SMCU_R_CLOSED, SMCU_DEL_PROGRAM, SMCU_END_FLUSHED);
		else if (lgr->state == SMCU_LGR_ACTIVE)
			mod_delayed_work(smcu_link_wq, &lgr->idle_work, idle_time(lgr));
	}
	spin_unlock_bh(&lgr->lock);
	smcu_lgr_drop(lgr);
}

static void idle_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(to_delayed_work(work), struct smcu_lgr, idle_work);

	spin_lock_bh(&lgr->lock);
	if (!lgr->users)
		set_dead(lgr, SMCU_R_CLOSED, SMCU_DEL_PROGRAM, SMCU_END_FLUSHED);
	spin_unlock_bh(&lgr->lock);
}

static void down_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(work, struct smcu_lgr, down_work);

	smcu_lgr_end(lgr, SMCU_R_LINK_UP, 0, SMCU_END_NOW);
}

bool smcu_lgr_activate(struct smcu_lgr *lgr)
{
	bool done = false;

	spin_lock_bh(&lgr->lock);
	if (lgr->state == SMCU_LGR_MAKING) {
		/* Pairs with the acquire of smcu_lgr_state(). */
		smp_store_release(&lgr->state, SMCU_LGR_ACTIVE);
		queue_delayed_work(smcu_link_wq, &lgr->test_work, smcu_llc_test_interval());
		done = true;
	}
	spin_unlock_bh(&lgr->lock);
	if (done) {
		resolve_lgr(lgr);
		smcu_waiter_wake_all(&lgr->confirm_waiters);
	}
	return done;
}

enum smcu_lgr_state smcu_lgr_state(const struct smcu_lgr *lgr)
{
	/* Pairs with the releases where it is set: what led to the state, the reason of a failure included, is visible. */
	return smp_load_acquire(&lgr->state);
}

enum smcu_reason smcu_lgr_fail_reason(const struct smcu_lgr *lgr)
{
	return smcu_lgr_state(lgr) == SMCU_LGR_DEAD ? lgr->reason : SMCU_R_NONE;
}

/*
 * The last words. The peer stops when it has read our DELETE_LINK, and what it has in flight until then has to be acknowledged:
 * soft-RoCE takes the seven retries that the kernel's own SMC asks for as retries without end, and that SMC waits for them with
 * sockets locked. So the endpoint stays until the peer, which tells its own end in the same way, is through.
 */
static void say_goodbye(struct smcu_lgr *lgr, struct smcu_xport *xp)
{
	int err;

	might_sleep();

	err = smcu_llc_say_goodbye(lgr, xp);
	if (err == -EAGAIN) {
		smcu_xport_flushed(xp, FLUSH_MS);
		err = smcu_llc_say_goodbye(lgr, xp);
	}
	if (!err && lgr->was_active && lgr->how != SMCU_END_ANSWERED)
		wait_for_completion_timeout(&lgr->peer_through, msecs_to_jiffies(LINGER_MS));
	smcu_xport_flushed(xp, FLUSH_MS);
}

/*
 * Take a group apart. Nothing new begins since it is DEAD: whoever queues work, joins or asks does it under lgr->lock and looks
 * at the state first. What is under way is waited for, step by step, from the outside to the inside.
 */
static void term_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(work, struct smcu_lgr, term_work);
	struct smcu_xport *xp;

	resolve_lgr(lgr);
	smcu_waiter_wake_all(&lgr->confirm_waiters);
	smcu_llc_rkey_fail_all(lgr);

	/* It may still be missing where create runs; then nobody can have posted anything. Only we take it away. */
	xp = rcu_dereference_protected(lgr->xp, true);
	if (xp) {
		if (lgr->del_reason)
			say_goodbye(lgr, xp);
		else if (lgr->how != SMCU_END_NOW)
			smcu_xport_flushed(xp, FLUSH_MS);
		/* From here all posts fail; members' have since it is DEAD. */
		smcu_xport_kill(xp);
	}
	smcu_link_stop_works(lgr);
	smcu_member_lose_all(lgr);

	mutex_lock(&lgr->ring_lock);
	xp = rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock));
	if (xp) {
		smcu_xport_kill(xp);
		smcu_pool_dismantle(lgr, xp);
		RCU_INIT_POINTER(lgr->xp, NULL);
	}
	mutex_unlock(&lgr->ring_lock);
	if (xp) {
		synchronize_rcu();
		smcu_xport_close(xp);
	}
	/* The last upcall is over. */
	cancel_work_sync(&lgr->down_work);

	spin_lock_bh(&lgrs_lock);
	list_del(&lgr->node);
	n_lgrs--;
	spin_unlock_bh(&lgrs_lock);
	smcu_path_put(&lgr->path);
	complete_all(&lgr->gone);
	smcu_lgr_drop(lgr);
}

static struct smcu_lgr *alloc_lgr(const struct smcu_lgr_spec *spec)
{
	struct smcu_lgr *lgr;

	lgr = kzalloc(sizeof(*lgr), GFP_KERNEL);
	if (!lgr)
		return NULL;
	lgr->rtokens = kcalloc(SMCU_RTOKENS, sizeof(*lgr->rtokens), GFP_KERNEL);
	if (!lgr->rtokens) {
		kfree(lgr);
		return NULL;
	}
	lgr->role = spec->role;
	key_of(spec, &lgr->key);
	memcpy(lgr->true_id, spec->peer_id, SMCU_PEER_ID_LEN);
	lgr->path = spec->path;
	smcu_path_get(&lgr->path);
	lgr->terms = spec->terms;
	lgr->state = SMCU_LGR_MAKING;
	lgr->link_num = SMCU_LINK_NUM;
	lgr->users = 1;
	/* The caller's and the list's. */
	refcount_set(&lgr->refs, 2);
	mutex_init(&lgr->ring_lock);
	spin_lock_init(&lgr->lock);
	smcu_pool_init(lgr);
	INIT_LIST_HEAD(&lgr->confirm_waiters);
	INIT_LIST_HEAD(&lgr->rkey_reqs);
	INIT_LIST_HEAD(&lgr->members);
	INIT_LIST_HEAD(&lgr->lost_members);
	INIT_LIST_HEAD(&lgr->rooms);
	init_waitqueue_head(&lgr->lost_wq);
	init_completion(&lgr->gone);
	init_completion(&lgr->peer_through);
	INIT_DELAYED_WORK(&lgr->idle_work, idle_work);
	INIT_DELAYED_WORK(&lgr->test_work, smcu_llc_test_work);
	INIT_DELAYED_WORK(&lgr->rkey_work, smcu_llc_rkey_work);
	INIT_DELAYED_WORK(&lgr->resend_work, smcu_llc_resend_work);
	INIT_WORK(&lgr->confirm_work, smcu_link_confirm_work);
	INIT_WORK(&lgr->down_work, down_work);
	INIT_WORK(&lgr->term_work, term_work);
	return lgr;
}

/* At the limit the oldest group without users goes, and whoever comes next finds its place. */
static void evict(void)
{
	struct smcu_lgr *lgr;
	bool done;

	lockdep_assert_held(&lgrs_lock);

	list_for_each_entry(lgr, &lgrs, node) {
		spin_lock(&lgr->lock);
		done = !lgr->users && set_dead(lgr, SMCU_R_CLOSED, SMCU_DEL_PROGRAM, SMCU_END_FLUSHED);
		spin_unlock(&lgr->lock);
		if (done)
			return;
	}
}

struct smcu_lgr *smcu_lgr_create(const struct smcu_lgr_spec *spec)
{
	struct smcu_xport *xp;
	struct smcu_lgr *lgr;
	int err = -ENODEV;
	bool full;

	might_sleep();

	lgr = alloc_lgr(spec);
	if (!lgr) {
		if (spec->role == SMCU_SERVER)
			smcu_lgr_create_abandon(spec);
		return ERR_PTR(-ENOMEM);
	}

	mutex_lock(&lgr->ring_lock);
	spin_lock_bh(&lgrs_lock);
	lgr->id = ++last_id;
	list_add_tail(&lgr->node, &lgrs);
	full = n_lgrs++ >= SMCU_MAX_LGRS;
	if (full)
		evict();
	if (lgr->role == SMCU_SERVER)
		lgr->making = find_making(&lgr->key);
	spin_unlock_bh(&lgrs_lock);

	if (full) {
		err = -ENOSPC;
		goto err_end;
	}
	/* On the list first: either we see that the adapter goes, or its removal finds us. */
	if (smcu_path_is_gone(&lgr->path))
		goto err_end;
	xp = smcu_xport_open(&lgr->path, &smcu_link_xport_user, lgr);
	if (IS_ERR(xp)) {
		err = PTR_ERR(xp);
		goto err_end;
	}
	smcu_xport_local(xp, &lgr->local);
	rcu_assign_pointer(lgr->xp, xp);
	mutex_unlock(&lgr->ring_lock);
	return lgr;

err_end:
	mutex_unlock(&lgr->ring_lock);
	smcu_lgr_end(lgr, SMCU_R_LINK_UP, 0, SMCU_END_NOW);
	smcu_lgr_put(lgr);
	return ERR_PTR(err);
}

void smcu_link_stop_works(struct smcu_lgr *lgr)
{
	might_sleep();

	cancel_delayed_work_sync(&lgr->idle_work);
	cancel_delayed_work_sync(&lgr->test_work);
	cancel_delayed_work_sync(&lgr->rkey_work);
	cancel_delayed_work_sync(&lgr->resend_work);
	cancel_work_sync(&lgr->confirm_work);
}

/* End all groups of an adapter (NULL: all there are), then wait for them. */
static void end_all(const struct ib_device *ibdev, u32 del_reason)
{
	struct smcu_lgr *lgr;

	might_sleep();

	spin_lock_bh(&lgrs_lock);
	list_for_each_entry(lgr, &lgrs, node)
		if (!ibdev || lgr->key.ibdev == ibdev)
			smcu_lgr_end(lgr, SMCU_R_NO_DEVICE, del_reason, SMCU_END_FLUSHED);
	spin_unlock_bh(&lgrs_lock);

	for (;;) {
		bool found = false;

		spin_lock_bh(&lgrs_lock);
		list_for_each_entry(lgr, &lgrs, node) {
			if (!ibdev || lgr->key.ibdev == ibdev) {
				/* On the list, so the list's reference is there. */
				refcount_inc(&lgr->refs);
				found = true;
				break;
			}
		}
		spin_unlock_bh(&lgrs_lock);
		if (!found)
			break;
		smcu_lgr_end(lgr, SMCU_R_NO_DEVICE, del_reason, SMCU_END_FLUSHED);
		wait_for_completion(&lgr->gone);
		smcu_lgr_drop(lgr);
	}
	/* Those that left the list just before we looked may not be through with the adapter. */
	flush_workqueue(end_wq);
	flush_workqueue(smcu_link_wq);
}

/* Upcall of dev/: an adapter is being removed. */
static void device_gone(struct ib_device *ibdev)
{
	end_all(ibdev, SMCU_DEL_LOST_PATH);
}

/* Upcall of dev/: a port is inactive. Its links are tested at once. */
static void port_event(struct ib_device *ibdev, u8 port_num)
{
	struct smcu_lgr *lgr;

	spin_lock_bh(&lgrs_lock);
	list_for_each_entry(lgr, &lgrs, node) {
		if (lgr->key.ibdev != ibdev || lgr->key.port_num != port_num)
			continue;
		spin_lock(&lgr->lock);
		if (lgr->state == SMCU_LGR_ACTIVE)
			test_now(lgr);
		spin_unlock(&lgr->lock);
	}
	spin_unlock_bh(&lgrs_lock);
}

void smcu_link_show(struct seq_file *m, struct net *net)
{
	static const char * const state[] = { "making", "active", "dead" };
	struct smcu_lgr *lgr;

	seq_puts(m, "id role state conns users device port qpn peer_qpn peer_gid release\n");
	spin_lock_bh(&lgrs_lock);
	list_for_each_entry(lgr, &lgrs, node) {
		if (lgr->key.net_cookie != net->net_cookie)
			continue;
		/* The path is put after the group has left the list. */
		seq_printf(m, "%u %s %s %u %u %s %u %u %u %pI6c %u\n", lgr->id,
			   lgr->role == SMCU_SERVER ? "server" : "client",
			   state[smcu_lgr_state(lgr)], READ_ONCE(lgr->n_members), READ_ONCE(lgr->users),
			   dev_name(&lgr->path.ibdev->dev), lgr->path.port_num, lgr->local.qpn,
			   lgr->peer.qpn, lgr->peer.gid, lgr->terms.release);
	}
	spin_unlock_bh(&lgrs_lock);
}

int smcu_link_init(void)
{
	int err;

	/* No MEM_RECLAIM: the RDMA core waits for work of its own queues, which have none, when an endpoint is closed. */
	smcu_link_wq = alloc_workqueue("smcu_link", WQ_UNBOUND, 0);
	if (!smcu_link_wq)
		return -ENOMEM;
	/* Peers that take their time when groups end do not keep those of others waiting. */
	end_wq = alloc_workqueue("smcu_link_end", WQ_UNBOUND, min_t(int, SMCU_MAX_LGRS, WQ_MAX_ACTIVE));
	if (!end_wq) {
		err = -ENOMEM;
		goto err_link_wq;
	}
	err = smcu_dev_init(device_gone, port_event);
	if (err)
		goto err_end_wq;
	return 0;

err_end_wq:
	destroy_workqueue(end_wq);
err_link_wq:
	destroy_workqueue(smcu_link_wq);
	return err;
}

void smcu_link_exit(void)
{
	end_all(NULL, SMCU_DEL_PROGRAM);
	smcu_dev_exit();
	destroy_workqueue(end_wq);
	destroy_workqueue(smcu_link_wq);
	smcu_member_exit();
	/* Upcalls that were looked up under RCU. */
	synchronize_rcu();
	rcu_barrier();
}

void smcu_link_net_exit(struct net *net)
{
	struct smcu_lgr *lgr;

	spin_lock_bh(&lgrs_lock);
	list_for_each_entry(lgr, &lgrs, node)
		if (lgr->key.net_cookie == net->net_cookie)
			smcu_lgr_end(lgr, SMCU_R_CLOSED, SMCU_DEL_PROGRAM, SMCU_END_FLUSHED);
	spin_unlock_bh(&lgrs_lock);
}
