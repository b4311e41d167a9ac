// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/*
 * smc_ueid: what a test must tell the kernel's own SMC (net/smc) before it speaks SMC-R over soft-RoCE: a user EID,
 * and for a device that it cannot find by itself, a pnet id. Generic netlink, no library, since smc-tools may be
 * absent.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GEN_DUMP_UEID = 9, GEN_ADD_UEID = 10, GEN_REMOVE_UEID = 11, GEN_FLUSH_UEID = 12 };
enum { GEN_ATTR_UEID = 1 };
enum { PNET_GET = 1, PNET_ADD = 2, PNET_DEL = 3, PNET_FLUSH = 4 };
enum { PNET_ATTR_NAME = 1, PNET_ATTR_ETHNAME, PNET_ATTR_IBNAME, PNET_ATTR_IBPORT };
#define UEID_LEN 32

struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[512];
};

static void usage(FILE *out)
{
	fputs("Usage: smc_ueid add NAME           add a user EID (padded to 32 characters)\n"
	      "       smc_ueid del NAME | flush\n"
	      "       smc_ueid dump               print the user EIDs\n"
	      "       smc_ueid pnet-eth NAME DEV  give a network device a pnet id\n"
	      "       smc_ueid pnet-ib NAME DEV   give port 1 of an RDMA device a pnet id\n"
	      "       smc_ueid pnet-dump | pnet-flush\n"
	      "\n"
	      "Configures the kernel's own SMC (modprobe smc first). Exit status: 0, or 1 with a message.\n", out);
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "smc_ueid: %s: %s\n", what, strerror(err));
	return 1;
}

static void begin(struct message *m, int family, int cmd, int flags)
{
	memset(m, 0, sizeof(*m));
	m->nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->nl.nlmsg_type = family;
	m->nl.nlmsg_flags = NLM_F_REQUEST | flags;
	m->genl.cmd = cmd;
	m->genl.version = 1;
}

static void put(struct message *m, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	m->nl.nlmsg_len = NLMSG_ALIGN(m->nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

/* Calls @each for each attribute of each answer. Returns 0 or a positive errno. */
static int exchange(struct message *m, void (*each)(const struct nlattr *a, void *arg), void *arg)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	char buf[16384];

	if (fd < 0 || send(fd, m, m->nl.nlmsg_len, 0) < 0)
		return errno;
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *nl = (struct nlmsghdr *)buf;

		if (n < 0)
			return errno;
		for (; NLMSG_OK(nl, n); nl = NLMSG_NEXT(nl, n)) {
			char *p = (char *)NLMSG_DATA(nl) + GENL_HDRLEN, *end = (char *)nl + nl->nlmsg_len;

			if (nl->nlmsg_type == NLMSG_DONE || nl->nlmsg_type == NLMSG_ERROR) {
				close(fd);
				return -*(int *)NLMSG_DATA(nl);
			}
			while (each && p + NLA_HDRLEN <= end) {
				struct nlattr *a = (struct nlattr *)p;

				each(a, arg);
				p += NLA_ALIGN(a->nla_len);
			}
		}
	}
}

static void save_family(const struct nlattr *a, void *arg)
{
	if (a->nla_type == CTRL_ATTR_FAMILY_ID)
		*(uint16_t *)arg = *(const uint16_t *)((const char *)a + NLA_HDRLEN);
}

/* 0: not there. */
static int family_id(const char *name)
{
	struct message m;
	uint16_t id = 0;

	begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	put(&m, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	return exchange(&m, save_family, &id) ? 0 : id;
}

static void print_ueid(const struct nlattr *a, void *arg)
{
	(void)arg;
	if (a->nla_type == GEN_ATTR_UEID)
		printf("%s\n", (const char *)a + NLA_HDRLEN);
}

static void print_pnet(const struct nlattr *a, void *arg)
{
	const char *value = (const char *)a + NLA_HDRLEN;

	(void)arg;
	if (a->nla_type == PNET_ATTR_IBPORT)
		printf("%u\n", (unsigned char)*value);
	else
		printf("%s ", value);
}

static int do_ueid(int cmd, const char *name)
{
	int family = family_id("SMC_GEN_NETLINK"), err;
	struct message m;
	char ueid[UEID_LEN + 1];

	if (!family)
		return fail("SMC_GEN_NETLINK (is module smc loaded?)", ENOENT);
	begin(&m, family, cmd, cmd == GEN_DUMP_UEID ? NLM_F_DUMP : NLM_F_ACK);
	if (name) {
		snprintf(ueid, sizeof(ueid), "%-32s", name);
		put(&m, GEN_ATTR_UEID, ueid, sizeof(ueid));
	}
	err = exchange(&m, print_ueid, NULL);
	return err ? fail("ueid", err) : 0;
}

static int do_pnet(int cmd, const char *name, int attr, const char *dev)
{
	int family = family_id("SMC_PNETID"), err;
	struct message m;

	if (!family)
		return fail("SMC_PNETID (is module smc loaded?)", ENOENT);
	begin(&m, family, cmd, cmd == PNET_GET ? NLM_F_DUMP : NLM_F_ACK);
	if (name)
		put(&m, PNET_ATTR_NAME, name, strlen(name) + 1);
	if (dev)
		put(&m, attr, dev, strlen(dev) + 1);
	if (attr == PNET_ATTR_IBNAME)
		put(&m, PNET_ATTR_IBPORT, "\1", 1);
	err = exchange(&m, print_pnet, NULL);
	return err ? fail("pnet", err) : 0;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 1 ? argv[1] : "", *name = argc > 2 ? argv[2] : NULL, *dev = argc > 3 ? argv[3] : NULL;

	if (!strcmp(cmd, "--help") || !strcmp(cmd, "-h")) {
		usage(stdout);
		return 0;
	}
	if (name && strlen(name) <= UEID_LEN) {
		if (!strcmp(cmd, "add"))
			return do_ueid(GEN_ADD_UEID, name);
		if (!strcmp(cmd, "del"))
			return do_ueid(GEN_REMOVE_UEID, name);
		if (!strcmp(cmd, "pnet-eth") && dev)
			return do_pnet(PNET_ADD, name, PNET_ATTR_ETHNAME, dev);
		if (!strcmp(cmd, "pnet-ib") && dev)
			return do_pnet(PNET_ADD, name, PNET_ATTR_IBNAME, dev);
	}
	if (!strcmp(cmd, "flush"))
		return do_ueid(GEN_FLUSH_UEID, NULL);
	if (!strcmp(cmd, "dump"))
		return do_ueid(GEN_DUMP_UEID, NULL);
	if (!strcmp(cmd, "pnet-dump"))
		return do_pnet(PNET_GET, NULL, 0, NULL);
	if (!strcmp(cmd, "pnet-flush"))
		return do_pnet(PNET_FLUSH, NULL, 0, NULL);
	usage(stderr);
	return 2;
}
