/* The decoder actor: order, whole frames, codec element, picture. Its rules for bad streams:
 * - packets missing: nothing is decoded until a key frame comes (smears are worse than a late picture). A stream that has
 *   sent none for 3 s is decoded all the same, for devices that refresh by intra slices only.
 * - a picture over 4096 x 2304 is refused before it is decoded where the stream says its size, else after.
 * - more than four sizes in 2 s: not decoded for 5 s.
 * - packets that waited 400 ms for their thread are left out up to the next key frame.
 * - an element that fails is replaced, at its second failure within 10 s by the next in rank; at the fifth the stream rests. */
#include <string.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/mix/frames_priv.h"
#include "mcu/mix/pool_priv.h"

enum { KEY_WAIT_US = 3000000, SIZES_US = 2000000, SIZES_MAX = 4, REST_US = 5000000, FAILS_US = 10000000, FAILS_MAX = 5,
       SILENT_FRAMES = 60, BACKLOG_US = 400000 };

const char *const mix_trouble_names[MIX_TROUBLE_N] = {
	[MIX_NO_KEYFRAME] = "no_keyframe", [MIX_TOO_LARGE] = "too_large", [MIX_UNSTEADY] = "size_changes",
	[MIX_BROKEN_STREAM] = "broken_stream", [MIX_NO_ELEMENT] = "no_decoder",
};

struct mix_decoder {
	struct mix_worker *worker;
	bool stopped_by_owner;			/* control thread */
	_Atomic(struct mix_picture *) picture;
	atomic_bool seen, wants_key;
	atomic_int trouble, codec;
	_Atomic uint64_t packets, lost, shed, frames, replaced, cpu_us;
	/* decoder thread */
	bool stopped, need_key;
	int64_t now_us, need_since_us, rest_until_us;
	struct mix_reorder reorder;
	struct mix_depay *depay;
	struct mix_element *element;
	unsigned rank, fails, silent, sizes;
	int64_t fails_since_us, sizes_since_us;
	int w, h;
	uint64_t pts;
};

static void ask_key(struct mix_decoder *d)
{
	if (!d->need_key) {
		d->need_key = true;
		d->need_since_us = d->now_us;
	}
	atomic_store(&d->wants_key, true);
}

static void set_trouble(struct mix_decoder *d, enum mix_trouble trouble)
{
	atomic_store_explicit(&d->trouble, (int)trouble, memory_order_relaxed);
}

static void rest(struct mix_decoder *d, enum mix_trouble why)
{
	set_trouble(d, why);
	d->rest_until_us = d->now_us + REST_US;
	ask_key(d);
}

/* ---- pictures ---- */
/* false: the stream changes its size too often */
static bool note_size(struct mix_decoder *d, int w, int h)
{
	if (w == d->w && h == d->h) {
		return true;
	}
	if (d->now_us - d->sizes_since_us > SIZES_US) {
		d->sizes_since_us = d->now_us;
		d->sizes = 0;
	}
	d->w = w;
	d->h = h;
	return ++d->sizes <= SIZES_MAX;
}

static void take_picture(GstBuffer *buffer, GstCaps *caps, void *user_data)
{
	struct mix_decoder *d = user_data;
	struct mix_picture *p = mix_picture_new(buffer, caps, ort_now_us());

	d->silent = 0;
	gst_buffer_unref(buffer);
	if (!p) {
		set_trouble(d, MIX_BROKEN_STREAM);
		return;
	}
	if (p->w > MIX_MAX_WIDTH || p->h > MIX_MAX_HEIGHT) {
		rest(d, MIX_TOO_LARGE);
		mix_picture_unref(p);
	} else if (!note_size(d, p->w, p->h)) {
		rest(d, MIX_UNSTEADY);
		mix_picture_unref(p);
	} else {
		set_trouble(d, MIX_FINE);
		atomic_fetch_add_explicit(&d->frames, 1, memory_order_relaxed);
		mix_picture_unref(atomic_exchange(&d->picture, p));
	}
}

/* ---- codec element ---- */
static void drop_element(struct mix_decoder *d)
{
	g_clear_pointer(&d->element, mix_element_free);
	d->silent = 0;
	if (d->depay) {
		ask_key(d);
	}
}

static bool open_element(struct mix_decoder *d)
{
	struct mix_element_row rows[MIX_MAX_RANKS];
	unsigned n = mix_element_ranks(d->worker->ranks, (enum mcu_codec_id)atomic_load(&d->codec), MIX_DECODE, rows);

	for (unsigned i = 0; i < n && !d->element; i++) {
		d->element = mix_element_decoder(&rows[(d->rank + i) % n], take_picture, d);
	}
	if (!d->element) {
		rest(d, MIX_NO_ELEMENT);
	}
	return d->element != NULL;
}

static void element_failed(struct mix_decoder *d)
{
	drop_element(d);
	if (d->now_us - d->fails_since_us > FAILS_US) {
		d->fails_since_us = d->now_us;
		d->fails = 0;
	}
	d->fails++;
	d->rank += d->fails == 2;
	atomic_fetch_add_explicit(&d->replaced, 1, memory_order_relaxed);
	if (d->fails >= FAILS_MAX) {
		rest(d, MIX_BROKEN_STREAM);
	} else {
		ask_key(d);
	}
}

static int64_t thread_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * ORT_US_PER_S + t.tv_nsec / 1000;
}

static void decode(struct mix_decoder *d, const struct mix_frame *frame)
{
	GstBuffer *buffer = gst_buffer_new_memdup(frame->data, frame->len);
	int64_t began = thread_cpu_us();
	bool ok;

	GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = d->pts++ * (GST_SECOND / 30);
	if (!frame->key) {
		GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
	}
	d->silent++;
	atomic_store(&d->worker->busy_us, d->now_us);
	ok = mix_element_push(d->element, buffer);
	atomic_store(&d->worker->busy_us, 0);
	atomic_fetch_add_explicit(&d->cpu_us, (uint64_t)(thread_cpu_us() - began), memory_order_relaxed);
	if (!ok || d->silent > SILENT_FRAMES) {
		element_failed(d);
	}
}

/* Whether a frame may go into the decoder */
static bool admits(struct mix_decoder *d, const struct mix_frame *frame)
{
	if (frame->width > MIX_MAX_WIDTH || frame->height > MIX_MAX_HEIGHT) {
		rest(d, MIX_TOO_LARGE);
	}
	if (d->now_us < d->rest_until_us) {
		return false;
	}
	if (frame->key) {
		d->need_key = false;
	}
	if (d->need_key) {
		atomic_store(&d->wants_key, true);
		if (d->now_us - d->need_since_us < KEY_WAIT_US) {
			return false;
		}
		set_trouble(d, MIX_NO_KEYFRAME);
	}
	return true;
}

static void take_frame(const struct mix_frame *frame, void *user_data)
{
	struct mix_decoder *d = user_data;

	if (admits(d, frame) && (d->element || open_element(d))) {
		decode(d, frame);
	}
}

/* ---- packets ---- */
static int codec_of_pt(uint8_t pt)
{
	for (int i = 0; i < MCU_CODEC_N; i++) {
		if (mcu_codecs[i].kind == 'V' && mcu_codecs[i].default_pt == pt) {
			return i;
		}
	}
	return -1;
}

/* The peer may change its codec in mid-stream */
static bool choose_codec(struct mix_decoder *d, uint8_t pt)
{
	int codec = codec_of_pt(pt);

	if (codec < 0 || (d->depay && codec == atomic_load(&d->codec))) {
		return codec >= 0;
	}
	struct mix_depay *depay = mix_depay_new((enum mcu_codec_id)codec, take_frame, d);
	if (!depay) {
		return false;
	}
	mix_depay_free(d->depay);
	d->depay = depay;
	drop_element(d);
	d->rank = d->fails = 0;
	d->need_key = false;
	ask_key(d);
	atomic_store(&d->codec, codec);
	return true;
}

static void in_order(const uint8_t *packet, size_t len, bool gap, void *user_data)
{
	struct mix_decoder *d = user_data;
	struct mcu_rtp rtp;

	if (mcu_rtp_parse(packet, len, &rtp) < 0 || !choose_codec(d, rtp.pt)) {
		return;
	}
	if (gap) {
		mix_depay_gap(d->depay);
		ask_key(d);
	}
	if (mix_depay_put(d->depay, packet + rtp.header_len, rtp.payload_len, rtp.ts, rtp.marker) < 0) {
		ask_key(d);
	}
}

struct packet_msg { struct ort_msg msg; struct mix_decoder *d; int64_t at_us; size_t len; uint8_t data[]; };

/* Nobody sees it: nothing is decoded; when somebody does again, a key frame is needed first. */
static bool is_seen(struct mix_decoder *d)
{
	if (atomic_load_explicit(&d->seen, memory_order_relaxed)) {
		return true;
	}
	if (d->depay) {
		mix_reorder_clear(&d->reorder);
		d->reorder.started = false;
		mix_depay_gap(d->depay);
		d->need_key = false;
		d->rest_until_us = 0;
		ask_key(d);
		atomic_store(&d->wants_key, false);
	}
	return false;
}

/* The thread has more to decode than time: what waited too long is left out, up to the next key frame, else the queue and
 * the age of the picture would grow without end. */
static void shed(struct mix_decoder *d)
{
	mix_reorder_clear(&d->reorder);
	d->reorder.started = false;
	atomic_fetch_add_explicit(&d->shed, 1, memory_order_relaxed);
	if (d->depay) {
		mix_depay_gap(d->depay);
		ask_key(d);
	}
}

static void run_packet(struct ort_msg *msg, void *owner)
{
	struct packet_msg *m = (struct packet_msg *)msg;
	struct mix_decoder *d = m->d;
	struct mcu_rtp rtp;

	if (!d->stopped && !atomic_load(&d->worker->lost) && mcu_rtp_parse(m->data, m->len, &rtp) == 0) {
		d->now_us = ort_now_us();
		atomic_fetch_add_explicit(&d->packets, 1, memory_order_relaxed);
		if (d->now_us - m->at_us > BACKLOG_US) {
			shed(d);
		} else if (is_seen(d)) {
			mix_reorder_put(&d->reorder, m->data, m->len, rtp.seq, d->now_us, in_order, d);
			atomic_store_explicit(&d->lost, d->reorder.lost, memory_order_relaxed);
		}
	}
	mix_decoder_unref(d);
	g_free(m);
}

void mix_decoder_packet(struct mix_decoder *d, const uint8_t *packet, size_t len, int64_t at_us)
{
	struct packet_msg *m = g_malloc(sizeof(*m) + len);

	m->msg.run = run_packet;
	m->d = mix_decoder_ref(d);
	m->at_us = ort_now_us();	/* when it began to wait here; at_us is the engine's */
	m->len = len;
	memcpy(m->data, packet, len);
	ort_mailbox_post(ort_loop_mailbox(d->worker->loop), &m->msg);
}

/* ---- life ---- */
struct mix_decoder *mix_decoder_new(struct mix_pool *pool)
{
	struct mix_decoder *d = g_atomic_rc_box_new0(struct mix_decoder);

	d->worker = mix_pool_pick(pool);
	d->worker->decoders++;
	atomic_init(&d->codec, -1);
	return d;
}

struct mix_decoder *mix_decoder_ref(struct mix_decoder *d)
{
	return g_atomic_rc_box_acquire(d);
}

static void decoder_clear(gpointer data)
{
	struct mix_decoder *d = data;

	mix_reorder_clear(&d->reorder);
	mix_depay_free(d->depay);
	mix_element_free(d->element);
	mix_picture_unref(atomic_load(&d->picture));
}

void mix_decoder_unref(struct mix_decoder *d)
{
	if (d) {
		g_atomic_rc_box_release_full(d, decoder_clear);
	}
}

struct stop_msg { struct ort_msg msg; struct mix_decoder *d; };

static void run_stop(struct ort_msg *msg, void *owner)
{
	struct stop_msg *m = (struct stop_msg *)msg;

	m->d->stopped = true;
	drop_element(m->d);
	mix_reorder_clear(&m->d->reorder);
	mix_decoder_unref(m->d);
	g_free(m);
}

/* Nobody sees it: a codec keeps some 10 MB of a 720p stream, and a roll call has fifty. */
static void run_put_away(struct ort_msg *msg, void *owner)
{
	struct stop_msg *m = (struct stop_msg *)msg;

	if (!atomic_load(&m->d->seen) && !atomic_load(&m->d->worker->lost)) {
		drop_element(m->d);
	}
	mix_decoder_unref(m->d);
	g_free(m);
}

static void post(struct mix_decoder *d, void (*run)(struct ort_msg *msg, void *owner))
{
	struct stop_msg *m = g_new0(struct stop_msg, 1);

	m->msg.run = run;
	m->d = mix_decoder_ref(d);
	ort_mailbox_post(ort_loop_mailbox(d->worker->loop), &m->msg);
}

void mix_decoder_stop(struct mix_decoder *d)
{
	if (!d->stopped_by_owner) {
		d->stopped_by_owner = true;
		d->worker->decoders--;
	}
	post(d, run_stop);
}

bool mix_decoder_lost(const struct mix_decoder *d)
{
	return atomic_load(&d->worker->lost);
}

/* ---- the home thread's side ---- */
struct mix_picture *mix_decoder_take(struct mix_decoder *d)
{
	return atomic_exchange(&d->picture, NULL);
}

bool mix_decoder_wants_key(struct mix_decoder *d)
{
	return atomic_exchange(&d->wants_key, false);
}

void mix_decoder_want(struct mix_decoder *d, bool seen)
{
	if (seen && !atomic_load_explicit(&d->seen, memory_order_relaxed)) {
		atomic_store(&d->wants_key, true);	/* it would be asked for at the next packet only */
	}
	if (atomic_exchange(&d->seen, seen) && !seen) {
		post(d, run_put_away);
	}
}

void mix_decoder_figures(const struct mix_decoder *d, struct mix_decoder_figures *ret)
{
	*ret = (struct mix_decoder_figures){
		.packets = atomic_load_explicit(&d->packets, memory_order_relaxed),
		.lost = atomic_load_explicit(&d->lost, memory_order_relaxed) + atomic_load_explicit(&d->shed, memory_order_relaxed),
		.frames = atomic_load_explicit(&d->frames, memory_order_relaxed),
		.replaced = atomic_load_explicit(&d->replaced, memory_order_relaxed),
		.cpu_us = atomic_load_explicit(&d->cpu_us, memory_order_relaxed),
		.trouble = (enum mix_trouble)atomic_load_explicit(&d->trouble, memory_order_relaxed),
		.codec = atomic_load_explicit(&d->codec, memory_order_relaxed),
	};
}
