/* A peer's answer to our offer, and its offer: read line by line, agreed on, answered; what we write can be read. */
#include <string.h>

#include "gateway/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mcu_codec_use ours[] = {
	{ .name = (char *)"opus", .pt = 111, .channels = 2 }, { .name = (char *)"PCMU", .pt = 0 },
	{ .name = (char *)"H264", .pt = 102, .fmtp = (char *)"profile-level-id=42e028;packetization-mode=1;max-fs=8192" },
};
static struct mcu_candidate_use address = { .ip = (char *)"192.0.2.1", .port = 4000 };
static const struct mcu_transport_reply transport = { .candidates = { &address, 1 } };
static const struct gw_sdp_session session = { .id = 1, .version = 1, .ip = "192.0.2.1" };

static void answer(const gw_sdp *sdp, size_t i, struct gw_sdp_line *line, struct ort_json_array *recv)
{
	struct ort_json_array send;
	struct gw_sdp_floor floor;

	g_free(gw_sdp_why_no_codec(&sdp->media[i]));
	line->reject = !gw_sdp_agree(&sdp->media[i], ours, G_N_ELEMENTS(ours), true, recv, &send);
	for (size_t k = 0; k < send.n; k++) {
		gw_sdp_limits(&((struct mcu_codec_use *)send.items)[k], &(struct gw_sdp_limits){ 0 });
	}
	gw_sdp_array_clear(&mcu_table_codec_use, &send);
	gw_sdp_read_floor(sdp, i, &floor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_sdp_line lines[GW_SDP_MEDIA_MAX] = { 0 };
	struct gw_sdp_peer peers[GW_SDP_MEDIA_MAX];
	struct gw_sdp_agreed agreed[GW_SDP_MEDIA_MAX];
	struct ort_json_array recv[GW_SDP_MEDIA_MAX] = { 0 }, codecs = { ours, G_N_ELEMENTS(ours) };
	g_autoptr(gw_sdp) sdp = NULL, written = NULL, again = NULL;
	g_autofree char *text = NULL, *why = NULL;

	if (gw_sdp_parse((const char *)data, size, &sdp, NULL) < 0) {
		return 0;
	}
	for (size_t i = 0; i < sdp->n_media; i++) {
		lines[i] = (struct gw_sdp_line){ .type = sdp->media[i].type, .dir = GW_SDP_SENDRECV, .codecs = &codecs, .transport = &transport };
	}
	g_assert_cmpint(gw_sdp_take_answer(sdp, lines, sdp->n_media, peers, agreed, &why), ==, 0);
	gw_sdp_agreed_clear(agreed, sdp->n_media);
	for (size_t i = 0; i < sdp->n_media; i++) {
		lines[i].offered = &sdp->media[i];
		lines[i].codecs = &recv[i];
		answer(sdp, i, &lines[i], &recv[i]);
		lines[i].reject |= lines[i].type == GW_SDP_APPLICATION;
	}
	written = gw_sdp_offer(&session, lines, sdp->n_media);
	text = gw_sdp_print(written);
	g_assert_cmpint(gw_sdp_parse(text, strlen(text), &again, NULL), ==, 0);
	for (size_t i = 0; i < sdp->n_media; i++) {
		gw_sdp_array_clear(&mcu_table_codec_use, &recv[i]);
	}
	return 0;
}
