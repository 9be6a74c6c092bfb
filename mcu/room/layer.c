/* Which simulcast layer each receiver gets: as large as the window that shows it, as much as the downlink carries.
 * All pictures of a receiver share its estimate: everybody gets the lowest layer, then each is raised in turn. */
#include "mcu/room/room_priv.h"

enum { CHOOSE_US = 500000, AFTER_DOWN_US = 5000000, MAX_PICKS = 64 };

struct pick {
	struct sink *sink;
	struct stream *order[MAX_LAYERS];	/* small to large */
	unsigned n, at, most;
};

static uint64_t pixels(const struct stream *st)
{
	return (uint64_t)st->width * st->height;
}

/* Before the first half second is measured: two bits a pixel and second, as encoders are usually set. */
static uint64_t cost(const struct stream *st)
{
	if (st->bps) {
		return st->bps;
	}
	return st->width ? pixels(st) * 2 : 300000;
}

static bool smaller(const struct stream *a, const struct stream *b)
{
	if (pixels(a) && pixels(b) && pixels(a) != pixels(b)) {
		return pixels(a) < pixels(b);
	}
	if (a->bps && b->bps && a->bps != b->bps) {
		return a->bps < b->bps;
	}
	return a->index < b->index;
}

static void sort_layers(struct pick *pick)
{
	const struct source *source = pick->sink->source;

	for (unsigned i = 0; i < source->n_streams; i++) {
		struct stream *st = source->streams[i];
		unsigned k = pick->n;
		if (!st->up) {
			continue;
		}
		for (; k && smaller(st, pick->order[k - 1]); k--) {
			pick->order[k] = pick->order[k - 1];
		}
		pick->order[k] = st;
		pick->n++;
	}
}

/* The smallest layer that fills the wanted window (four fifths of its pixels count as full), within the wanted rate. */
static unsigned most_useful(const struct pick *pick)
{
	const struct sink *s = pick->sink;
	uint64_t want = (uint64_t)MAX(s->want_w, 0) * (uint64_t)MAX(s->want_h, 0);
	unsigned i = 0;

	while (i + 1 < pick->n && (!want || pixels(pick->order[i]) * 5 < want * 4)) {
		i++;
	}
	while (i && s->want_bps > 0 && cost(pick->order[i]) > (uint64_t)s->want_bps) {
		i--;
	}
	return i;
}

static uint64_t spend_on_single(const struct sink *sink)
{
	const struct stream *st = route_stream(sink);

	return st && st->up ? cost(st) : 0;
}

/* Fills picks of those that have a choice; returns what the others cost. */
static uint64_t gather(struct peer *peer, struct pick *picks, unsigned *ret_n)
{
	uint64_t spent = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < peer->sinks->len; i++) {
		struct sink *sink = g_ptr_array_index(peer->sinks, i);
		if (!sink->source || sink->paused) {
			continue;
		}
		if (sink->source->n_streams < 2 || n == MAX_PICKS) {
			spent += sink->kind == MCU_AUDIO ? (sink->current ? sink->current->bps : 0) : spend_on_single(sink);
			continue;
		}
		picks[n] = (struct pick){ .sink = sink };
		sort_layers(&picks[n]);
		if (picks[n].n) {
			picks[n].most = most_useful(&picks[n]);
			spent += cost(picks[n].order[0]);
			n++;
		}
	}
	*ret_n = n;
	return spent;
}

static bool is_forwarded(const struct pick *pick, unsigned i)
{
	for (; i < pick->n; i++) {
		if (pick->order[i] == pick->sink->current) {
			return true;	/* this one or a larger one is carried already */
		}
	}
	return false;
}

/* A step up needs some air above it and a while since the last step down; staying does not. */
static bool may_raise(const struct pick *pick, uint64_t spent, uint64_t budget, int64_t now_us, uint64_t *ret_more)
{
	if (pick->at >= pick->most) {
		return false;
	}
	uint64_t from = cost(pick->order[pick->at]), to = cost(pick->order[pick->at + 1]);
	*ret_more = to > from ? to - from : 0;
	if (is_forwarded(pick, pick->at + 1)) {
		return spent + *ret_more <= budget;
	}
	return (!pick->sink->layer_down_us || now_us - pick->sink->layer_down_us >= AFTER_DOWN_US) &&
	       spent + *ret_more <= budget - budget / 8;
}

static void raise_in_turn(struct pick *picks, unsigned n, uint64_t spent, uint64_t budget, int64_t now_us)
{
	bool raised = true;
	uint64_t more;

	while (raised) {
		raised = false;
		for (unsigned i = 0; i < n; i++) {
			if (may_raise(&picks[i], spent, budget, now_us, &more)) {
				picks[i].at++;
				spent += more;
				raised = true;
			}
		}
	}
}

static void apply(struct pick *pick, int64_t now_us)
{
	struct sink *sink = pick->sink;
	struct stream *to = pick->order[pick->at];

	if (sink->current && sink->current != to && smaller(to, sink->current) && pick->at < pick->most) {
		sink->layer_down_us = now_us;
	}
	route_aim(sink, to, now_us);
}

/* Returns whether there was anything to choose. */
static bool choose(struct peer *peer, int64_t now_us)
{
	struct pick picks[MAX_PICKS];
	unsigned n;

	uint64_t spent = gather(peer, picks, &n);
	raise_in_turn(picks, n, spent, mcu_bwe_bps(peer->bwe), now_us);
	for (unsigned i = 0; i < n; i++) {
		apply(&picks[i], now_us);
	}
	return n > 0;
}

int64_t layer_due(struct peer *peer, int64_t now_us)
{
	if (now_us >= peer->next_layer_us) {
		/* without a choice it rests until layer_soon() */
		peer->next_layer_us = ORT_NEVER;
		if (choose(peer, now_us)) {
			peer->next_layer_us = now_us + CHOOSE_US;
		}
	}
	return peer->next_layer_us;
}

/* Something about this source changed: its receivers choose again in this turn. */
void layer_soon(struct source *source, int64_t now_us)
{
	if (source->n_streams < 2) {
		return;
	}
	for (unsigned i = 0; i < source->sinks->len; i++) {
		struct sink *sink = g_ptr_array_index(source->sinks, i);
		sink->peer->next_layer_us = now_us;
	}
	rooms_wake(source->peer->room->rooms, now_us);
}
