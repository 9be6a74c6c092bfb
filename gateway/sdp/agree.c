/* Codecs of two sides -> what each may send. Payload types are those of who receives. */
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

#define CODECS_MAX 12	/* of one m-line */

/* How much we want an H.264 variant: a picture that can be forwarded to browsers before one that must be decoded, and
 * fragments before whole NAL units. -1 = not decoded here. */
static int h264_rank(const char *fmtp)
{
	static const char order[] = "CBHhM";
	unsigned profile = sdp_h264_profile(fmtp);
	const char *at = profile < 0x100 ? strchr(order, (int)profile) : NULL;
	char mode = sdp_h264_mode(fmtp);

	if (!at || !profile || (mode != '0' && mode != '1')) {
		return -1;
	}
	return (int)(at - order) + (mode == '0' ? (int)sizeof(order) : 0);
}

struct pair { int rank, ours, codec; };	/* codec: index into the peer's */

static int our_row(const struct mcu_codec_use *ours, size_t n, const struct gw_sdp_codec *c, int id, bool answering)
{
	int found = -1;

	for (size_t i = 0; i < n; i++) {
		if (mcu_codec_by_name(ours[i].name) != id) {
			continue;
		}
		if (answering) {
			return (int)i;	/* H.264: one row for all */
		}
		if ((unsigned)ours[i].pt == c->pt) {
			return (int)i;
		}
		/* an answer with types of its own: by packetization mode */
		if (id != MCU_CODEC_H264 || sdp_h264_mode(ours[i].fmtp) == sdp_h264_mode(c->fmtp)) {
			found = found < 0 ? (int)i : found;
		}
	}
	return found;
}

static int by_rank(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->rank != y->rank ? x->rank - y->rank : x->codec - y->codec;
}

/* Where the first variant of a codec stands in the peer's list. An answer that has H.264 in both modes means mode 1: its
 * fragments let a key frame be larger than a packet. */
static int their_rank(const struct gw_sdp_media *peer, size_t at, int id)
{
	size_t first = 0;

	while (sdp_known_codec(peer, &peer->codecs[first]) != id) {
		first++;
	}
	return (int)first * 2 + (id == MCU_CODEC_H264 && sdp_h264_mode(peer->codecs[at].fmtp) == '0');
}

/* In the order of preference: ours in our answer, the peer's in its. Digits stand last. */
static size_t pairs_of(const struct gw_sdp_media *peer, const struct mcu_codec_use *ours, size_t n, bool answering,
		       struct pair *ret)
{
	size_t found = 0;

	for (size_t i = 0; i < peer->n_codecs && found < CODECS_MAX; i++) {
		const struct gw_sdp_codec *c = &peer->codecs[i];
		int id = sdp_known_codec(peer, c), row = id >= 0 ? our_row(ours, n, c, id, answering) : -1;
		int variant = id == MCU_CODEC_H264 && answering ? h264_rank(c->fmtp) : 0;

		if (row < 0 || variant < 0) {
			continue;
		}
		ret[found++] = (struct pair){ id == MCU_CODEC_TELEPHONE_EVENT ? 10000 : answering ? row * 100 + variant : their_rank(peer, i, id),
					      row, (int)i };
	}
	qsort(ret, found, sizeof(*ret), by_rank);
	return found;
}

static void both_feedback(struct mcu_codec_use *use, const struct mcu_codec_use *other)
{
	use->nack = use->nack && other->nack;
	use->pli = use->pli && other->pli;
	use->fir = use->fir && other->fir;
	use->remb = use->remb && other->remb;
	use->twcc = use->twcc && other->twcc;
	use->rtx_pt = 0;
}

static char *recv_fmtp(const struct mcu_codec_use *ours, const struct gw_sdp_codec *c, int id, bool answering)
{
	if (answering && id == MCU_CODEC_H264) {
		g_autofree char *fmtp = sdp_h264_answer(c->fmtp, ours->fmtp);
		const char *more = ours->fmtp ? strstr(ours->fmtp, ";max-") : NULL;	/* our own max-fs .. stay */

		return g_strconcat(fmtp, more, NULL);
	}
	return id == MCU_CODEC_H264 ? sdp_h264_received(ours->fmtp, c->fmtp) : g_strdup(ours->fmtp);
}

static bool has_pt(const GArray *uses, int64_t pt)
{
	for (guint i = 0; i < uses->len; i++) {
		if (g_array_index(uses, struct mcu_codec_use, i).pt == pt) {
			return true;
		}
	}
	return false;
}

static void add_pair(const struct gw_sdp_media *peer, const struct mcu_codec_use *ours, const struct pair *p, bool answering,
		     GArray *recv, GArray *send)
{
	const struct gw_sdp_codec *c = &peer->codecs[p->codec];
	const struct mcu_codec_use *row = &ours[p->ours];
	int id = mcu_codec_by_name(row->name);
	struct mcu_codec_use theirs = { 0 }, mine = *row;

	sdp_use_codec(peer, c, id, &theirs);
	both_feedback(&mine, &theirs);
	both_feedback(&theirs, row);
	mine.name = g_strdup(row->name);
	mine.pt = answering ? c->pt : row->pt;
	mine.fmtp = recv_fmtp(row, c, id, answering);
	mine.clock_hz = theirs.clock_hz;
	mine.channels = theirs.channels;
	g_array_append_val(send, theirs);
	if (has_pt(recv, mine.pt)) {
		ort_json_clear(&mcu_table_codec_use, &mine);
	} else {
		g_array_append_val(recv, mine);
	}
}

/* RFC 3264 7: who offered must be ready for every type of its offer. libre 1.1 answers with one H.264 type of several and
 * sends another. */
static void add_offered(const struct mcu_codec_use *ours, size_t n, GArray *recv)
{
	struct mcu_codec_use like = g_array_index(recv, struct mcu_codec_use, 0);

	for (size_t i = 0; i < n; i++) {
		struct mcu_codec_use use = ours[i];

		if (!has_pt(recv, use.pt)) {
			both_feedback(&use, &like);
			use.name = g_strdup(use.name);
			use.fmtp = g_strdup(use.fmtp);
			g_array_append_val(recv, use);
		}
	}
}

static void take_array(GArray *from, struct ort_json_array *ret)
{
	ret->n = from->len;
	ret->items = g_array_free(from, FALSE);
}

bool gw_sdp_agree(const struct gw_sdp_media *peer, const struct mcu_codec_use *ours, size_t n, bool answering,
		  struct ort_json_array *ret_recv, struct ort_json_array *ret_send)
{
	GArray *recv = g_array_new(FALSE, TRUE, sizeof(struct mcu_codec_use));
	GArray *send = g_array_new(FALSE, TRUE, sizeof(struct mcu_codec_use));
	struct pair pairs[CODECS_MAX];
	size_t found = pairs_of(peer, ours, n, answering, pairs);
	bool any = found > 0 && pairs[0].rank < 10000;	/* digits alone are no sound */

	for (size_t i = 0; any && i < found; i++) {
		add_pair(peer, ours, &pairs[i], answering, recv, send);
	}
	if (any && !answering) {
		add_offered(ours, n, recv);
	}
	take_array(recv, ret_recv);
	take_array(send, ret_send);
	return any;
}

/* ---- for people ---- */

static const struct { const char *name; uint32_t clock_hz; const char *people; } unsupported[] = {
#define X(name, clock_hz, people) { name, clock_hz, people },
#include "gateway/sdp/unsupported.def"
#undef X
};

static const char *people_name(const struct gw_sdp_codec *c)
{
	for (size_t i = 0; c->name && i < G_N_ELEMENTS(unsupported); i++) {
		if (g_ascii_strcasecmp(unsupported[i].name, c->name) == 0 &&
		    (unsupported[i].clock_hz == 0 || unsupported[i].clock_hz == c->clock_hz)) {
			return unsupported[i].people;
		}
	}
	return NULL;
}

char *gw_sdp_why_no_codec(const struct gw_sdp_media *m)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *list = NULL;
	bool known = true;

	for (size_t i = 0; i < m->n_codecs; i++) {
		const char *people = people_name(&m->codecs[i]), *name = people ? people : m->codecs[i].name;

		if (name && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL) && names->len < 8) {
			known = known && (people || g_ascii_strcasecmp(name, "telephone-event") == 0 || !strcmp(name, "CN"));
			g_ptr_array_add(names, (gpointer)(uintptr_t)name);
		}
	}
	if (names->len == 0) {
		return g_strdup("offers no codec by name");
	}
	g_ptr_array_add(names, NULL);
	list = g_strjoinv(", ", (char **)names->pdata);
	return g_strdup_printf("offers only %s: %s", list, known ? "no free codec" : "no codec in common");
}
