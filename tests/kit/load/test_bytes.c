/* The generator's own bytes as others read them: STUN by libnice, TWCC by mcu/rtp. */
#include <glib.h>
#include <math.h>
#include <string.h>
#include <stun/stunagent.h>
#include <arpa/inet.h>

#include "mcu/rtp/rtp.h"
#include "tests/kit/load/load.h"

/* What subscriber.c wants of a running generator; nothing is sent here. */
uint32_t load_random(void)
{
	return 4;
}
void load_rtcp_out(struct load_peer *peer, uint8_t *data, size_t len)
{
}
size_t load_rtcp_sdes(uint8_t *out, uint32_t ssrc)
{
	return 0;
}

static const char pwd[] = "VOkJxbRl1RmTxUk/WvJxBt", user[] = "evtj:h6vY";
static const uint8_t transaction[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static bool check_user(StunAgent *agent, StunMessage *message, uint8_t *username, uint16_t username_len,
		       uint8_t **password, size_t *password_len, void *user_data)
{
	*password = (uint8_t *)user_data;
	*password_len = strlen(user_data);
	return username_len == strlen(user) && memcmp(username, user, username_len) == 0;
}

static StunValidationStatus validate(const uint8_t *data, size_t len, const char *key)
{
	StunAgent agent;
	StunMessage message;
	uint16_t known[] = { STUN_ATTRIBUTE_USERNAME, STUN_ATTRIBUTE_PRIORITY, STUN_ATTRIBUTE_USE_CANDIDATE,
			     STUN_ATTRIBUTE_MESSAGE_INTEGRITY, 0 };

	stun_agent_init(&agent, known, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	return stun_agent_validate(&agent, &message, data, len, check_user, (void *)(uintptr_t)key);
}

static void test_stun_request(void)
{
	uint8_t out[LOAD_SLOT];
	size_t len = load_stun_request(out, transaction, user, pwd, true, 42, true);
	struct load_stun stun;

	g_assert_cmpint(validate(out, len, pwd), ==, STUN_VALIDATION_SUCCESS);
	g_assert_cmpint(validate(out, len, "another password"), ==, STUN_VALIDATION_UNAUTHORIZED);
	g_assert_true(load_stun_parse(out, len, pwd, &stun));
	g_assert_true(stun.integrity && stun.use_candidate);
	g_assert_cmpmem(stun.username, stun.username_len, user, strlen(user));
	out[len - 1] ^= 1;
	g_assert_false(load_stun_parse(out, len, pwd, &stun));
}

static void test_stun_reply(void)
{
	uint8_t out[LOAD_SLOT];
	struct load_stun stun;
	struct sockaddr_storage from = { .ss_family = AF_INET };
	size_t len = load_stun_reply(out, transaction, &from, pwd);

	g_assert_true(load_stun_parse(out, len, pwd, &stun));
	g_assert_true(stun.integrity);
	g_assert_cmpuint(stun.type, ==, 0x0101);
	for (size_t cut = 0; cut < len; cut++) {
		g_assert_false(load_stun_parse(out, cut, pwd, &stun) && stun.integrity);
	}
}

struct seen { const struct load_recv *r; unsigned n, lost; int64_t first_us, first_sent_us; };

static void on_twcc(uint16_t seq, int64_t arrival_us, void *ud)
{
	struct seen *s = ud;
	const struct load_recv *r = s->r;

	if (arrival_us == INT64_MIN) {
		s->lost++;
		return;
	}
	g_assert_cmpuint(seq, ==, r->twcc[s->n].seq);
	if (!s->n) {
		s->first_us = arrival_us;
		s->first_sent_us = r->twcc[0].us;
	}
	g_assert_cmpint(ABS((arrival_us - s->first_us) - (r->twcc[s->n].us - s->first_sent_us)), <=, 500);
	s->n++;
}

static void test_twcc(void)
{
	g_autofree struct load_recv *r = g_new0(struct load_recv, 1);
	uint8_t out[1400];
	size_t len, pos = 0;
	struct mcu_rtcp rtcp;
	struct seen s = { .r = r };
	int64_t us = 1234567890;

	for (unsigned i = 0; i < 200; i++) {
		us += i % 50 == 49 ? 90000 : i * 13;	/* small and large deltas */
		if (i % 7 == 3) {
			continue;	/* lost */
		}
		r->twcc[r->n_twcc].seq = (uint16_t)(65500 + i);
		r->twcc[r->n_twcc++].us = us;
	}
	len = load_recv_twcc(r, out, 1300);
	g_assert_cmpuint(len, >, 0);
	g_assert_cmpint(mcu_rtcp_next(out, len, &pos, &rtcp), ==, 1);
	g_assert_cmpint(rtcp.kind, ==, MCU_RTCP_TWCC);
	g_assert_cmpint(mcu_rtcp_twcc_walk(&rtcp, on_twcc, &s), ==, 0);
	g_assert_cmpuint(s.n, ==, r->n_twcc);
	g_assert_cmpuint(s.lost, ==, 28);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/load/stun-request", test_stun_request);
	g_test_add_func("/load/stun-reply", test_stun_reply);
	g_test_add_func("/load/twcc", test_twcc);
	return g_test_run();
}
