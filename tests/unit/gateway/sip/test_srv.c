/* Trunks by name (RFC 3263): records of a resolver of ours, servers that are dead, full, or speak TLS. */
#include <string.h>

#include "tests/unit/gateway/sip/sip_rig.h"
#include "tests/unit/gateway/sip/tls_pair.h"

/* ---- a resolver that says what it is told ---- */
typedef struct { GResolver parent; } FakeResolver;
typedef GResolverClass FakeResolverClass;
GType fake_resolver_get_type(void);
G_DEFINE_TYPE(FakeResolver, fake_resolver, G_TYPE_RESOLVER)

static struct { unsigned ports[3], n, asked; char name[64]; } records;

static void fake_service_async(GResolver *r, const gchar *name, GCancellable *cancellable, GAsyncReadyCallback fn, gpointer data)
{
	GTask *task = g_task_new(r, cancellable, fn, data);
	records.asked++;
	if (strcmp(name, records.name) != 0) {
		g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no record of %s", name);
	} else {
		GList *found = NULL;
		for (unsigned n = 0; n < records.n; n++) {
			found = g_list_append(found, g_srv_target_new("server.example", (guint16)records.ports[n], (guint16)n, 1));
		}
		g_task_return_pointer(task, found, (GDestroyNotify)g_resolver_free_targets);
	}
	g_object_unref(task);
}

static GList *fake_finish(GResolver *r, GAsyncResult *result, GError **err)
{
	return g_task_propagate_pointer(G_TASK(result), err);
}

static void fake_name_async(GResolver *r, const gchar *name, GCancellable *cancellable, GAsyncReadyCallback fn, gpointer data)
{
	GTask *task = g_task_new(r, cancellable, fn, data);
	GList *found = g_list_append(NULL, g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4));
	g_task_return_pointer(task, found, (GDestroyNotify)g_resolver_free_addresses);
	g_object_unref(task);
}

static void fake_resolver_class_init(FakeResolverClass *c)
{
	c->lookup_service_async = fake_service_async;
	c->lookup_service_finish = fake_finish;
	c->lookup_by_name_async = fake_name_async;
	c->lookup_by_name_finish = fake_finish;
}

static void fake_resolver_init(FakeResolver *r)
{
}

/* ---- stacks ---- */
static const struct gw_sip_zone zone = { "default", "127.0.0.1", NULL, GW_SIP_ANY_PORT, GW_SIP_ANY_PORT, true, false };
static const struct gw_sip_trunk trusted = { .name = "a", .address = "sip:127.0.0.1:9;transport=tcp" };

static void server_open(struct end *e, unsigned refuse)
{
	end_open(e, &zone, &trusted, 1);
	e->auto_answer = true;
	e->refuse = refuse;
}

static gw_leg *up_over(struct end *a, struct end *b)
{
	gw_leg *leg = rig_dial(a, "trunk:mcu/1001");
	WAIT(state_of(leg) == GW_LEG_UP && b->in != NULL);
	return leg;
}

static void over(gw_leg *leg, struct end *b)
{
	gw_leg_free(leg);
	WAIT(b->ended == 1);
	gw_leg_free(b->in);
}

static unsigned dead_port(void)
{
	return 9;	/* discard: nobody listens */
}

/* The first server does not live: OPTIONS and calls find the second. */
static void a_dead_server_is_passed_by(void)
{
	struct end a = { 0 }, b = { 0 };
	const struct gw_sip_trunk t = { .name = "mcu", .address = "sip:mcu.example;transport=tcp" };
	fake_media = (struct fake_media_conf){ .auto_up = true };
	server_open(&b, 0);
	g_strlcpy(records.name, "_sip._tcp.mcu.example", sizeof(records.name));
	records.ports[0] = dead_port();
	records.ports[1] = gw_sip_port(b.sip, NULL, "tcp");
	records.n = 2;
	end_open(&a, &zone, &t, 1);
	WAIT(strstr(a.trunk_log->str, "mcu up") != NULL);
	over(up_over(&a, &b), &b);
	end_close(&a);
	end_close(&b);
}

/* The first is there and answers OPTIONS, but is full when it is called: 503, and the second takes the call. */
static void a_full_server_is_passed_by(void)
{
	struct end a = { 0 }, b = { 0 }, full = { 0 };
	const struct gw_sip_trunk t = { .name = "mcu", .address = "sip:mcu.example;transport=tcp" };
	fake_media = (struct fake_media_conf){ .auto_up = true };
	server_open(&b, 0);
	server_open(&full, 503);
	records.ports[0] = gw_sip_port(full.sip, NULL, "tcp");
	records.ports[1] = gw_sip_port(b.sip, NULL, "tcp");
	records.n = 2;
	end_open(&a, &zone, &t, 1);
	WAIT(strstr(a.trunk_log->str, "mcu up") != NULL);
	gw_leg *leg = up_over(&a, &b);
	g_assert_cmpuint(full.calls, ==, 1);
	over(leg, &b);
	b.refuse = 503;		/* all are full: it is said so, once */
	leg = rig_dial(&a, "trunk:mcu/1001");
	WAIT(state_of(leg) == GW_LEG_ENDED);
	g_assert_nonnull(strstr(a.why, "503"));
	gw_leg_free(leg);
	end_close(&a);
	end_close(&b);
	end_close(&full);
}

/* In TLS each server proves the trunk's name, not its own. */
static void servers_in_tls_prove_the_name(void)
{
	struct end a = { 0 }, b = { 0 };
	struct pair p;
	const struct gw_sip_trunk t = { .name = "mcu", .address = "sips:mcu.example" };
	fake_media = (struct fake_media_conf){ .auto_up = true };
	pair_make(&p, "mcu", "DNS:mcu.example");
	a.certificate = b.certificate = p.certificate;
	a.key = b.key = p.key;
	a.ca = p.certificate;
	server_open(&b, 0);
	g_strlcpy(records.name, "_sips._tcp.mcu.example", sizeof(records.name));
	records.ports[0] = dead_port();
	records.ports[1] = gw_sip_port(b.sip, NULL, "tls");
	records.n = 2;
	end_open(&a, &zone, &t, 1);
	WAIT(strstr(a.trunk_log->str, "mcu up") != NULL);
	gw_leg *leg = up_over(&a, &b);
	g_assert_true(((struct call *)leg)->secure);
	over(leg, &b);
	end_close(&a);
	end_close(&b);
	pair_clear(&p);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	GResolver *fake = g_object_new(fake_resolver_get_type(), NULL);
	g_resolver_set_default(fake);
	g_test_add_func("/sip/srv/a_dead_server_is_passed_by", a_dead_server_is_passed_by);
	g_test_add_func("/sip/srv/a_full_server_is_passed_by", a_full_server_is_passed_by);
	g_test_add_func("/sip/srv/servers_in_tls_prove_the_name", servers_in_tls_prove_the_name);
	int rc = g_test_run();
	g_object_unref(fake);
	return rc;
}
