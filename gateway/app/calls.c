/* Calls: legs that are dialled or answered here, and whose they are. The domain says who is called and hung up; what a leg
 * says becomes the party's state, with the reason in words. */
#include <errno.h>
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/rooms_priv.h"

struct call {
	gw_app *app;
	gw_leg *leg;
	char *prefix, *party;			/* party NULL: not let in yet */
	struct gw_ivr *ivr;			/* as long as it is not */
	struct gw_summons *summons;		/* likewise: it is called to confirm */
	bool stream[GW_PARTY_STREAM_N];		/* what it publishes */
	int64_t star_us;			/* keypad.c */
};
struct gw_calls {
	struct gw_caller caller, h323;
	GHashTable *calls;	/* prefix -> struct call, owned */
	GPtrArray *ended;	/* gw_leg that are freed from the loop */
	unsigned reaper, last;
	char *run;		/* this process among its like: names of legs and streams are never used again */
};

static void call_free(gpointer p)
{
	struct call *c = p;
	gw_ivr_free(c->ivr);
	gw_summons_free(c->summons);
	g_free(c->prefix);
	g_free(c->party);
	g_free(c);
}

static gboolean reap(gpointer user_data)
{
	gw_app *app = user_data;
	app->calls->reaper = 0;
	while (app->calls->ended->len > 0) {
		gw_leg_free(g_ptr_array_steal_index(app->calls->ended, 0));
	}
	return G_SOURCE_REMOVE;
}

/* The leg is inside of a callback of its own perhaps: freed later. */
static void forget(struct call *c)
{
	gw_app *app = c->app;
	if (c->leg != NULL) {
		gw_app_loop_forget(app, c->leg);
		g_ptr_array_add(app->calls->ended, c->leg);
		if (app->calls->reaper == 0) {
			app->calls->reaper = g_idle_add(reap, app);
		}
	}
	g_hash_table_remove(app->calls->calls, c->prefix);
}

static struct call *call_new(gw_app *app, const char *prefix, const char *party)
{
	struct call *c = g_new0(struct call, 1);
	*c = (struct call){ .app = app, .prefix = g_strdup(prefix), .party = g_strdup(party) };
	g_hash_table_replace(app->calls->calls, c->prefix, c);
	return c;
}

static struct call *of_party(gw_app *app, const char *party)
{
	const char *prefix = app->calls != NULL && party != NULL ? gw_party_streams(app->domain, party) : NULL;
	struct call *c = prefix != NULL ? g_hash_table_lookup(app->calls->calls, prefix) : NULL;
	return c != NULL && g_strcmp0(c->party, party) == 0 ? c : NULL;
}

static struct call *of_leg(gw_app *app, const gw_leg *leg)
{
	struct call *c = app->calls != NULL ? g_hash_table_lookup(app->calls->calls, leg->party) : NULL;
	return c != NULL && c->leg == leg ? c : NULL;
}

gw_leg *gw_app_party_leg(gw_app *app, const char *party)
{
	struct call *c = of_party(app, party);
	return c != NULL ? c->leg : NULL;
}

const char *gw_app_leg_party(gw_app *app, const gw_leg *leg)
{
	struct call *c = of_leg(app, leg);
	return c != NULL ? c->party : NULL;
}

const struct gw_caller *gw_app_caller_of(const gw_app *app, const gw_leg *leg)
{
	return strcmp(leg->ops->kind, "h323") == 0 ? &app->calls->h323 : &app->calls->caller;
}

const char *gw_app_call_conference(gw_app *app, const gw_leg *leg)
{
	const struct call *c = of_leg(app, leg);
	return c == NULL || c->summons != NULL ? NULL : c->ivr != NULL ? gw_ivr_conference(c->ivr) : gw_party_conference(app->domain, c->party);
}

void gw_app_calls_foreach(gw_app *app, void (*fn)(gw_leg *leg, const char *party, void *ud), void *ud)
{
	GHashTableIter it;
	struct call *c;
	g_hash_table_iter_init(&it, app->calls->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		if (c->leg != NULL) {
			fn(c->leg, c->party, ud);
		}
	}
}

/* ---- why a call ended, in words ---- */
static const struct { int status; const char *word; enum gw_site_state state; const char *why; } reasons[] = {
	{ 486, "busy", GW_SITE_REFUSED, "busy" },	    { 600, NULL, GW_SITE_REFUSED, "busy" },
	{ 603, "declined", GW_SITE_REFUSED, "declined" },   { 403, NULL, GW_SITE_REFUSED, "not allowed there" },
	{ 404, NULL, GW_SITE_UNREACHABLE, "no such number" }, { 604, NULL, GW_SITE_UNREACHABLE, "no such number" },
	{ 484, NULL, GW_SITE_UNREACHABLE, "the number is too short" }, { 410, NULL, GW_SITE_UNREACHABLE, "the number is given up" },
	{ 408, "no answer", GW_SITE_NO_ANSWER, "no answer" }, { 487, NULL, GW_SITE_NO_ANSWER, "no answer" },
	{ 480, NULL, GW_SITE_UNREACHABLE, "not reachable now" }, { 500, NULL, GW_SITE_UNREACHABLE, "an error there" },
	{ 502, NULL, GW_SITE_UNREACHABLE, "an error there" }, { 503, NULL, GW_SITE_UNREACHABLE, "out of service" },
	{ 504, NULL, GW_SITE_UNREACHABLE, "no way there" }, { 488, NULL, GW_SITE_FAILED, "no common codec" },
	{ 606, NULL, GW_SITE_FAILED, "no common codec" },   { 415, NULL, GW_SITE_FAILED, "no common codec" },
	{ 482, NULL, GW_SITE_REFUSED, "a loop: that conference is joined with this one already" },
	{ 401, NULL, GW_SITE_FAILED, "the password is not accepted" }, { 407, NULL, GW_SITE_FAILED, "the password is not accepted" },
	{ 0, "the peer hung up", GW_SITE_ABSENT, "left" },  { 0, "bye", GW_SITE_ABSENT, "left" },
	{ 0, "no TLS to there", GW_SITE_UNREACHABLE, "no TLS to there" },
	/* of H.323: causes.def */
	{ 0, "hung_up", GW_SITE_ABSENT, "left" },	    { 0, "refused", GW_SITE_REFUSED, "declined" },
	{ 0, "no_answer", GW_SITE_NO_ANSWER, "no answer" }, { 0, "unknown_number", GW_SITE_UNREACHABLE, "no such number" },
	{ 0, "unreachable", GW_SITE_UNREACHABLE, "no way there" },
	{ 0, "nobody listens there", GW_SITE_UNREACHABLE, "nobody listens there" },
	{ 0, "not_registered", GW_SITE_UNREACHABLE, "not reachable now" }, { 0, "overloaded", GW_SITE_UNREACHABLE, "out of service" },
	{ 0, "not_allowed", GW_SITE_REFUSED, "not allowed there" }, { 0, "no_common_codec", GW_SITE_FAILED, "no common codec" },
	{ 0, "timeout", GW_SITE_FAILED, "the peer does not answer any more" },
	{ 0, "connection_lost", GW_SITE_FAILED, "the connection was lost" },
	{ 0, "cancelled", GW_SITE_ABSENT, "left" },	    { 0, "the caller cancelled", GW_SITE_ABSENT, "left" },
};

/* "486 Busy Here" and "busy (486)". */
static int status_in(const char *why)
{
	const char *open = strrchr(why, '(');
	gint64 n = g_ascii_isdigit(why[0]) ? g_ascii_strtoll(why, NULL, 10) : open != NULL ? g_ascii_strtoll(open + 1, NULL, 10) : 0;
	return n >= 400 && n < 700 ? (int)n : -1;
}

static bool fits(const char *why, int status, unsigned row)
{
	const char *word = reasons[row].word;
	return reasons[row].status == status || (word != NULL && g_ascii_strncasecmp(why, word, strlen(word)) == 0);
}

static void party_ended(gw_app *app, const char *party, const char *why)
{
	enum gw_site_state state = GW_SITE_FAILED;
	const char *words = why != NULL ? why : "ended";
	int status = why != NULL ? status_in(why) : -1;
	for (unsigned n = 0; why != NULL && n < G_N_ELEMENTS(reasons); n++) {
		if (fits(why, status, n)) {
			state = reasons[n].state;
			words = reasons[n].why;
			break;
		}
	}
	if (!gw_party_state(app->domain, party, state, words, gw_app_now())) {
		(void)gw_party_state(app->domain, party, GW_SITE_FAILED, words, gw_app_now());	/* a busy of one that was there */
	}
	gw_app_rearm(app);
}

/* ---- dialling ---- */
void gw_app_party_dial(gw_app *app, const char *party, const char *address)
{
	if (gw_room_known(app->domain, address)) {
		gw_app_room_dial(app, party, address);
		return;
	}
	g_autoptr(GError) err = NULL;
	g_autofree char *own = g_strdup(party), *to = gw_app_where(app, address);
	g_autofree char *id = g_strdup_printf("%s%u-%s", app->calls->run, ++app->calls->last, own);
	const struct gw_caller *caller = g_str_has_prefix(to, "h323:") ? &app->calls->h323 : &app->calls->caller;
	gw_party_set_streams(app->domain, own, id);
	gw_leg *leg = caller->make != NULL ? caller->make(caller->stack, id, id, &err) : NULL;
	int rc = -ENOSYS;
	if (leg != NULL) {
		struct call *c = call_new(app, id, own);
		c->leg = leg;
		rc = gw_leg_dial(leg, &(struct gw_leg_dial){ .address = to, .max_bps = gw_party_max_bps(app->domain, own), .video = true });
	}
	if (rc < 0) {
		struct call *c = leg != NULL ? of_leg(app, leg) : NULL;
		if (c != NULL) {
			forget(c);
		}
		const char *why = err != NULL ? err->message : caller->make == NULL ? "no H.323 or SIP here" : NULL;
		const char *device = why == NULL && g_str_has_prefix(to, "device:") ? gw_app_device_why(app, to) : NULL;
		why = why != NULL ? why : device != NULL ? device : g_strerror(-rc);
		(void)gw_party_state(app->domain, own, GW_SITE_UNREACHABLE, why, gw_app_now());
	}
}

void gw_app_party_drop(gw_app *app, const char *party, const char *why)
{
	struct call *c = of_party(app, party);
	if (c != NULL) {
		gw_leg_hangup(c->leg, why);
		forget(c);
	}
}

/* ---- being called ---- */
static char *refused(unsigned *ret_status, unsigned status)
{
	*ret_status = status;
	return NULL;
}

/* A trunk row that names a conference is a bridge between two conferences: a second link would show each to itself, larger
 * and larger (loop). */
struct links { gw_app *app; const char *prefix; bool found; };

static void find_link(const struct gw_party_info *p, void *user_data)
{
	struct links *l = user_data;
	const char *address = gw_party_address(l->app->domain, p->id);
	l->found |= p->kind == GW_PARTY_TRUNK && gw_party_is_live(p->state) && address != NULL && g_str_has_prefix(address, l->prefix);
}

static bool loops(gw_app *app, const char *conference, const struct gw_call_in *in)
{
	g_autofree char *prefix = in->bridge != NULL ? g_strdup_printf("trunk:%s/", in->bridge) : NULL;
	struct links l = { app, prefix, false };
	const char *same = prefix != NULL ? gw_party_by_address(app->domain, conference, in->address) : NULL;
	if (prefix != NULL && same == NULL) {
		gw_conference_parties(app->domain, conference, find_link, &l);
	}
	return l.found;
}

char *gw_app_call_decide(gw_app *app, const struct gw_call_in *in, unsigned *ret_status)
{
	const char *id = gw_conference_by_number(app->domain, in->number);
	switch (gw_conference_admit(app->domain, id, in->address, NULL, gw_app_now())) {
	case GW_ADMIT_OK:
	case GW_ADMIT_ASK:
		break;
	case GW_ADMIT_UNKNOWN:
		return refused(ret_status, 404);
	default:
		return refused(ret_status, 403);
	}
	if (loops(app, id, in)) {
		return refused(ret_status, 482);
	}
	char *prefix = g_strdup_printf("%s%u", app->calls->run, ++app->calls->last);
	struct call *c = call_new(app, prefix, NULL);
	c->ivr = gw_ivr_new(app, prefix, in);
	return prefix;
}

/* The caller becomes a party: the one that it was before, perhaps, whose old call ends then (an endpoint that was rebooted). */
static bool enter_as(struct call *c, const char *conference, const struct gw_party_facts *f)
{
	gw_app *app = c->app;
	g_autoptr(GError) err = NULL;
	const char *old = gw_party_by_address(app->domain, conference, f->address);
	if (old != NULL) {
		gw_app_party_drop(app, old, "replaced");
	}
	g_autofree char *party = g_strdup(gw_party_enter(app->domain, "gateway", conference, f, gw_app_now(), &err));
	if (party == NULL) {
		gw_leg_hangup(c->leg, err->message);
		forget(c);
		return false;
	}
	gw_party_set_streams(app->domain, party, c->prefix);
	c->party = g_steal_pointer(&party);
	if (c->summons != NULL) {
		gw_summons_joined(c->summons, c->party);
	}
	g_clear_pointer(&c->ivr, gw_ivr_free);
	g_clear_pointer(&c->summons, gw_summons_free);
	gw_app_rearm(app);
	return true;
}

static bool enter(struct call *c)
{
	const struct gw_call_in *in = gw_ivr_call(c->ivr);
	struct gw_party_facts f = { .name = in->name != NULL && in->name[0] != '\0' ? in->name : in->from, .site = in->site,
				    .address = in->address, .agent = in->agent, .kind = in->kind, .keep = in->keep };
	return enter_as(c, gw_ivr_conference(c->ivr), &f);
}

/* ---- who is called to confirm ---- */
bool gw_app_summon(gw_app *app, const char *address, const char *callack, int row, int way, char **ret_why)
{
	g_autofree char *id = g_strdup_printf("%s%u-ack", app->calls->run, ++app->calls->last), *to = gw_app_where(app, address);
	const struct gw_caller *caller = g_str_has_prefix(to, "h323:") ? &app->calls->h323 : &app->calls->caller;
	g_autoptr(GError) err = NULL;
	gw_leg *leg = caller->make != NULL ? caller->make(caller->stack, id, id, &err) : NULL;
	struct call *c = leg != NULL ? call_new(app, id, NULL) : NULL;
	int rc = -ENOSYS;
	if (c != NULL) {
		c->leg = leg;
		c->summons = gw_summons_new(app, id, callack, row, way);
		rc = gw_leg_dial(leg, &(struct gw_leg_dial){ .address = to, .video = true });
	}
	c = rc < 0 ? g_hash_table_lookup(app->calls->calls, id) : NULL;
	if (c != NULL) {
		forget(c);
	}
	if (rc < 0) {
		*ret_why = g_strdup(err != NULL ? err->message : caller->make == NULL ? "no SIP here" : g_strerror(-rc));
	}
	return rc == 0;
}

void gw_app_unsummon(gw_app *app, const char *callack, int row, int way)
{
	GHashTableIter it;
	struct call *c;
	g_hash_table_iter_init(&it, app->calls->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		if (c->summons != NULL && gw_summons_is(c->summons, callack, row, way)) {
			gw_leg_hangup(c->leg, "confirmed elsewhere");
			forget(c);
			return;
		}
	}
}

/* True: the leg is one of those, all is said. */
static bool summons_state(struct call *c, gw_leg *leg, enum gw_leg_state state, const char *why)
{
	if (c->summons == NULL) {
		return false;
	}
	gw_app *app = c->app;
	gw_summons_state(c->summons, leg, state, why);
	if (state == GW_LEG_ENDED) {
		forget(c);
	}
	gw_app_rearm(app);
	return true;
}

static bool confirmed(struct call *c, const char *digits)
{
	struct gw_party_facts f;
	const char *conference;
	return gw_summons_digits(c->summons, digits) && gw_summons_facts(c->summons, &f, &conference) && enter_as(c, conference, &f);
}

void gw_app_call_came(gw_app *app, gw_leg *leg)
{
	struct call *c = g_hash_table_lookup(app->calls->calls, leg->party);
	if (c == NULL) {
		gw_leg_hangup(leg, "unknown");
		return;
	}
	c->leg = leg;
	const struct gw_call_in *in = gw_ivr_call(c->ivr);
	enum gw_admission a = gw_conference_admit(app->domain, gw_ivr_conference(c->ivr), in->address, NULL, gw_app_now());
	if ((a == GW_ADMIT_OK && !enter(c)) || (a != GW_ADMIT_OK && a != GW_ADMIT_ASK)) {
		return;
	}
	(void)gw_leg_answer(leg);
}

bool gw_app_call_moves(gw_app *app, gw_leg *leg, const char *number)
{
	struct call *c = of_leg(app, leg);
	const char *to = gw_conference_by_number(app->domain, number);
	const char *from = c != NULL && c->party != NULL ? gw_party_conference(app->domain, c->party) : NULL;
	g_autofree char *actor = from != NULL ? g_strconcat("party:", c->party, NULL) : NULL;
	bool open = to != NULL && from != NULL && gw_conference_admit(app->domain, to, actor, NULL, gw_app_now()) == GW_ADMIT_OK;
	bool moved = open && gw_party_move(app->domain, actor, from, c->party, to, gw_app_now(), NULL);
	if (moved) {
		gw_app_mix_leg(app, c->party);
	}
	return moved;
}

/* ---- what legs say ---- */
static void tell_streams(const struct call *c)
{
	for (int n = 0; n < GW_PARTY_STREAM_N; n++) {
		gw_party_stream(c->app->domain, c->party, (enum gw_party_stream)n, c->stream[n], gw_app_now());
	}
}

/* What the leg knows of its peer: for people. */
static void note_peer(const struct call *c)
{
	g_autoptr(json_t) leg = gw_leg_print(c->leg);
	const json_t *media = json_object_get(leg, "media");
	size_t n;
	json_t *line;
	gw_party_agent(c->app->domain, c->party, json_string_value(json_object_get(leg, "agent")), gw_app_now());
	gw_party_set_bridge(c->app->domain, c->party, json_is_true(json_object_get(leg, "mcu")));
	json_array_foreach(media, n, line) {
		const char *security = json_string_value(json_object_get(line, "security"));
		if (security != NULL) {
			gw_app_flow_security(c->app, c->party, security);
			return;
		}
	}
}

static void up(struct call *c)
{
	if (c->ivr != NULL) {
		gw_ivr_up(c->ivr, c->leg);
		return;
	}
	tell_streams(c);
	note_peer(c);
	gw_app_trunk_view(c->app, c->party);
	(void)gw_party_state(c->app->domain, c->party, GW_SITE_PRESENT, NULL, gw_app_now());
	gw_app_content_joined(c->app, c->party);
	gw_app_mix_leg(c->app, c->party);
}

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *user_data)
{
	static const enum gw_site_state states[GW_LEG_STATE_N] = {
		[GW_LEG_CALLING] = GW_SITE_CALLING, [GW_LEG_RINGING] = GW_SITE_RINGING, [GW_LEG_CONNECTING] = GW_SITE_CONNECTING,
		[GW_LEG_HELD] = GW_SITE_HELD,
	};
	gw_app *app = user_data;
	struct call *c = of_leg(app, leg);
	ort_log(ORT_LOG_INFO, "sip", "leg.state", "a leg moved", ORT_S("leg", leg->id), ORT_S("party", c != NULL ? c->party : NULL),
		ORT_S("state", gw_leg_table.states[state].name), ORT_S("why", why));
	if (c == NULL || summons_state(c, leg, state, why)) {
		return;
	}
	if (state == GW_LEG_UP) {
		up(c);
	} else if (state == GW_LEG_ENDED) {
		g_autofree char *party = g_strdup(c->party);
		forget(c);
		if (party != NULL) {
			party_ended(app, party, why);
		}
	} else if (c->party != NULL && states[state] != GW_SITE_ABSENT) {
		(void)gw_party_state(app->domain, c->party, states[state], NULL, gw_app_now());
	}
	gw_app_rearm(app);
}

static void on_stream(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data)
{
	gw_app *app = user_data;
	struct call *c = of_leg(app, leg);
	enum gw_party_stream which = kind == MCU_AUDIO ? GW_PARTY_AUDIO : content == MCU_CONTENT_SLIDES ? GW_PARTY_SLIDES : GW_PARTY_VIDEO;
	gw_rtc_foreign(app->rtc, stream, on);
	if (c != NULL) {
		c->stream[which] = on;
	}
	if (c != NULL && c->party != NULL) {
		tell_streams(c);
		gw_app_mix_leg(app, c->party);
	}
}

static void on_dtmf(gw_leg *leg, const char *digits, void *user_data)
{
	gw_app *app = user_data;
	struct call *c = of_leg(app, leg);
	if (c != NULL && c->party != NULL) {
		gw_app_keys(app, c->party, digits, &c->star_us);
		return;
	}
	if (c != NULL && c->summons != NULL) {
		if (confirmed(c, digits)) {
			up(c);
		}
		return;
	}
	enum gw_admission a = c != NULL && c->ivr != NULL ? gw_ivr_digits(c->ivr, digits) : GW_ADMIT_ASK;
	if (a == GW_ADMIT_OK && enter(c)) {
		up(c);
	} else if (a != GW_ADMIT_OK && a != GW_ADMIT_ASK) {
		gw_leg_hangup(leg, a == GW_ADMIT_REFUSED ? "three wrong passwords" : "refused");
		forget(c);
	}
}

const struct gw_leg_listener gw_app_call_listener = { on_state, on_stream, on_dtmf };

unsigned gw_app_calls_count(const gw_app *app, const char *address_prefix)
{
	GHashTableIter it;
	const struct call *c;
	unsigned n = 0;
	g_hash_table_iter_init(&it, app->calls->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		const char *address = c->party != NULL ? gw_party_address(app->domain, c->party) : NULL;
		n += address != NULL && g_str_has_prefix(address, address_prefix);
	}
	return n;
}

/* ---- life ---- */
void gw_app_set_caller(gw_app *app, const struct gw_caller *caller)
{
	if (app->calls != NULL) {	/* at the end calls go first */
		app->calls->caller = caller != NULL ? *caller : (struct gw_caller){ 0 };
	}
}

void gw_app_set_h323_caller(gw_app *app, const struct gw_caller *caller)
{
	if (app->calls != NULL) {
		app->calls->h323 = caller != NULL ? *caller : (struct gw_caller){ 0 };
	}
}

/* Callers who never say a password. */
void gw_app_sweep_calls(gw_app *app, int64_t now_us)
{
	GHashTableIter it;
	struct call *c;
	g_autoptr(GPtrArray) late = g_ptr_array_new();
	g_hash_table_iter_init(&it, app->calls->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		bool tired = c->summons != NULL && gw_summons_overdue(c->summons, now_us);
		if (tired || (c->ivr != NULL && gw_ivr_overdue(c->ivr, now_us))) {
			g_ptr_array_add(late, c);
		}
	}
	for (unsigned n = 0; n < late->len; n++) {
		c = late->pdata[n];
		if (c->leg != NULL) {
			gw_leg_hangup(c->leg, c->summons != NULL ? "no answer" : "no password");
		}
		if (c->summons != NULL && c->leg != NULL) {
			gw_summons_state(c->summons, c->leg, GW_LEG_ENDED, "no answer");
		}
		forget(c);
	}
}

void gw_app_calls_start(gw_app *app)
{
	app->calls = g_new0(struct gw_calls, 1);
	app->calls->calls = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, call_free);
	app->calls->ended = g_ptr_array_new();
	g_autofree char *random = gw_app_random(3);
	app->calls->run = g_strdup_printf("call-%s-", random);
}

bool gw_app_is_our_call(const gw_app *app, const char *transport)
{
	return g_str_has_prefix(transport, app->calls->run);
}

void gw_app_calls_stop(gw_app *app)
{
	GHashTableIter it;
	struct call *c;
	if (app->calls == NULL) {
		return;
	}
	g_hash_table_iter_init(&it, app->calls->calls);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&c)) {
		if (c->leg != NULL) {
			g_ptr_array_add(app->calls->ended, c->leg);
		}
	}
	if (app->calls->reaper != 0) {
		g_source_remove(app->calls->reaper);
	}
	(void)reap(app);
	struct gw_calls *calls = g_steal_pointer(&app->calls);
	g_hash_table_unref(calls->calls);
	g_ptr_array_unref(calls->ended);
	g_free(calls->run);
	g_free(calls);
}
