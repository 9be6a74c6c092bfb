/* Trunks and devices: registration with digest, keep-alive, calls through them, what strangers get. */
#include <string.h>

#include "tests/unit/gateway/sip/sip_rig.h"

/* a registers at b as room1 */
static void open_registered(struct rig *r, const char *password, bool md5)
{
	memset(r, 0, sizeof(*r));
	fake_media = (struct fake_media_conf){ .auto_up = true };
	r->b.password = "secret";
	r->b.md5_only = md5;
	end_open(&r->b, NULL, NULL, 0);
	r->b.auto_answer = true;
	g_autofree char *uri = end_uri(&r->b, "x");
	const struct gw_sip_trunk t = { .name = "city", .address = uri, .user = "room1", .password = password, .enroll = true };
	end_open(&r->a, NULL, &t, 1);
	r->a.auto_answer = true;
}

static bool log_has(const struct end *e, const char *text)
{
	return strstr(e->trunk_log->str, text) != NULL;
}

static void registers_with_sha256(void)
{
	struct rig r;
	open_registered(&r, "secret", false);
	WAIT(r.b.registered == 1);
	WAIT(log_has(&r.a, "city up"));
	g_autoptr(json_t) o = end_dump(&r.b);
	json_t *row = json_array_get(json_object_get(o, "registrations"), 0);
	g_assert_cmpstr(json_string_value(json_object_get(row, "user")), ==, "room1");
	g_assert_cmpint(json_integer_value(json_object_get(row, "expires_ms")), >, 250 * 1000);
	end_close(&r.a);
	WAIT(r.b.registered == 0);	/* it says good-bye */
	end_close(&r.b);
}

static void a_wrong_password_is_said_in_words(void)
{
	struct rig r;
	open_registered(&r, "wrong", false);
	WAIT(log_has(&r.a, "city refused user or password is not accepted"));
	g_assert_cmpuint(r.b.registered, ==, 0);
	g_assert_cmpint(end_counter(&r.b, "auth_failed"), ==, 1);
	rig_close(&r);
}

static void a_device_is_called_and_calls(void)
{
	struct rig r;
	open_registered(&r, "secret", false);
	WAIT(r.b.registered == 1);
	gw_leg *leg = rig_dial(&r.b, "device:room1");
	WAIT(state_of(leg) == GW_LEG_UP && r.a.in != NULL && state_of(r.a.in) == GW_LEG_UP);
	gw_leg_free(leg);
	WAIT(r.a.ended == 1);
	gw_leg_free(r.a.in);
	leg = rig_dial(&r.a, "trunk:city/88001");	/* with a challenge in between */
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL);
	g_assert_cmpstr(r.b.device, ==, "room1");
	g_assert_cmpstr(r.b.number, ==, "88001");
	g_assert_null(r.b.trunk);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

static void nobody_calls_without_a_password(void)
{
	struct rig r;
	rig_open_conf(&r, NULL, 0, NULL);
	g_autofree char *uri = end_uri(&r.b, "1001");
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(r.a.ended == 1);
	g_assert_cmpstr(r.a.why, ==, "the password is not accepted (401)");
	g_assert_cmpuint(r.b.calls, ==, 0);
	g_assert_cmpint(end_counter(&r.a, "challenges_refused"), ==, 1);
	gw_leg_free(leg);
	rig_close(&r);
}

static void a_trunk_that_answers_options_is_up(void)
{
	struct rig r;
	memset(&r, 0, sizeof(r));
	end_open(&r.b, NULL, NULL, 0);
	g_autofree char *uri = end_uri(&r.b, "x");
	const struct gw_sip_trunk t[] = { { .name = "mcu", .address = uri }, { .name = "tcp", .address = "sip:127.0.0.1:9;transport=tcp" },
					  { .name = "odd", .address = "mcu" } };
	end_open(&r.a, NULL, t, G_N_ELEMENTS(t));
	WAIT(log_has(&r.a, "mcu up -") && log_has(&r.a, "tcp down not reachable") && log_has(&r.a, "odd refused its address"));
	rig_close(&r);
}

static void an_unknown_device_is_unreachable(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	gw_leg *leg = gw_sip_call(r.a.sip, "x", "p-x", NULL);
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ "device:nobody", 0, true }), <, 0);
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ "trunk:none/1", 0, true }), <, 0);
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ "tel:110", 0, true }), <, 0);
	gw_leg_free(leg);
	rig_close(&r);
}

/* The line to a hardware MCU breaks: the same leg is called again; the conference's digits are dialled again. */
static void a_lost_trunk_call_comes_back(void)
{
	struct rig r;
	memset(&r, 0, sizeof(r));
	fake_media = (struct fake_media_conf){ .auto_up = true };
	const struct gw_sip_trunk trusted = { .name = "a", .address = "sip:127.0.0.1:9;transport=tcp" };
	end_open(&r.b, NULL, &trusted, 1);
	r.b.auto_answer = true;
	g_autofree char *uri = end_uri(&r.b, "x");
	const struct gw_sip_trunk t = { .name = "mcu", .address = uri, .conference = "88001", .dtmf = "12#", .keep = true };
	end_open(&r.a, NULL, &t, 1);
	gw_leg *leg = rig_dial(&r.a, "trunk:mcu");
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL);
	g_assert_cmpstr(r.b.number, ==, "88001");
	WAIT(strcmp(fake_media_digits(((struct call *)leg)->media), "12#") == 0);
	gw_leg *first = r.b.in;
	fake_media_fail(((struct call *)leg)->media, "no packets");
	g_assert_cmpint(state_of(leg), ==, GW_LEG_CONNECTING);
	WAIT(r.b.calls == 2 && state_of(leg) == GW_LEG_UP && r.a.up == 2);
	g_assert_cmpint(state_of(first), ==, GW_LEG_ENDED);
	WAIT(strcmp(fake_media_digits(((struct call *)leg)->media), "12#") == 0);
	g_assert_cmpuint(r.a.ended, ==, 0);
	gw_leg_free(r.b.in);	/* the MCU's own good-bye is one */
	WAIT(r.a.ended == 1);
	gw_leg_free(first);
	gw_leg_free(leg);
	rig_close(&r);
}

static void over_tcp(void)
{
	struct rig r;
	rig_open(&r, NULL, 0);
	g_autofree char *uri = end_uri(&r.b, "1001"), *tcp = g_strconcat(uri, ";transport=tcp", NULL);
	gw_leg *leg = rig_dial(&r.a, tcp);
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL && state_of(r.b.in) == GW_LEG_UP);
	gw_leg_free(r.b.in);
	WAIT(r.a.ended == 1);
	gw_leg_free(leg);
	rig_close(&r);
}

static void over_ipv6(void)
{
	struct rig r;
	const struct gw_sip_zone six = { "default", "::1", NULL, GW_SIP_ANY_PORT, 0, true, true };
	const struct gw_sip_trunk trusted = { .name = "a", .address = "sip:[::1]:9;transport=tcp" };
	memset(&r, 0, sizeof(r));
	fake_media = (struct fake_media_conf){ .auto_up = true };
	end_open(&r.a, &six, NULL, 0);
	end_open(&r.b, &six, &trusted, 1);
	r.b.auto_answer = true;
	g_autofree char *uri = g_strdup_printf("sip:1001@[::1]:%u", gw_sip_port(r.b.sip, NULL, "udp"));
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL && state_of(r.b.in) == GW_LEG_UP);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);
}

int main(int argc, char **argv)
{
	static const struct { const char *path; void (*fn)(void); } rows[] = {
#define T(x) { "/sip/trunks/" #x, x }
		T(registers_with_sha256), T(a_wrong_password_is_said_in_words), T(a_device_is_called_and_calls),
		T(nobody_calls_without_a_password), T(a_trunk_that_answers_options_is_up), T(an_unknown_device_is_unreachable),
		T(a_lost_trunk_call_comes_back), T(over_tcp), T(over_ipv6),
#undef T
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_test_add_func(rows[n].path, rows[n].fn);
	}
	return g_test_run();
}
