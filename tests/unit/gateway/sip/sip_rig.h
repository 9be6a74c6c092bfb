/* Two SIP stacks of ours that call each other over loopback, in one loop, with the fake media half. */
#pragma once
#include "gateway/sip/sip_priv.h"
#include "tests/unit/gateway/sip/fake_sip_media.h"

struct end {	/* one stack and the application above it */
	gw_sip *sip;
	gw_leg *in;			/* last leg that came */
	unsigned refuse;		/* status for on_call */
	bool auto_answer;
	unsigned calls, ended, up, streams, registered, refers;
	char *number, *from, *device, *trunk, *replaces, *why, *refer_to;
	GString *digits, *trunk_log, *methods;
	const char *certificate, *key, *ca;	/* set before end_open() */
	const char *password;		/* of device "room1" */
	bool md5_only;
};
struct rig { struct end a, b; };

void rig_open(struct rig *r, const struct gw_sip_trunk *trunks_a, size_t n_a);	/* b trusts a's address as trunk "a" */
void rig_open_conf(struct rig *r, const struct gw_sip_trunk *trunks_a, size_t n_a, const char *trunk_of_b);
void rig_close(struct rig *r);
struct end *end_open(struct end *e, const struct gw_sip_zone *zone, const struct gw_sip_trunk *trunks, size_t n_trunks);
void end_close(struct end *e);
char *end_uri(const struct end *e, const char *user);
/* Runs the loop until the condition is true, at most 10 s; then the test fails. */
#define WAIT(cond)                                                                                       \
	do {                                                                                             \
		int64_t until_ = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;                           \
		while (!(cond) && g_get_monotonic_time() < until_) {                                     \
			if (!g_main_context_iteration(NULL, FALSE)) {                                    \
				g_usleep(500);                                                           \
			}                                                                                \
		}                                                                                        \
		g_assert_true(cond);                                                                     \
	} while (0)
void rig_run(unsigned ms);	/* lets things happen that should not */
gw_leg *rig_dial(struct end *from, const char *address);
enum gw_leg_state state_of(const gw_leg *leg);
json_t *end_dump(const struct end *e);
int64_t end_counter(const struct end *e, const char *name);
