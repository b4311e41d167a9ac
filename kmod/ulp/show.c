// SPDX-License-Identifier: GPL-2.0
/*
 * One line for each converted socket: local, remote, mode, role, reason code, reason, bytes sent and received. Sockets are
 * walked under the namespace's leaf lock, a page of lines at a time; what is printed is read locklessly and may be a moment old.
 */
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include "ulp/internal.h"
#include "ulp/ulp.h"

static const char * const modes[] = {
	[SMCU_M_INIT] = "INIT", [SMCU_M_CONNECT] = "CONNECT", [SMCU_M_HS] = "HANDSHAKE", [SMCU_M_FLUSH] = "FLUSH",
	[SMCU_M_SMC] = "SMC", [SMCU_M_TCP] = "TCP", [SMCU_M_DEAD] = "DEAD",
};

static void show_addr(struct seq_file *m, const struct sock *sk, bool local)
{
	u16 port = local ? inet_sk(sk)->inet_num : ntohs(inet_sk(sk)->inet_dport);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		seq_printf(m, "[%pI6c]:%u ", local ? &sk->sk_v6_rcv_saddr : &sk->sk_v6_daddr, port);
		return;
	}
#endif
	seq_printf(m, "%pI4:%u ", local ? &inet_sk(sk)->inet_rcv_saddr : &inet_sk(sk)->inet_daddr, port);
}

static void *sockets_start(struct seq_file *m, loff_t *pos)
	__acquires(&smcu_base_net(seq_file_net(m))->socks_lock)
{
	struct smcu_net *sn = smcu_base_net(seq_file_net(m));

	spin_lock_bh(&sn->socks_lock);
	return seq_list_start_head(&sn->socks, *pos);
}

static void *sockets_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &smcu_base_net(seq_file_net(m))->socks, pos);
}

static void sockets_stop(struct seq_file *m, void *v)
	__releases(&smcu_base_net(seq_file_net(m))->socks_lock)
{
	spin_unlock_bh(&smcu_base_net(seq_file_net(m))->socks_lock);
}

static int sockets_show(struct seq_file *m, void *v)
{
	const struct smcu_ctx *ctx = list_entry(v, struct smcu_ctx, node);
	const struct smcu_conn *conn;
	u64 tx = 0, rx = 0;
	bool listening;
	u8 mode;

	if (v == &smcu_base_net(seq_file_net(m))->socks) {
		seq_puts(m, "local remote mode role name reason tx rx\n");
		return 0;
	}
	conn = READ_ONCE(ctx->conn);
	mode = smcu_ulp_mode(ctx);
	listening = inet_sk_state_load(ctx->sk) == TCP_LISTEN;
	if (conn && mode == SMCU_M_SMC)
		smcu_conn_totals(conn, &tx, &rx);
	show_addr(m, ctx->sk, true);
	show_addr(m, ctx->sk, false);
	seq_printf(m, "%s %s %s \"%s\" %llu %llu\n", listening ? "LISTEN" : modes[mode],
		   ctx->server || listening ? "server" : "client", smcu_reason_name(ctx->reason),
		   smcu_reason_text(ctx->reason), tx, rx);
	return 0;
}

const struct seq_operations smcu_ulp_seq_ops = {
	.start = sockets_start,
	.next = sockets_next,
	.stop = sockets_stop,
	.show = sockets_show,
};
