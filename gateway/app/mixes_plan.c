/* The plan of a mix: inputs (what present parties send), views in use, outputs (one sound a party, pictures by class), and
 * what each leg is fed. */
#include <string.h>

#include "gateway/app/mixes_priv.h"

#define HALL "hall"

const struct gw_mix_class gw_mix_classes[GW_MIX_CLASSES] = {
	{ 1080, 1920, 30, 4000000, 3000000 }, { 720, 1280, 30, 2000000, 1000000 }, { 360, 640, 30, 600000, 0 },
};

struct plan {
	const gw_domain *d;
	const char *conference, *holder, *speaker;
	gw_mix_leg_fn leg;
	void *user_data;
	GHashTable *cmds;
	GPtrArray *live;	/* struct gw_party_info, owned: those with a leg or on their way */
	GHashTable *views;	/* id -> struct gw_view_info, owned */
};

void gw_mix_cmd_free(gpointer p)
{
	struct gw_mix_cmd *c = p;
	json_decref(c->request);
	g_free(c->key);
	g_free(c);
}

bool gw_mix_cmd_equal(const struct gw_mix_cmd *a, const struct gw_mix_cmd *b)
{
	return a->method == b->method && json_equal(a->request, b->request);
}

enum mcu_method gw_mix_undo(enum mcu_method method)
{
	static const struct { enum mcu_method does, undoes; } rows[] = {
		{ MCU_METHOD_MIX_OPEN, MCU_METHOD_MIX_CLOSE },	       { MCU_METHOD_MIX_INPUT, MCU_METHOD_MIX_INPUT_REMOVE },
		{ MCU_METHOD_MIX_VIEW, MCU_METHOD_MIX_VIEW_REMOVE }, { MCU_METHOD_MIX_OUTPUT, MCU_METHOD_MIX_OUTPUT_REMOVE },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (rows[n].does == method) {
			return rows[n].undoes;
		}
	}
	return MCU_METHOD_N;
}

static void put(struct plan *p, char *key, enum mcu_method method, json_t *request)
{
	struct gw_mix_cmd *c = g_new0(struct gw_mix_cmd, 1);
	*c = (struct gw_mix_cmd){ key, method, request };
	g_hash_table_replace(p->cmds, c->key, c);
}

static void put_request(struct plan *p, char *key, enum mcu_method method, const void *request)
{
	put(p, key, method, ort_json_print(mcu_methods[method].request, request));
}

static char *str(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* ---- what goes in ---- */
static void input(struct plan *p, const struct gw_party_info *party, enum gw_party_stream stream)
{
	static const struct { const char *kind; enum mcu_kind is; enum mcu_content content; } rows[GW_PARTY_STREAM_N] = {
		[GW_PARTY_AUDIO] = { "audio", MCU_AUDIO, MCU_CONTENT_MAIN }, [GW_PARTY_VIDEO] = { "video", MCU_VIDEO, MCU_CONTENT_MAIN },
		[GW_PARTY_SLIDES] = { "slides", MCU_VIDEO, MCU_CONTENT_SLIDES },
	};
	g_autofree char *id = g_strdup_printf("%s.%s", party->streams, rows[stream].kind);
	struct mcu_mix_input req = { str(HALL), str(p->conference), id, id, (int)rows[stream].is, (int)rows[stream].content,
				     str(party->id), str(party->name), stream == GW_PARTY_AUDIO ? party->in_db : 0,
				     stream == GW_PARTY_AUDIO && (party->mic_muted || party->loop_audio) };
	if (stream == GW_PARTY_AUDIO) {
		struct gw_voice voice = gw_conference_voice(p->d, p->conference);
		req.speak_ms = voice.speak_ms;
		req.hold_ms = MAX(voice.hold_ms, 1);	/* 0 is the mixer's own choice */
		req.level_dbov = MIN(voice.level_db, -1);
	}
	put_request(p, g_strconcat("1 in ", id, NULL), MCU_METHOD_MIX_INPUT, &req);
}

static void inputs(struct plan *p, const struct gw_party_info *party)
{
	bool active = party->role != GW_PARTY_OBSERVER;
	if (party->waiting) {
		return;
	}
	if (party->stream[GW_PARTY_AUDIO] && active) {
		input(p, party, GW_PARTY_AUDIO);
	}
	if (party->stream[GW_PARTY_VIDEO] && active) {
		input(p, party, GW_PARTY_VIDEO);
	}
	if (party->stream[GW_PARTY_SLIDES] && g_strcmp0(p->holder, party->id) == 0) {
		input(p, party, GW_PARTY_SLIDES);
	}
}

/* ---- pictures ---- */
static void view_cells(const struct gw_view_info *v, struct mcu_mix_cell *cells, struct mcu_mix_member *members)
{
	static const enum mcu_cell_mode modes[GW_CELL_MODE_N] = {
		[GW_CELL_EMPTY] = MCU_CELL_EMPTY, [GW_CELL_FIXED] = MCU_CELL_FIXED, [GW_CELL_VOICE] = MCU_CELL_VOICE,
		[GW_CELL_POLL] = MCU_CELL_POLL,   [GW_CELL_CONTENT] = MCU_CELL_CONTENT,
	};
	for (int n = 0; n < v->n; n++) {
		const struct gw_cell_info *c = &v->cell[n];
		cells[n] = (struct mcu_mix_cell){ .cell = n, .mode = (int)modes[c->mode], .member = str(c->party), .interval_ms = c->interval_ms };
		cells[n].members.items = members;
		for (unsigned k = 0; c->parties != NULL && c->parties[k] != NULL; k++) {
			members[cells[n].members.n++].member = str(c->parties[k]);
		}
		members += cells[n].members.n;
	}
}

/* Every picture of an exercise says so (O16), whatever else its banner says. (transfer full) */
static char *banner_of(const struct plan *p, const struct gw_view_info *v)
{
	bool drill = gw_conference_is_drill(p->d, p->conference);
	return drill && v->banner != NULL ? g_strconcat("演练 · ", v->banner, NULL) : g_strdup(drill ? "演练" : v->banner);
}

static void put_view(struct plan *p, const struct gw_view_info *v)
{
	struct mcu_mix_cell cells[GW_CELLS];
	g_autofree struct mcu_mix_member *members = g_new0(struct mcu_mix_member, GW_CELLS * 256);
	g_autofree char *banner = banner_of(p, v);
	view_cells(v, cells, members);
	struct mcu_mix_view req = { .room = str(HALL), .mix = str(p->conference), .id = str(v->id), .layout = str(v->layout),
				    .cells = { cells, (size_t)v->n }, .banner = banner, .alarm = str(v->alarm),
				    .titles = v->titles, .clock = v->clock, .crawl = str(v->crawl) };
	put_request(p, g_strconcat("2 view ", v->id, NULL), MCU_METHOD_MIX_VIEW, &req);
}

/* A view of the conference, or one that the plan itself needs. */
static void use_view(struct plan *p, const char *id)
{
	const struct gw_view_info *v = g_hash_table_lookup(p->views, id);
	struct gw_view_info made = { .id = id, .titles = true };
	if (v == NULL && strcmp(id, "content") == 0) {	/* for legs without a second video: slides large, the speaker small */
		made.layout = "pip";
		made.n = 2;
		made.cell[0].mode = GW_CELL_CONTENT;
		made.cell[1].mode = GW_CELL_VOICE;
	} else if (v == NULL && strcmp(id, "slides") == 0) {
		made.layout = "1";
		made.n = 1;
		made.titles = false;
		made.cell[0].mode = GW_CELL_CONTENT;
	} else if (v == NULL && g_str_has_prefix(id, "but.")) {	/* the program without one party */
		(void)gw_conference_view_for(p->d, p->conference, id + strlen("but."), &made);
		made.id = id;
	} else if (v == NULL) {				/* one party's picture, recoded */
		made.layout = "1";
		made.n = 1;
		made.cell[0] = (struct gw_cell_info){ .mode = GW_CELL_FIXED, .party = id + strlen("one.") };
	}
	put_view(p, v != NULL ? v : &made);
}

/* ---- what comes out ---- */
static const struct gw_mix_class *class_of(const struct gw_leg_takes *takes)
{
	int64_t height = takes->height > 0 ? takes->height : 720, bps = takes->max_bps > 0 ? takes->max_bps : 2000000;
	for (unsigned n = 0; n < GW_MIX_CLASSES; n++) {
		if (height >= gw_mix_classes[n].height && bps >= gw_mix_classes[n].from_bps) {
			return &gw_mix_classes[n];
		}
	}
	return &gw_mix_classes[GW_MIX_CLASSES - 1];
}

/* One picture: "mix.<conference>.v.<view>.<codec>.<height>", ".m0" for receivers without FU-A (RFC 6184 6.2). Shared by all who
 * take it, unless `member` sees it alone: the speaker, in whose picture voice-switched cells show the one before. */
static char *picture_of(struct plan *p, const char *view, const struct gw_leg_takes *takes, const char *member)
{
	const struct gw_mix_class *class = class_of(takes);
	bool h264 = takes->codec == MCU_CODEC_H264;
	bool single = h264 && takes->fmtp != NULL && strstr(takes->fmtp, "packetization-mode=1") == NULL;
	char *id = g_strdup_printf("mix.%s.v.%s.%s.%d%s%s%s", p->conference, view, mcu_codecs[takes->codec].name, class->height,
				   single ? ".m0" : "", member != NULL ? "." : "", member != NULL ? member : "");
	struct mcu_mix_output req = { .room = str(HALL), .mix = str(p->conference), .id = id, .view = str(view), .member = str(member),
				      .codec = str(mcu_codecs[takes->codec].name),
				      .fmtp = !h264 ? NULL : str(single ? "profile-level-id=42e01f;packetization-mode=0"
									: "profile-level-id=42e01f;packetization-mode=1"),
				      .width = class->width, .height = class->height, .fps = class->fps, .bps = class->bps,
				      .kind = MCU_VIDEO };
	use_view(p, view);
	put_request(p, g_strconcat("3 out ", id, NULL), MCU_METHOD_MIX_OUTPUT, &req);
	return id;
}

static char *picture(struct plan *p, const char *view, const struct gw_leg_takes *takes)
{
	return picture_of(p, view, takes, NULL);
}

static bool has_voice_cell(const struct gw_view_info *v)
{
	for (int n = 0; v != NULL && n < v->n; n++) {
		if (v->cell[n].mode == GW_CELL_VOICE) {
			return true;
		}
	}
	return false;
}

static char *sound(struct plan *p, const struct gw_party_info *party, const struct gw_leg_takes *takes)
{
	char *id = g_strdup_printf("mix.%s.a.%s", p->conference, party->id);
	struct mcu_mix_output req = { .room = str(HALL), .mix = str(p->conference), .id = id, .member = str(party->id),
				      .codec = str(mcu_codecs[takes->codec].name), .gain_db = party->out_db, .kind = MCU_AUDIO,
				      .mute = party->speaker_muted };
	put_request(p, g_strconcat("3 out ", id, NULL), MCU_METHOD_MIX_OUTPUT, &req);
	return id;
}

static void feed(struct plan *p, const struct gw_party_info *party, const char *slot, const char *source)
{
	json_t *request = json_pack("{s:s,s:s,s:s?}", "party", party->id, "slot", slot, "source", source);
	put(p, g_strdup_printf("4 feed %s %s", party->id, slot), MCU_METHOD_N, request);
}

static const struct gw_party_info *live_party(const struct plan *p, const char *id)
{
	for (unsigned n = 0; n < p->live->len; n++) {
		const struct gw_party_info *i = p->live->pdata[n];
		if (strcmp(i->id, id) == 0) {
			return i;
		}
	}
	return NULL;
}

/* May `to` be sent what `from` sends, as it is? Equal codecs were agreed on with both, or both are browsers. */
static bool forwards(const struct gw_mix_leg *from, const struct gw_mix_leg *to, const struct gw_leg_takes *takes)
{
	if (to->browser || from->browser) {
		return to->browser && from->browser;
	}
	return from->has_main && from->main.codec == takes->codec && class_of(takes)->height >= class_of(&from->main)->height;
}

/* The one party whose untranscoded picture is all that this party sees, or NULL. */
static const struct gw_party_info *forwarded(struct plan *p, const struct gw_party_info *party, const struct gw_mix_leg *to)
{
	const struct gw_party_info *from = live_party(p, party->view);
	struct gw_mix_leg leg = { 0 };
	bool marked = gw_conference_is_drill(p->d, p->conference);	/* a drill's pictures all go through the mixer */
	bool fits = !marked && from != NULL && from->stream[GW_PARTY_VIDEO] && p->leg(from->id, &leg, p->user_data) && forwards(&leg, to, &to->main);
	return fits ? from : NULL;
}

static char *main_picture(struct plan *p, const struct gw_party_info *party, const struct gw_mix_leg *leg)
{
	const struct gw_party_info *from = forwarded(p, party, leg);
	if (from != NULL) {
		return g_strconcat(from->streams, ".video", NULL);
	}
	bool no_second = p->holder != NULL && g_strcmp0(p->holder, party->id) != 0 && !leg->browser && !leg->has_content;
	if (no_second) {
		return picture(p, "content", &leg->main);
	}
	if (strcmp(party->view, "audience") == 0) {
		return picture(p, "audience", &leg->main);
	}
	bool program = strcmp(party->view, "program") == 0;
	if (program && !party->bridge) {
		bool alone = !leg->browser && g_strcmp0(p->speaker, party->id) == 0 && p->live->len > 1 &&
			     has_voice_cell(g_hash_table_lookup(p->views, "program"));
		return picture_of(p, "program", &leg->main, alone ? party->id : NULL);
	}
	g_autofree char *view = strcmp(party->view, "own") == 0 ? g_strdup(party->id)
				: program			? g_strconcat("but.", party->id, NULL)
								: g_strconcat("one.", party->view, NULL);
	/* another system's own sound may be the loudest: its picture must not go back by a voice cell either */
	return picture_of(p, view, &leg->main, party->bridge ? party->id : NULL);
}

/* Slides of a holder of the same codec are forwarded, others are recoded. Browsers fetch them by themselves. */
static char *second_picture(struct plan *p, const struct gw_party_info *party, const struct gw_mix_leg *leg)
{
	struct gw_mix_leg from = { 0 };
	const struct gw_party_info *holder = p->holder != NULL ? live_party(p, p->holder) : NULL;
	if (holder == NULL || holder == party || !holder->stream[GW_PARTY_SLIDES]) {
		return NULL;
	}
	bool fits = !gw_conference_is_drill(p->d, p->conference) && p->leg(holder->id, &from, p->user_data) && !from.browser && from.has_content && from.content.codec == leg->content.codec;
	return fits ? g_strconcat(holder->streams, ".slides", NULL) : picture(p, "slides", &leg->content);
}

/* ---- who waits ---- */
/* A mix of its own without inputs: those who wait hear its tones and see its text, and nothing of the conference. */
static void lobby_picture(struct plan *p, const char *mix, const struct gw_leg_takes *takes, char **ret_id)
{
	const struct gw_mix_class *class = &gw_mix_classes[GW_MIX_CLASSES - 1];
	bool h264 = takes->codec == MCU_CODEC_H264;
	struct mcu_mix_view view = { .room = str(HALL), .mix = str(mix), .id = str("lobby"), .layout = str("1"),
				     .banner = str("请稍候，等待主持人准入  Please wait to be let in"), .clock = true };
	*ret_id = h264 ? g_strdup_printf("mix.%s.v", mix) : g_strdup_printf("mix.%s.v.%s", mix, mcu_codecs[takes->codec].name);
	struct mcu_mix_output out = { .room = str(HALL), .mix = str(mix), .id = *ret_id, .view = str("lobby"),
				      .codec = str(mcu_codecs[takes->codec].name),
				      .fmtp = h264 ? str("profile-level-id=42e01f;packetization-mode=1") : NULL, .width = class->width,
				      .height = class->height, .fps = 10, .bps = 300000, .kind = MCU_VIDEO };
	put_request(p, g_strdup("2 view in lobby"), MCU_METHOD_MIX_VIEW, &view);
	put_request(p, g_strconcat("3 out ", *ret_id, NULL), MCU_METHOD_MIX_OUTPUT, &out);
}

static void lobby(struct plan *p, const struct gw_party_info *party, const struct gw_mix_leg *leg)
{
	g_autofree char *mix = g_strconcat(p->conference, GW_MIX_LOBBY, NULL);
	put_request(p, g_strdup("0 open lobby"), MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ .room = str(HALL), .mix = mix });
	if (leg->has_audio) {
		g_autofree char *id = g_strdup_printf("mix.%s.a.%s", mix, party->id);
		struct mcu_mix_output out = { .room = str(HALL), .mix = mix, .id = id, .member = str(party->id),
					      .codec = str(mcu_codecs[leg->audio.codec].name), .kind = MCU_AUDIO };
		put_request(p, g_strconcat("3 out ", id, NULL), MCU_METHOD_MIX_OUTPUT, &out);
		feed(p, party, "audio", id);
	}
	if (leg->has_main) {
		g_autofree char *id = NULL;
		lobby_picture(p, mix, &leg->main, &id);
		feed(p, party, "main", id);
	}
	if (leg->has_content) {
		feed(p, party, "content", NULL);
	}
}

static void outputs(struct plan *p, const struct gw_party_info *party)
{
	struct gw_mix_leg leg = { 0 };
	if (!p->leg(party->id, &leg, p->user_data)) {
		return;
	}
	if (party->waiting) {
		lobby(p, party, &leg);
		return;
	}
	if (leg.has_audio) {
		/* its own sound goes back as it came: line, codec and loudspeaker of the site are what is tested */
		bool loop = party->loop_audio && party->stream[GW_PARTY_AUDIO];
		g_autofree char *audio = loop ? g_strconcat(party->streams, ".audio", NULL) : sound(p, party, &leg.audio);
		feed(p, party, "audio", audio);
	}
	if (leg.has_main) {
		g_autofree char *video = main_picture(p, party, &leg);
		feed(p, party, "main", video);
	}
	if (leg.has_content) {
		g_autofree char *slides = second_picture(p, party, &leg);
		feed(p, party, "content", slides);
	}
}

/* ---- gathering ---- */
static void gather_party(const struct gw_party_info *info, void *user_data)
{
	struct plan *p = user_data;
	if (gw_party_is_live(info->state)) {
		g_ptr_array_add(p->live, g_memdup2(info, sizeof(*info)));
	}
}

static void gather_view(const struct gw_view_info *info, void *user_data)
{
	g_hash_table_insert(((struct plan *)user_data)->views, str(info->id), g_memdup2(info, sizeof(*info)));
}

/* ---- pictures that browsers ask for by name: the same views in a codec that they have ---- */
static bool is_view(const struct plan *p, const char *view)
{
	const char *dot = strchr(view, '.');
	bool derived = g_str_has_prefix(view, "one.") || g_str_has_prefix(view, "but.");
	return g_hash_table_contains(p->views, view) || strcmp(view, "content") == 0 || strcmp(view, "slides") == 0 ||
	       (derived && live_party(p, dot + 1) != NULL);
}

static void want(struct plan *p, const char *name)
{
	g_autofree char *prefix = g_strdup_printf("mix.%s.v.", p->conference), *text = g_strdup(name);
	if (!g_str_has_prefix(name, prefix)) {
		return;
	}
	char *view = text + strlen(prefix), *height = strrchr(view, '.');
	if (height != NULL) {
		*height++ = '\0';
	}
	char *codec = strrchr(view, '.');
	if (codec != NULL) {
		*codec++ = '\0';
	}
	int id = codec != NULL ? mcu_codec_by_name(codec) : -1;
	if (id == MCU_CODEC_VP8 && is_view(p, view)) {
		struct gw_leg_takes takes = { .codec = MCU_CODEC_VP8, .height = g_ascii_strtoll(height, NULL, 10), .max_bps = INT64_MAX };
		g_free(picture(p, view, &takes));
	}
}

GHashTable *gw_mix_plan(const gw_domain *d, const char *conference, gw_mix_leg_fn leg, GHashTable *wanted, void *user_data)
{
	GHashTable *cmds = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, gw_mix_cmd_free);
	g_autoptr(GPtrArray) live = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) views = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	struct plan p = { .d = d, .conference = conference, .holder = gw_content_holder(d, conference),
			  .speaker = gw_conference_get_speaker(d, conference), .leg = leg,
			  .user_data = user_data, .cmds = cmds, .live = live, .views = views };
	if (!gw_conference_is_open(d, conference)) {
		return cmds;
	}
	gw_conference_parties(d, conference, gather_party, &p);
	gw_conference_views(d, conference, gather_view, &p);
	struct gw_view_info audience;
	if (gw_conference_audience(d, conference, &audience)) {
		gather_view(&audience, &p);
	}
	if (live->len == 0) {
		return cmds;	/* nobody is there: no mix */
	}
	put_request(&p, g_strdup("0 open"), MCU_METHOD_MIX_OPEN, &(struct mcu_mix_open){ str(HALL), str(conference), 0 });
	for (unsigned n = 0; n < live->len; n++) {
		inputs(&p, live->pdata[n]);
		outputs(&p, live->pdata[n]);
	}
	g_autoptr(GList) names = wanted != NULL ? g_hash_table_get_keys(wanted) : NULL;
	for (const GList *n = names; n != NULL; n = n->next) {
		want(&p, n->data);
	}
	/* the console's program monitor, and what conference.join promises */
	g_free(picture(&p, "program", &(struct gw_leg_takes){ .codec = MCU_CODEC_H264, .height = 720 }));
	return cmds;
}
