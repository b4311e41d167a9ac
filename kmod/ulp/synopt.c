// SPDX-License-Identifier: GPL-2.0
/*
 * The SMC option in SYN and SYN-ACK, in one way for all kernels, also for those without CONFIG_SMC.
 *
 * A netfilter hook adds it on the way out (LOCAL_OUT): to each SYN of a socket in CONNECT, and to a SYN-ACK if the SYN that the
 * listener has saved (TCP_SAVE_SYN) carries it; the saved SYN is marked then, and clone() reads the mark. A client reads the SYN-ACK
 * where MPTCP does, in the address family's callback at establishment. So only options that were really received and really sent
 * count: syncookies and Fast Open have no saved SYN or no mark and end as plain TCP.
 *
 * Packets of others cost a look at sk_state on the way out, and nothing on the way in.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include "proto/synopt.h"
#include "ulp/internal.h"
#include "ulp/ulp.h"

#define SYNS_WITH_OPTION 2	/* retransmissions from there on go without */
#define TCP_OPT_MAX (15 * 4 - sizeof(struct tcphdr))

static const u8 *options(const struct tcphdr *th, size_t *len)
{
	*len = th->doff * 4 - sizeof(*th);
	return (const u8 *)(th + 1);
}

/* A signature covers the length of the header: nothing may be added behind it. Kinds 19 (MD5) and 29 (AO). */
static bool is_signed(const u8 *opt, size_t len)
{
	size_t i = 0;

	while (i < len && opt[i] != TCPOPT_EOL) {
		if (opt[i] == TCPOPT_MD5SIG || opt[i] == 29)
			return true;
		if (opt[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len || opt[i + 1] < 2)
			break;
		i += opt[i + 1];
	}
	return false;
}

/*
 * Make room between TCP header and payload by moving the headers to the front, and fill it. The skb may share its data with the
 * retransmit queue, but headers are private or made so.
 */
static bool add_option(struct sk_buff *skb, bool v6)
{
	unsigned int nhoff = skb_network_offset(skb);
	unsigned int hlen = skb_transport_offset(skb) - nhoff;
	struct tcphdr *th = tcp_hdr(skb);
	unsigned int thlen = th->doff * 4;
	unsigned int tcplen;
	const u8 *opt;
	size_t len;

	opt = options(th, &len);
	/* A VRF sends through LOCAL_OUT twice. */
	if (smcu_synopt_find(opt, len) >= 0)
		return true;
	if (len + SMCU_SYNOPT_LEN > TCP_OPT_MAX || is_signed(opt, len))
		return false;
	if (skb_ensure_writable(skb, hlen + thlen) || skb_cow_head(skb, SMCU_SYNOPT_LEN + LL_MAX_HEADER))
		return false;

	skb_push(skb, SMCU_SYNOPT_LEN);
	memmove(skb->data, skb->data + SMCU_SYNOPT_LEN, hlen + thlen);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, hlen);
	th = tcp_hdr(skb);
	smcu_synopt_write((u8 *)th + thlen);
	th->doff += SMCU_SYNOPT_LEN / 4;
	tcplen = skb->len - hlen;

	if (v6) {
		struct ipv6hdr *ip6h = ipv6_hdr(skb);

		ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
		th->check = ~tcp_v6_check(tcplen, &ip6h->saddr, &ip6h->daddr, 0);
	} else {
		struct iphdr *iph = ip_hdr(skb);

		iph->tot_len = htons(skb->len);
		ip_send_check(iph);
		th->check = ~tcp_v4_check(tcplen, iph->saddr, iph->daddr, 0);
	}
	/* Whoever sends it completes the checksum, in hardware or by skb_checksum_help(). */
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	return true;
}

/*
 * TCP gives the saved SYN of a request to the child without a lock, and may free it at once: but only after the request has left the
 * table of connections, which happens with the lock of its bucket held. So with that lock, and while the request is in the table, the
 * saved SYN stays. A request that has left has its child, and one that is not there yet is a syncookie's or Fast Open's.
 */
static spinlock_t *bucket_lock(const struct request_sock *req)
{
	return inet_ehash_lockp(read_pnet(&req->__req_common.skc_net)->ipv4.tcp_death_row.hashinfo, req->rsk_hash);
}

static bool is_hashed(const struct request_sock *req)
{
	return !hlist_nulls_unhashed(&req->__req_common.skc_nulls_node);
}

/* The TCP header of the SYN that a request has saved, or NULL. Bucket locked. */
static struct tcphdr *saved_tcp(const struct request_sock *req)
{
	struct saved_syn *syn = req->saved_syn;

	if (!is_hashed(req) || !syn || syn->tcp_hdrlen < sizeof(struct tcphdr))
		return NULL;
	return (struct tcphdr *)(syn->data + syn->mac_hdrlen + syn->network_hdrlen);
}

static int saved_option(struct tcphdr *th, const struct saved_syn *syn)
{
	return smcu_synopt_find((u8 *)(th + 1), syn->tcp_hdrlen - sizeof(*th));
}

/* The mark "our SYN-ACK carried it" is in the saved SYN: its FIN bit, which no SYN that TCP answers has. */
bool smcu_synopt_agreed(struct request_sock *req, bool ours)
{
	spinlock_t *lock = bucket_lock(req);
	struct saved_syn *unused = NULL;
	struct tcphdr *th;
	bool agreed;

	spin_lock_bh(lock);
	th = saved_tcp(req);
	agreed = th && th->fin && saved_option(th, req->saved_syn) >= 0;
	if (ours && !agreed && is_hashed(req)) {
		unused = req->saved_syn;
		req->saved_syn = NULL;
	}
	spin_unlock_bh(lock);
	kfree(unused);
	return agreed;
}

/* Bucket locked. */
static void synack(struct sk_buff *skb, struct request_sock *req, const struct sock *listener, bool v6)
{
	struct smcu_net *sn = smcu_base_net(sock_net(listener));
	struct tcphdr *th = saved_tcp(req);
	int off;

	if (!th)
		return;
	off = saved_option(th, req->saved_syn);
	if (off < 0)
		return;
	/*
	 * The child may end with a listener that is not ours, whose program would read the proposal. What a BPF program migrates
	 * can't be seen from here: it has to choose a listener of the same kind.
	 */
	if (!th->fin && listener->sk_reuseport && READ_ONCE(sock_net(listener)->ipv4.sysctl_tcp_migrate_req))
		goto forget;
	if (!th->fin && atomic_read(&sn->handshakes) >= READ_ONCE(sn->max_handshakes)) {
		smcu_stat_inc(sn, hs_limited);
		goto forget;
	}
	if (add_option(skb, v6)) {
		th->fin = 1;
		smcu_stat_inc(sn, synack_sent);
		return;
	}
	if (th->fin)
		return;
forget:
	/* Once refused, refused for all retransmissions: the client takes whichever SYN-ACK arrives first. */
	((u8 *)(th + 1))[off] = TCPOPT_NOP;
	((u8 *)(th + 1))[off + 1] = TCPOPT_NOP;
}

/* A kernel service listens, and works with its children in ways of its own. A program's listener in a BPF map is not one. */
static bool is_kernels(const struct sock *listener)
{
	uintptr_t data = (uintptr_t)READ_ONCE(listener->sk_user_data);

	return data && !(data & SK_USER_DATA_BPF);
}

static void out_synack(struct sk_buff *skb, struct request_sock *req, bool v6)
{
	const struct sock *listener = READ_ONCE(req->rsk_listener);
	spinlock_t *lock;

	if (!listener || !smcu_prot_is_ours(READ_ONCE(listener->sk_prot)) || is_kernels(listener))
		return;
	lock = bucket_lock(req);
	spin_lock_bh(lock);
	synack(skb, req, listener, v6);
	spin_unlock_bh(lock);
}

static unsigned int out(struct sk_buff *skb, bool v6)
{
	struct sock *sk = skb->sk;
	struct smcu_ctx *ctx;
	u8 state;

	if (!sk)
		return NF_ACCEPT;
	state = READ_ONCE(sk->sk_state);
	if (likely(!((1 << state) & (TCPF_SYN_SENT | TCPF_NEW_SYN_RECV))))
		return NF_ACCEPT;
	if ((v6 ? ipv6_hdr(skb)->nexthdr : ip_hdr(skb)->protocol) != IPPROTO_TCP || !tcp_hdr(skb)->syn)
		return NF_ACCEPT;
	if (state == TCP_NEW_SYN_RECV) {
		if (tcp_hdr(skb)->ack)
			out_synack(skb, inet_reqsk(sk), v6);
		return NF_ACCEPT;
	}
	if (tcp_hdr(skb)->ack || inet_csk(sk)->icsk_ulp_ops != &smcu_ulp_ops)
		return NF_ACCEPT;
	/* Some middlebox may drop what it does not know. What was agreed is what the SYN-ACK says, whichever SYN it answers. */
	if (READ_ONCE(inet_csk(sk)->icsk_retransmits) >= SYNS_WITH_OPTION)
		return NF_ACCEPT;
	rcu_read_lock();
	ctx = smcu_ulp_ctx(sk);
	if (ctx && smcu_ulp_mode(ctx) == SMCU_M_CONNECT && add_option(skb, v6))
		smcu_stat_inc(ctx->sn, syn_sent);
	rcu_read_unlock();
	return NF_ACCEPT;
}

/*
 * The SYN-ACK that TCP has accepted, on its way into tcp_finish_connect(): what it says is noted just before the state changes. The
 * socket's operations are TCP's again from here. Called in softirq or with the socket owned, never twice for a connect.
 */
static void finish_connect(struct sock *sk, const struct sk_buff *skb)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	const u8 *opt;
	size_t len;

	opt = options(tcp_hdr(skb), &len);
	/* Crossing SYNs make two clients, and no server. */
	ctx->synack = tcp_hdr(skb)->syn && tcp_hdr(skb)->ack && smcu_synopt_find(opt, len) >= 0;
	smcu_synopt_done(ctx);
	inet_csk(sk)->icsk_af_ops->sk_rx_dst_set(sk, skb);
}

/* Copies of TCP's address family operations (IPv4, IPv6, v4-mapped), made when one is met first; TCP has no more of them. */
static struct af_copy {
	const struct inet_connection_sock_af_ops *base;
	struct inet_connection_sock_af_ops ours;
} af_copies[3];
static DEFINE_SPINLOCK(af_lock);

static const struct inet_connection_sock_af_ops *af_ops_for(const struct inet_connection_sock_af_ops *base)
{
	const struct inet_connection_sock_af_ops *found = NULL;
	int i;

	spin_lock_bh(&af_lock);
	for (i = 0; i < ARRAY_SIZE(af_copies); i++) {
		struct af_copy *c = &af_copies[i];

		if (!c->base) {
			c->ours = *base;
			c->ours.sk_rx_dst_set = finish_connect;
			c->base = base;
		}
		if (c->base == base) {
			found = &c->ours;
			break;
		}
	}
	spin_unlock_bh(&af_lock);
	return found;
}

void smcu_synopt_expect(struct smcu_ctx *ctx)
{
	struct inet_connection_sock *icsk = inet_csk(ctx->sk);
	const struct inet_connection_sock_af_ops *ours;

	sock_owned_by_me(ctx->sk);
	if (ctx->af_ops || ctx->sk->sk_state != TCP_SYN_SENT)
		return;
	ours = af_ops_for(icsk->icsk_af_ops);
	if (!ours)
		return;
	ctx->af_ops = icsk->icsk_af_ops;
	WRITE_ONCE(icsk->icsk_af_ops, ours);
}

void smcu_synopt_done(struct smcu_ctx *ctx)
{
	if (!ctx->af_ops)
		return;
	WRITE_ONCE(inet_csk(ctx->sk)->icsk_af_ops, ctx->af_ops);
	ctx->af_ops = NULL;
}

static unsigned int out4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return out(skb, false);
}

static unsigned int out6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return out(skb, true);
}

/* Last in the chain: filters see the packet as TCP made it, and NAT has put the final addresses in. */
static const struct nf_hook_ops hooks[] = {
	{ .hook = out4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_LAST },
#if IS_ENABLED(CONFIG_IPV6)
	{ .hook = out6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP6_PRI_LAST },
#endif
};

int smcu_synopt_net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

void smcu_synopt_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
