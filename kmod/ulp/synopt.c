// SPDX-License-Identifier: GPL-2.0
/*
 * The SMC option in SYN and SYN-ACK, by netfilter hooks: one way for all kernels, also for those without CONFIG_SMC.
 *
 * Client: LOCAL_OUT adds the option to each SYN of a socket in CONNECT; LOCAL_IN looks for it in the SYN-ACK and notes it in the
 * ctx just before TCP processes the same packet. Server: the listener saves SYNs (TCP_SAVE_SYN); LOCAL_OUT adds the option to a
 * SYN-ACK if the saved SYN has it, and marks the saved SYN; clone() reads the mark. So only options that were really received and
 * really sent count, whatever happens between: syncookies and Fast Open have no saved SYN or no mark and end as plain TCP.
 *
 * Packets of others cost a look at sk_state on the way out, and a look at a counter on the way in.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include "proto/synopt.h"
#include "ulp/internal.h"
#include "ulp/ulp.h"

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

/* The TCP header of the SYN that a request has saved, or NULL. */
static struct tcphdr *saved_tcp(const struct request_sock *req)
{
	struct saved_syn *syn = req->saved_syn;

	if (!syn || syn->tcp_hdrlen < sizeof(struct tcphdr))
		return NULL;
	return (struct tcphdr *)(syn->data + syn->mac_hdrlen + syn->network_hdrlen);
}

static int saved_option(struct tcphdr *th, const struct saved_syn *syn)
{
	return smcu_synopt_find((u8 *)(th + 1), syn->tcp_hdrlen - sizeof(*th));
}

/* The mark "our SYN-ACK carried it" in the saved SYN: its FIN bit, which no SYN that TCP answers has. */
bool smcu_synopt_agreed(const struct request_sock *req)
{
	struct tcphdr *th = saved_tcp(req);

	return th && th->fin && saved_option(th, req->saved_syn) >= 0;
}

static void out_synack(struct sk_buff *skb, struct request_sock *req, bool v6)
{
	const struct sock *listener = READ_ONCE(req->rsk_listener);
	struct tcphdr *th = saved_tcp(req);
	struct smcu_net *sn;
	int off;

	if (!listener || !th || !smcu_prot_is_ours(READ_ONCE(listener->sk_prot)))
		return;
	off = saved_option(th, req->saved_syn);
	if (off < 0)
		return;
	sn = smcu_base_net(sock_net(listener));
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
	rcu_read_lock();
	ctx = smcu_ulp_ctx(sk);
	if (ctx && smcu_ulp_mode(ctx) == SMCU_M_CONNECT && add_option(skb, v6))
		smcu_stat_inc(ctx->sn, syn_sent);
	rcu_read_unlock();
	return NF_ACCEPT;
}

static struct sock *in_lookup(struct net *net, struct sk_buff *skb, const struct tcphdr *th, bool v6)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;

#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		return __inet6_lookup_established(net, hashinfo, &ipv6_hdr(skb)->saddr, th->source, &ipv6_hdr(skb)->daddr,
						  ntohs(th->dest), inet6_iif(skb), inet6_sdif(skb));
#endif
	return __inet_lookup_established(net, hashinfo, ip_hdr(skb)->saddr, th->source, ip_hdr(skb)->daddr,
					 ntohs(th->dest), inet_iif(skb), inet_sdif(skb));
}

/* A SYN-ACK while sockets of ours are connecting: note what it says in the ctx it is for. */
static unsigned int in(struct net *net, struct sk_buff *skb, bool v6)
{
	unsigned int off = skb_transport_offset(skb);
	u8 buf[15 * 4];
	struct smcu_ctx *ctx;
	struct tcphdr *th;
	struct sock *sk;
	size_t len;

	if (likely(!atomic_read(&smcu_base_net(net)->connecting)))
		return NF_ACCEPT;
	if ((v6 ? ipv6_hdr(skb)->nexthdr : ip_hdr(skb)->protocol) != IPPROTO_TCP)
		return NF_ACCEPT;
	th = skb_header_pointer(skb, off, sizeof(*th), buf);
	if (!th || !th->syn || !th->ack || th->doff * 4 < sizeof(*th))
		return NF_ACCEPT;
	th = skb_header_pointer(skb, off, th->doff * 4, buf);
	if (!th)
		return NF_ACCEPT;
	sk = in_lookup(net, skb, th, v6);
	if (!sk)
		return NF_ACCEPT;
	/*
	 * TCP accepts exactly this acknowledgment of a SYN without data; a forged one must not speak for the peer. It is compared with
	 * write_seq since snd_nxt follows only after the SYN has left, and the answer may be faster.
	 */
	if (sk->sk_state == TCP_SYN_SENT && inet_csk(sk)->icsk_ulp_ops == &smcu_ulp_ops &&
	    ntohl(th->ack_seq) == READ_ONCE(tcp_sk(sk)->write_seq)) {
		rcu_read_lock();
		ctx = smcu_ulp_ctx(sk);
		if (ctx && smcu_ulp_mode(ctx) == SMCU_M_CONNECT) {
			const u8 *opt = options(th, &len);

			WRITE_ONCE(ctx->synack, smcu_synopt_find(opt, len) >= 0);
		}
		rcu_read_unlock();
	}
	sock_gen_put(sk);
	return NF_ACCEPT;
}

static unsigned int out4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return out(skb, false);
}

static unsigned int out6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return out(skb, true);
}

static unsigned int in4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return in(state->net, skb, false);
}

static unsigned int in6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return in(state->net, skb, true);
}

/* Last in either chain: filters see the packet as TCP made it, and NAT has put the final addresses in. */
static const struct nf_hook_ops hooks[] = {
	{ .hook = out4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_LAST },
	{ .hook = in4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN, .priority = NF_IP_PRI_LAST },
#if IS_ENABLED(CONFIG_IPV6)
	{ .hook = out6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP6_PRI_LAST },
	{ .hook = in6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_IN, .priority = NF_IP6_PRI_LAST },
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
