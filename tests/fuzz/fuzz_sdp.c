/* SDP of a peer: parse -> print -> parse -> print is stable, and an answer to it can be parsed. */
#include <string.h>

#include "gateway/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer_it(const gw_sdp *offer)
{
	struct mcu_transport_reply t = { .ice_ufrag = (char *)"u", .ice_pwd = (char *)"p", .fingerprint = (char *)"AA:BB" };
	struct gw_sdp_ours ours = { .transport = &t };
	struct gw_sdp_plan plans[GW_SDP_MEDIA_MAX] = { 0 };
	struct gw_sdp_agreed agreed[GW_SDP_MEDIA_MAX];
	g_autoptr(gw_sdp) answer = NULL, again = NULL;

	for (size_t i = 0; i < offer->n_media; i++) {
		plans[i] = (struct gw_sdp_plan){ .dir = GW_SDP_SENDRECV, .simulcast = true, .ssrc = 1, .rtx_ssrc = 2 };
	}
	if (gw_sdp_answer(offer, &ours, plans, offer->n_media, agreed, &answer, NULL) == 0) {
		g_autofree char *text = gw_sdp_print(answer);

		g_assert_cmpint(gw_sdp_parse(text, strlen(text), &again, NULL), ==, 0);
	}
	gw_sdp_agreed_clear(agreed, offer->n_media);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(gw_sdp) sdp = NULL, again = NULL;
	g_autofree char *first = NULL, *second = NULL;

	if (gw_sdp_parse((const char *)data, size, &sdp, NULL) < 0) {
		return 0;
	}
	first = gw_sdp_print(sdp);
	if (gw_sdp_parse(first, strlen(first), &again, NULL) == 0) {	/* a limit may stop what merging made longer */
		second = gw_sdp_print(again);
		g_assert_cmpstr(first, ==, second);
	}
	answer_it(sdp);
	return 0;
}
