/* Two stacks in one loop. */
#include "tests/unit/gateway/sip/sip_rig.h"

#include <string.h>

/* ---- the application ---- */
static void on_media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
	struct end *e = user_data;
	g_string_append_printf(e->methods, "%d\n", (int)method);
}

static void keep(char **slot, const char *text)
{
	g_free(*slot);
	*slot = g_strdup(text);
}

static char *on_call(const struct gw_sip_call_in *in, unsigned *ret_status, void *user_data)
{
	struct end *e = user_data;
	e->calls++;
	keep(&e->number, in->number);
	keep(&e->from, in->from);
	keep(&e->device, in->device);
	keep(&e->trunk, in->trunk);
	keep(&e->replaces, in->replaces);
	*ret_status = e->refuse;
	return e->refuse != 0 ? NULL : g_strdup_printf("p-%u", e->calls);
}

static void on_leg(gw_leg *leg, const struct gw_sip_call_in *in, void *user_data)
{
	struct end *e = user_data;
	e->in = leg;
	if (e->auto_answer) {
		g_assert_cmpint(gw_leg_answer(leg), ==, 0);
	}
}

static bool on_device(const char *user, struct gw_sip_device *ret, void *user_data)
{
	struct end *e = user_data;
	if (e->password == NULL || strcmp(user, "room1") != 0) {
		return false;
	}
	ret->party = g_strdup("p-room1");
	ret->name = g_strdup("Room 1");
	ret->ha1_sha256 = e->md5_only ? NULL : sip_digest_ha1(SIP_SHA256, user, "ortoo", e->password);
	ret->ha1_md5 = sip_digest_ha1(SIP_MD5, user, "ortoo", e->password);
	ret->allow_md5 = e->md5_only;
	return true;
}

static void on_registered(const char *user, const char *contact, int64_t expires_s, void *user_data)
{
	struct end *e = user_data;
	e->registered = expires_s > 0 ? e->registered + 1 : 0;
}

static void on_trunk(const char *trunk, const char *state, const char *why, void *user_data)
{
	struct end *e = user_data;
	g_string_append_printf(e->trunk_log, "%s %s %s\n", trunk, state, why != NULL ? why : "-");
}

static bool on_refer(gw_leg *leg, const char *to, void *user_data)
{
	struct end *e = user_data;
	e->refers++;
	keep(&e->refer_to, to);
	return true;
}

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *user_data)
{
	struct end *e = user_data;
	e->ended += state == GW_LEG_ENDED;
	e->up += state == GW_LEG_UP;
	if (state == GW_LEG_ENDED) {
		keep(&e->why, why);
	}
}

static void on_stream(gw_leg *leg, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data)
{
	((struct end *)user_data)->streams += on;
}

static void on_dtmf(gw_leg *leg, const char *digits, void *user_data)
{
	g_string_append(((struct end *)user_data)->digits, digits);
}

static const struct gw_sip_ops ops = { on_media, on_call, on_leg, on_device, on_registered, on_trunk, NULL, on_refer };
static const struct gw_leg_listener listener = { on_state, on_stream, on_dtmf };

/* ---- life ---- */
struct end *end_open(struct end *e, const struct gw_sip_zone *zone, const struct gw_sip_trunk *trunks, size_t n_trunks)
{
	g_autoptr(GError) err = NULL;
	const struct gw_sip_zone plain = { "default", "127.0.0.1", NULL, GW_SIP_ANY_PORT, 0, true, true };
	const struct gw_sip_conf conf = { .zones = zone != NULL ? zone : &plain, .n_zones = 1, .trunks = trunks, .n_trunks = n_trunks,
					  .realm = "ortoo", .room = "hall", .max_calls = 64,
					  .certificate = e->certificate, .key = e->key, .ca = e->ca };
	e->digits = g_string_new(NULL);
	e->trunk_log = g_string_new(NULL);
	e->methods = g_string_new(NULL);
	e->sip = gw_sip_new(g_main_context_default(), &conf, &ops, &listener, e, &err);
	g_assert_no_error(err);
	return e;
}

void end_close(struct end *e)
{
	gw_sip_free(e->sip);
	g_string_free(e->digits, TRUE);
	g_string_free(e->trunk_log, TRUE);
	g_string_free(e->methods, TRUE);
	g_free(e->number);
	g_free(e->from);
	g_free(e->device);
	g_free(e->trunk);
	g_free(e->replaces);
	g_free(e->why);
	g_free(e->refer_to);
	memset(e, 0, sizeof(*e));
}

void rig_open_conf(struct rig *r, const struct gw_sip_trunk *trunks_a, size_t n_a, const char *trunk_of_b)
{
	memset(r, 0, sizeof(*r));
	fake_media = (struct fake_media_conf){ .auto_up = true };
	/* nobody listens on the port: the trunk is only who may call from 127.0.0.1 */
	const struct gw_sip_trunk trusted = { .name = trunk_of_b, .address = "sip:127.0.0.1:9;transport=tcp" };
	end_open(&r->a, NULL, trunks_a, n_a);
	end_open(&r->b, NULL, &trusted, trunk_of_b != NULL ? 1 : 0);
	r->b.auto_answer = true;
}

void rig_open(struct rig *r, const struct gw_sip_trunk *trunks_a, size_t n_a)
{
	rig_open_conf(r, trunks_a, n_a, "a");
}

void rig_close(struct rig *r)
{
	end_close(&r->a);
	end_close(&r->b);
}

char *end_uri(const struct end *e, const char *user)
{
	return g_strdup_printf("sip:%s@127.0.0.1:%u", user, gw_sip_port(e->sip, NULL, "udp"));
}

static gboolean on_over(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

void rig_run(unsigned ms)
{
	bool over = false;
	(void)g_timeout_add(ms, on_over, &over);
	while (!over) {
		(void)g_main_context_iteration(NULL, TRUE);
	}
}

gw_leg *rig_dial(struct end *from, const char *address)
{
	static unsigned n;
	g_autofree char *id = g_strdup_printf("leg-%u", ++n), *party = g_strdup_printf("p-out-%u", n);
	g_autoptr(GError) err = NULL;
	gw_leg *leg = gw_sip_call(from->sip, id, party, &err);
	g_assert_no_error(err);
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ address, 0, true }), ==, 0);
	return leg;
}

enum gw_leg_state state_of(const gw_leg *leg)
{
	return gw_leg_get_state(leg);
}

json_t *end_dump(const struct end *e)
{
	g_autofree char *text = gw_sip_dump(e->sip);
	json_t *o = json_loads(text, 0, NULL);
	g_assert_nonnull(o);
	return o;
}

int64_t end_counter(const struct end *e, const char *name)
{
	g_autoptr(json_t) o = end_dump(e);
	return json_integer_value(json_object_get(json_object_get(o, "counters"), name));
}
