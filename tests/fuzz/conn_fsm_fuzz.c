// SPDX-License-Identifier: GPL-2.0
/*
 * Two ends and the messages between them; each byte is what happens next (which end, and what). After the string both
 * programs close and everything is delivered: both ends must be finished.
 */
#include "fuzz.h"
#include "proto/conn_fsm.h"
#include "proto/wire_cdc.h"

enum {
	FINAL = SMCU_CF_CLOSED | SMCU_CF_ABORT,
	WIRE = 8,
};

struct end {
	u8 state;
	u8 sent;
	u8 wire[WIRE];		/* flags on their way to this end */
	u8 n;
	bool eof;
	bool err;
	bool lost;
};

static void event(struct end *e, struct end *peer, u8 ev)
{
	struct smcu_conn_step step = smcu_conn_next(e->state, ev, e->sent);
	u8 before = e->sent;

	MUST(step.next < SMCU_CS_COUNT);
	if (e->state == SMCU_CS_CLOSED)
		MUST(step.next == SMCU_CS_CLOSED && !step.actions);
	else
		MUST((step.next == SMCU_CS_CLOSED) == !!(step.actions & SMCU_CA_FINISHED));
	if (step.actions & SMCU_CA_RX_EOF) {
		MUST(!e->eof);
		e->eof = true;
	}
	if (step.actions & (SMCU_CA_RESET | SMCU_CA_LOST)) {
		MUST(!e->err);
		e->err = true;
	}
	if (step.actions & SMCU_CA_SEND_DONE)
		e->sent |= SMCU_CF_DONE;
	if (step.actions & SMCU_CA_SEND_CLOSED)
		e->sent |= SMCU_CF_CLOSED;
	if (step.actions & SMCU_CA_SEND_ABORT)
		e->sent |= SMCU_CF_ABORT;
	if (before & FINAL)
		MUST(!(step.actions & (SMCU_CA_SEND_DONE | SMCU_CA_SEND_CLOSED)));
	e->state = step.next;
	if (e->sent != before && !e->lost) {
		MUST(peer->n < WIRE);
		peer->wire[peer->n++] = e->sent;
	}
}

static void deliver(struct end *e, struct end *peer)
{
	u8 flags = e->wire[0];

	if (!e->n || e->lost)
		return;
	memmove(e->wire, e->wire + 1, WIRE - 1);
	e->n--;
	if (flags & SMCU_CF_ABORT)
		event(e, peer, SMCU_CE_PEER_ABORT);
	else
		event(e, peer, flags & SMCU_CF_CLOSED ? SMCU_CE_PEER_CLOSED : SMCU_CE_PEER_DONE);
}

static void lose(struct end *e, struct end *peer)
{
	if (e->lost)
		return;
	e->lost = true;
	event(e, peer, SMCU_CE_LINK_LOST);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct end ends[2] = { 0 };
	size_t i;
	int k;

	for (i = 0; i < size; i++) {
		struct end *e = &ends[data[i] & 1], *peer = &ends[!(data[i] & 1)];

		switch (data[i] >> 1 & 7) {
		case 0:
			event(e, peer, SMCU_CE_SHUTDOWN_WR);
			break;
		case 1:
			event(e, peer, SMCU_CE_CLOSE);
			break;
		case 2:
			/* once; a second time would mean that we stop waiting */
			if (!(e->sent & FINAL))
				event(e, peer, SMCU_CE_ABORT);
			break;
		case 3:
			if (data[i] & 0x80) {
				lose(e, peer);
				lose(peer, e);
			}
			break;
		default:
			deliver(e, peer);
			break;
		}
	}
	for (k = 0; k < 4; k++) {
		event(&ends[k & 1], &ends[!(k & 1)], SMCU_CE_CLOSE);
		while (ends[0].n + ends[1].n && !ends[0].lost) {
			deliver(&ends[0], &ends[1]);
			deliver(&ends[1], &ends[0]);
		}
	}
	MUST(ends[0].state == SMCU_CS_CLOSED && ends[1].state == SMCU_CS_CLOSED);
	return 0;
}
