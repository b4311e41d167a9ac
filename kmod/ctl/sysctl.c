// SPDX-License-Identifier: GPL-2.0
/*
 * net.smc_ulp.* of each network namespace:
 *   enable           0 or 1, default 1. 0: setsockopt(TCP_ULP, "smc") fails with EOPNOTSUPP; existing connections go on
 *   max_handshakes   1 to 65536, default 1024. More at once: the option in a SYN is ignored and the connection is TCP
 *   rmem, wmem       bytes, 16384 to 2097152, default 65536: rings where SO_RCVBUF or SO_SNDBUF does not say otherwise
 *   testlink_time    seconds, 0 to 3600, default 5: silence on a link after which the peer is asked; 0 never. Initial
 *                    namespace only, since links are shared by nobody but paid for by all
 *   ueid             up to 4 user EIDs, separated by blanks or commas; peers need one in common
 */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include "base/base.h"
#include "compat/ops_shape.h"
#include "ctl/ctl.h"
#include "link/link.h"
#include "proto/wire_clc.h"

#define UEID_TEXT (SMCU_MAX_LOCAL_EIDS * (SMCU_EID_LEN + 1))

static int handshakes_max = 65536;
static int ring_min = SMCU_RMBE_MIN;
static int ring_max = 2 * 1024 * 1024;
static int testlink_max = 3600;
static int testlink_time = 5;

static size_t ueid_print(struct smcu_net *sn, char *text)
{
	u8 eid[SMCU_MAX_LOCAL_EIDS][SMCU_EID_LEN];
	u8 n = smcu_base_eids(sn, eid[0]);
	size_t len = 0;
	int i, l;

	for (i = 0; i < n; i++) {
		for (l = SMCU_EID_LEN; l > 0 && eid[i][l - 1] == ' '; l--)
			;
		if (i)
			text[len++] = ' ';
		memcpy(text + len, eid[i], l);
		len += l;
	}
	text[len] = 0;
	return len;
}

static int ueid_parse(struct smcu_net *sn, char *text)
{
	u8 eid[SMCU_MAX_LOCAL_EIDS][SMCU_EID_LEN];
	char *word;
	u8 n = 0;

	while ((word = strsep(&text, " ,\t\n"))) {
		if (!*word)
			continue;
		if (n == SMCU_MAX_LOCAL_EIDS || smcu_eid_from_text(word, strlen(word), eid[n]))
			return -EINVAL;
		n++;
	}
	spin_lock_bh(&sn->eid_lock);
	memcpy(sn->eid, eid, sizeof(eid[0]) * n);
	sn->n_eids = n;
	spin_unlock_bh(&sn->eid_lock);
	return 0;
}

static int proc_ueid(const struct ctl_table *table, int write, void *buf, size_t *len, loff_t *pos)
{
	char text[UEID_TEXT + 1];
	struct ctl_table tmp = { .data = text, .maxlen = UEID_TEXT };
	struct smcu_net *sn = table->data;
	int err;

	if (write && *len > UEID_TEXT)
		return -EINVAL;
	/* Also for writing: a write that goes on after an earlier one is ignored, and leaves what is there. */
	ueid_print(sn, text);
	err = proc_dostring(&tmp, write, buf, len, pos);
	if (err || !write)
		return err;
	return ueid_parse(sn, text);
}

static int proc_testlink(const struct ctl_table *table, int write, void *buf, size_t *len, loff_t *pos)
{
	int err = proc_dointvec_minmax(table, write, buf, len, pos);

	if (!err && write)
		smcu_link_testlink_time(testlink_time);
	return err;
}

SMCU_SHAPE_PROC_HANDLER(shaped_ueid, proc_ueid);
SMCU_SHAPE_PROC_HANDLER(shaped_testlink, proc_testlink);

int smcu_sysctl_net_init(struct net *net)
{
	struct smcu_net *sn = smcu_base_net(net);
	const struct ctl_table template[] = {
		{ .procname = "enable", .data = &sn->enable, .maxlen = sizeof(int), .mode = 0644,
		  .proc_handler = proc_dointvec_minmax, .extra1 = SYSCTL_ZERO, .extra2 = SYSCTL_ONE },
		{ .procname = "max_handshakes", .data = &sn->max_handshakes, .maxlen = sizeof(int), .mode = 0644,
		  .proc_handler = proc_dointvec_minmax, .extra1 = SYSCTL_ONE, .extra2 = &handshakes_max },
		{ .procname = "rmem", .data = &sn->rmem, .maxlen = sizeof(int), .mode = 0644,
		  .proc_handler = proc_dointvec_minmax, .extra1 = &ring_min, .extra2 = &ring_max },
		{ .procname = "wmem", .data = &sn->wmem, .maxlen = sizeof(int), .mode = 0644,
		  .proc_handler = proc_dointvec_minmax, .extra1 = &ring_min, .extra2 = &ring_max },
		{ .procname = "ueid", .data = sn, .maxlen = UEID_TEXT, .mode = 0644, .proc_handler = shaped_ueid },
		{ .procname = "testlink_time", .data = &testlink_time, .maxlen = sizeof(int), .mode = 0644,
		  .proc_handler = shaped_testlink, .extra1 = SYSCTL_ZERO, .extra2 = &testlink_max },
		{ }	/* room for the end of a table, which older kernels mark */
	};
	size_t n = ARRAY_SIZE(template) - 1 - !net_eq(net, &init_net);
	struct ctl_table *table = kmemdup(template, sizeof(template), GFP_KERNEL);

	if (!table)
		return -ENOMEM;
	sn->sysctl = register_net_sysctl_sz(net, "net/smc_ulp", table, n);
	if (!sn->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

void smcu_sysctl_net_exit(struct net *net)
{
	struct ctl_table_header *header = smcu_base_net(net)->sysctl;
	const struct ctl_table *table = header->ctl_table_arg;

	unregister_net_sysctl_table(header);
	kfree(table);
}
