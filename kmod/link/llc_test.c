// SPDX-License-Identifier: GPL-2.0
/*
 * Keepalive: a link on which nothing was received for an interval is tested; if then nothing comes for two seconds it is dead.
 * Any message proves that the peer lives. Runs in work of link/, once per interval and link.
 */
#include "link/internal.h"

enum {
	INTERVAL_DEFAULT = 5,		/* seconds */
	INTERVAL_MAX = 24 * 3600,
	LOOK_AGAIN = 5,			/* while it is switched off */
};

static unsigned int interval = INTERVAL_DEFAULT;	/* lockless, READ_ONCE and WRITE_ONCE */

void smcu_link_testlink_time(unsigned int sec)
{
	WRITE_ONCE(interval, min_t(unsigned int, sec, INTERVAL_MAX));
}

unsigned long smcu_llc_test_interval(void)
{
	unsigned int sec = READ_ONCE(interval);

	return (sec ?: LOOK_AGAIN) * HZ;
}

void smcu_llc_test_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(to_delayed_work(work), struct smcu_lgr, test_work);
	static const struct smcu_llc_msg msg = { .type = SMCU_LLC_TEST_LINK, .v2 = true };
	unsigned long delay = smcu_llc_test_interval();
	u32 seq = READ_ONCE(lgr->rx_seq);

	if (seq != READ_ONCE(lgr->rx_seen) || !READ_ONCE(interval)) {
		WRITE_ONCE(lgr->rx_seen, seq);
		WRITE_ONCE(lgr->testing, false);
	} else if (READ_ONCE(lgr->testing) && time_before(jiffies, lgr->test_due)) {
		/* Woken early, by an event of the port. */
		delay = lgr->test_due - jiffies;
	} else if (READ_ONCE(lgr->testing)) {
		smcu_lgr_end(lgr, SMCU_R_NO_LINK, 0, SMCU_END_NOW);
	} else {
		/* No room: what fills the queue is unanswered, too. */
		smcu_llc_send(lgr, &msg);
		WRITE_ONCE(lgr->testing, true);
		delay = msecs_to_jiffies(SMCU_T_LLC);
		lgr->test_due = jiffies + delay;
	}

	spin_lock_bh(&lgr->lock);
	if (lgr->state == SMCU_LGR_ACTIVE)
		queue_delayed_work(smcu_link_wq, &lgr->test_work, delay);
	spin_unlock_bh(&lgr->lock);
}
