/* Codec elements of GStreamer on bare pads: no pipeline, no bus, no queue. A push runs the codec on the caller's thread and
 * its output comes back through `out` before the push returns. Which element serves which codec: elements.def, in order of
 * rank; the configuration may name others. One thread at a time an element; the table any thread. */
#pragma once
#include <gst/gst.h>
#include <stdbool.h>

#include "mcu/proto/proto.h"

enum mix_role { MIX_DECODE, MIX_ENCODE };
struct mix_element_row {
	enum mcu_codec_id codec;
	enum mix_role role;
	const char *factory;
	const char *props;		/* "name=value name=value" */
	const char *rate_prop;		/* encoders: where the rate goes, in units of */
	unsigned rate_unit;		/* bit/s */
	const char *sliced;		/* encoders: further props that bound a slice to a packet; NULL = it cannot */
};
#define MIX_MAX_RANKS 8
/* Fills the rows of a codec in order of rank, only those whose factory is there; returns how many. `ranks` is the
 * configuration's text "H264.encode=x264enc,openh264enc;VP8.decode=avdec_vp8" or NULL. */
unsigned mix_element_ranks(const char *ranks, enum mcu_codec_id codec, enum mix_role role,
			   struct mix_element_row ret[MIX_MAX_RANKS]);

struct mix_encode_use { int width, height, fps; int64_t bps; bool sliced; };
/* One buffer of output, (transfer full); caps are those that the element negotiated, borrowed. */
typedef void (*mix_element_fn)(GstBuffer *buffer, GstCaps *caps, void *user_data);
struct mix_element;
struct mix_element *mix_element_decoder(const struct mix_element_row *row, mix_element_fn out, void *user_data);
struct mix_element *mix_element_encoder(const struct mix_element_row *row, const struct mix_encode_use *use,
					mix_element_fn out, void *user_data);	/* either NULL = the element cannot */
void mix_element_free(struct mix_element *e);	/* NULL allowed */
bool mix_element_push(struct mix_element *e, GstBuffer *buffer);	/* (transfer full); false = the element is broken */
void mix_element_force_key(struct mix_element *e);
void mix_element_set_rate(struct mix_element *e, int64_t bps);
