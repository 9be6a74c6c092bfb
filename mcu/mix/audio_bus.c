/* Sums, encodes and who gets which. Outputs that want the same share a bus; when an output wants something else (its party
 * begins to speak, its volume changes), it gets a bus of its own that is cloned from the one it had: the receiver's decoder
 * sees one encoder that goes on. When two buses have wanted the same for SETTLE ticks, their sums and limiters have become
 * equal and they are joined, with one frame that depends on nothing before. So the work of encoding does not grow with the
 * number of silent listeners. */
#include <math.h>
#include <string.h>

#include "mcu/mix/sound_priv.h"

enum { SETTLE = 10, RAMP = 480, BLOCK = 240, CROWD = 3 };
#define LIMIT 0.89f		/* -1 dBov */
#define RELEASE 1.02f		/* a block of 5 ms: 10 dB in 0.3 s */

struct wish { const struct sound_codec *codec; int64_t bps; const char *without, *ear; float gain; };

static void bus_free(struct sound_bus *b)
{
	sound_encoder_free(b->encoder);
	g_free(b->without);
	g_free(b->ear);
	g_free(b);
}

static bool speaks_into(const struct mix_audio *a, const char *member)
{
	for (unsigned i = 0; i < a->heard_n; i++) {
		if (g_strcmp0(a->heard[i]->member, member) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_private(const struct mix_audio *a, const char *member)
{
	for (unsigned i = 0; i < a->plays->len; i++) {
		const struct sound_play *p = g_ptr_array_index(a->plays, i);
		if (p->member && strcmp(p->member, member) == 0) {
			return true;
		}
	}
	return false;
}

static struct wish wish_of(const struct mix_audio *a, const struct sound_output *o)
{
	return (struct wish){
		.codec = o->codec, .bps = o->bps, .gain = o->gain,
		.without = o->member && speaks_into(a, o->member) ? o->member : NULL,
		.ear = o->member && has_private(a, o->member) ? o->member : NULL,
	};
}

static bool grants(const struct sound_bus *b, const struct wish *w)
{
	return b->codec == w->codec && b->bps == w->bps && b->gain == w->gain && g_strcmp0(b->without, w->without) == 0 &&
	       g_strcmp0(b->ear, w->ear) == 0;
}

static void set_wish(struct mix_audio *a, struct sound_bus *b, const struct wish *w)
{
	g_free(b->without);
	g_free(b->ear);
	b->without = g_strdup(w->without);
	b->ear = g_strdup(w->ear);
	b->gain = w->gain;
	b->born = a->ticks;
}

static struct sound_bus *bus_new(struct mix_audio *a, const struct wish *w, const struct sound_bus *from)
{
	struct sound_bus *b = g_new0(struct sound_bus, 1);

	b->codec = w->codec;
	b->bps = w->bps;
	b->from = from;
	b->limit = from ? from->limit : 1;
	b->gain_now = from ? from->gain_now : w->gain;
	b->crowd = from && from->crowd;
	b->encoder = from ? sound_encoder_clone(from->encoder) : sound_encoder_new(&a->tools, w->codec, w->bps);
	set_wish(a, b, w);
	g_ptr_array_add(a->buses, b);
	return b;
}

void sound_bus_leave(struct mix_audio *a, struct sound_output *o)
{
	struct sound_bus *b = o->bus;

	o->bus = NULL;
	if (b && --b->users == 0) {
		for (unsigned i = 0; i < a->buses->len; i++) {
			struct sound_bus *other = g_ptr_array_index(a->buses, i);
			other->from = other->from == b ? NULL : other->from;
		}
		(void)g_ptr_array_remove_fast(a->buses, b);	/* it is there */
		bus_free(b);
	}
}

static void enter(struct mix_audio *a, struct sound_output *o, struct sound_bus *b)
{
	b->users++;
	sound_bus_leave(a, o);
	o->bus = b;
}

/* `from` NULL: any that grants the wish; else one that came from the same bus in this tick. */
static struct sound_bus *find(const struct mix_audio *a, const struct wish *w, const struct sound_bus *from)
{
	for (unsigned i = 0; i < a->buses->len; i++) {
		struct sound_bus *b = g_ptr_array_index(a->buses, i);
		if (grants(b, w) && (!from || (b->from == from && b->born == a->ticks))) {
			return b;
		}
	}
	return NULL;
}

static void arrange(struct mix_audio *a, struct sound_output *o)
{
	struct wish w = wish_of(a, o);
	struct sound_bus *b;

	if (o->bus && grants(o->bus, &w)) {
		return;
	}
	if (!o->bus || o->bus->codec != w.codec || o->bus->bps != w.bps) {
		b = find(a, &w, NULL);
		if (b) {
			b->alone = true;
		}
		enter(a, o, b ? b : bus_new(a, &w, NULL));
	} else if (o->bus->users == 1) {
		set_wish(a, o->bus, &w);
	} else {
		b = find(a, &w, o->bus);
		enter(a, o, b ? b : bus_new(a, &w, o->bus));
	}
}

static bool settled(const struct mix_audio *a, const struct sound_bus *b)
{
	return a->ticks - b->born >= SETTLE && b->gain == b->gain_now && !b->ear;
}

static void merge(struct mix_audio *a, struct sound_bus *young)
{
	struct wish w = { young->codec, young->bps, young->without, young->ear, young->gain };
	struct sound_bus *old = NULL;

	for (unsigned i = 0; i < a->buses->len && !old; i++) {
		struct sound_bus *b = g_ptr_array_index(a->buses, i);
		if (b != young && (b->users > young->users || (b->users == young->users && b < young)) && settled(a, b) &&
		    grants(b, &w)) {
			old = b;
		}
	}
	for (unsigned i = 0; old && i < a->outputs->len; i++) {
		struct sound_output *o = g_ptr_array_index(a->outputs, i);
		if (o->bus == young && young->users == 1) {
			enter(a, o, old);
			break;		/* young is gone */
		}
		if (o->bus == young) {
			enter(a, o, old);
		}
	}
	if (old) {
		old->alone = true;
	}
}

void sound_buses_arrange(struct mix_audio *a)
{
	for (unsigned i = 0; i < a->outputs->len; i++) {
		arrange(a, g_ptr_array_index(a->outputs, i));
	}
	for (unsigned i = a->buses->len; i-- > 0;) {
		struct sound_bus *b = i < a->buses->len ? g_ptr_array_index(a->buses, i) : NULL;
		if (b && settled(a, b)) {
			merge(a, b);
		}
	}
}

static void ramp(struct sound_bus *b, float *x)
{
	float step = (b->gain - b->gain_now) / RAMP;

	if (b->gain == 1 && b->gain_now == 1) {
		return;
	}
	for (unsigned i = 0; i < SOUND_FRAME; i++) {
		x[i] *= i < RAMP ? b->gain_now + step * (float)i : b->gain;
	}
	b->gain_now = b->gain;
}

/* Several who speak at once: each block is turned down to its peak, quickly down and slowly up; what the ramp lets through
 * is cut. */
static void limit(struct sound_bus *b, float *x)
{
	for (unsigned at = 0; at < SOUND_FRAME; at += BLOCK) {
		float peak = 0, from = b->limit, to;
		for (unsigned i = 0; i < BLOCK; i++) {
			peak = fmaxf(peak, fabsf(x[at + i]));
		}
		to = fminf(fminf(from * RELEASE, 1), peak > LIMIT ? LIMIT / peak : 1);
		b->limit = to;
		if (from == 1 && to == 1) {
			continue;
		}
		for (unsigned i = 0; i < BLOCK; i++) {
			float w = fminf((float)i / 48, 1);
			x[at + i] = CLAMP(x[at + i] * ((1 - w) * from + w * to), -1.0f, 1.0f);
		}
	}
}

static void private_sounds(const struct mix_audio *a, const struct sound_bus *b, float *x)
{
	for (unsigned i = 0; b->ear && i < a->plays->len; i++) {
		const struct sound_play *p = g_ptr_array_index(a->plays, i);
		if (p->active && p->member && strcmp(p->member, b->ear) == 0) {
			sound_play_add(p, x, SOUND_FRAME);
		}
	}
}

static void run(struct mix_audio *a, struct sound_bus *b)
{
	float x[SOUND_FRAME];
	unsigned voices = a->heard_n;

	memcpy(x, a->sum, sizeof(x));
	for (unsigned i = 0; b->without && i < a->heard_n; i++) {
		if (g_strcmp0(a->heard[i]->member, b->without) == 0) {
			sound_add(x, a->heard[i]->frame, SOUND_FRAME, -1);
			voices--;
		}
	}
	if (b->codec->expect_crowd && b->crowd != (voices >= CROWD)) {
		b->crowd = !b->crowd;
		b->codec->expect_crowd(b->encoder->state, b->crowd);
	}
	ramp(b, x);
	private_sounds(a, b, x);
	limit(b, x);
	b->len = sound_encode(b->encoder, x, b->alone, b->packet + 12, SOUND_PAYLOAD);
	b->alone = false;
	a->encodes++;
}

/* The worst of those who listen, so that FEC is there for him. */
static void expect_loss(const struct mix_audio *a)
{
	for (unsigned i = 0; i < a->outputs->len; i++) {
		const struct sound_output *o = g_ptr_array_index(a->outputs, i);
		o->bus->loss = MAX(o->bus->loss, o->loss);
	}
	for (unsigned i = 0; i < a->buses->len; i++) {
		struct sound_bus *b = g_ptr_array_index(a->buses, i);
		if (b->codec->expect_loss) {
			b->codec->expect_loss(b->encoder->state, b->loss);
		}
		b->loss = 0;
	}
}

void sound_buses_run(struct mix_audio *a)
{
	if (a->ticks % 50 == 0) {
		expect_loss(a);
	}
	for (unsigned i = 0; i < a->buses->len; i++) {
		run(a, g_ptr_array_index(a->buses, i));
	}
}
