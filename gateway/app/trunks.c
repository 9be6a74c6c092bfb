/* Zones and trunks of the configuration: lists of rows, each row words "key=value". And what a party.call dials. */
#include <stddef.h>
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/trunks_priv.h"

enum { UNSAID = 1 };	/* a port that nobody gives to SIP */
enum type { TEXT, NUMBER, YES };
struct key { const char *name; enum type type; size_t offset; const char *doc; };
#define Z(m, type) { #m, type, offsetof(struct gw_sip_zone, m), NULL }
#define R(m, type) { #m, type, offsetof(struct gw_sip_trunk, m), NULL }
static const struct key zone_keys[] = { Z(name, TEXT), Z(bind, TEXT), Z(announce, TEXT), Z(port, NUMBER), Z(tls_port, NUMBER),
					Z(plain_rtp, YES), Z(md5, YES) };
static const struct key trunk_keys[] = { R(name, TEXT), R(zone, TEXT), R(address, TEXT), R(user, TEXT), R(password, TEXT), R(enroll, YES),
					 R(conference, TEXT), R(dtmf, TEXT), R(number, TEXT), R(layout, TEXT), R(max_bps, NUMBER),
					 R(security, TEXT), R(ca, TEXT), R(fingerprint, TEXT), R(keep, YES) };

static const struct key *find(const struct key *keys, size_t n, const char *name)
{
	for (size_t k = 0; k < n; k++) {
		if (strcmp(keys[k].name, name) == 0) {
			return &keys[k];
		}
	}
	return NULL;
}

/* Ports are 16 bits wide, rates 64. */
static bool set(char *row, const struct key *k, const char *value, gpointer keep)
{
	gint64 number = 0;
	if (k->type == TEXT) {
		*(const char **)(void *)(row + k->offset) = g_string_chunk_insert_const(keep, value);
	} else if (k->type == YES) {
		*(bool *)(void *)(row + k->offset) = strcmp(value, "yes") == 0;
		return strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
	} else if (strcmp(k->name, "max_bps") == 0) {
		bool ok = g_ascii_string_to_signed(value, 10, 0, 1000000000, &number, NULL);
		*(int64_t *)(void *)(row + k->offset) = number;
		return ok;
	} else {
		bool any = strcmp(value, "any") == 0;
		bool ok = any || g_ascii_string_to_signed(value, 10, 0, 65534, &number, NULL);
		*(uint16_t *)(void *)(row + k->offset) = any ? GW_SIP_ANY_PORT : (uint16_t)number;
		return ok;
	}
	return true;
}

static bool read_row(const char *text, const struct key *keys, size_t n, char *row, gpointer keep, char **ret_why)
{
	g_auto(GStrv) words = NULL;
	if (!g_shell_parse_argv(text, NULL, &words, NULL)) {
		*ret_why = g_strdup_printf("\"%s\": quotes do not match", text);
		return false;
	}
	for (unsigned w = 0; words[w] != NULL; w++) {
		char *equals = strchr(words[w], '=');
		const struct key *k = equals != NULL ? (*equals = '\0', find(keys, n, words[w])) : NULL;
		if (k == NULL || !set(row, k, equals + 1, keep)) {
			*ret_why = g_strdup_printf("\"%s\": what is %s?", text, words[w]);
			return false;
		}
	}
	return true;
}

/* What a zone's row leaves unsaid. SIP listens where the pages do; TLS one port above the plain one (RFC 3261 19.1.2: 5060 and
 * 5061), which comes to nothing where there is no certificate. */
static void fill_zone(const ort_conf *conf, struct gw_sip_zone *z)
{
	const char *listen = ort_conf_str(conf, "web.listen");
	const char *const *announce = ort_conf_strv(conf, "web.announce");
	bool own = z->bind == NULL && listen[0] != '\0' && strcmp(listen, "0.0.0.0") != 0 && strcmp(listen, "::") != 0;
	if (own && z->announce == NULL && announce != NULL && announce[0] != NULL) {
		z->announce = announce[0];
	}
	z->bind = z->bind != NULL ? z->bind : own ? listen : "*";
	if (z->tls_port == UNSAID) {
		z->tls_port = z->port == GW_SIP_ANY_PORT ? GW_SIP_ANY_PORT : z->port != 0 ? (uint16_t)(z->port + 1) : 5061;
	}
}

static bool layout_is_known(const char *name)
{
	bool known = name == NULL || strcmp(name, "program") == 0 || strcmp(name, "speaker") == 0;
	for (size_t n = 0; !known && n < gw_n_layout_rows; n++) {
		known = strcmp(gw_layout_rows[n].name, name) == 0;
	}
	return known;
}

bool gw_trunks_read(const ort_conf *conf, struct gw_trunks *t, char **ret_why)
{
	const char *const *zones = ort_conf_strv(conf, "sip.zones"), *const *trunks = ort_conf_strv(conf, "sip.trunks");
	t->keep = g_string_chunk_new(256);
	t->zones = g_array_new(FALSE, TRUE, sizeof(struct gw_sip_zone));
	t->trunks = g_array_new(FALSE, TRUE, sizeof(struct gw_sip_trunk));
	for (unsigned n = 0; zones != NULL && zones[n] != NULL; n++) {
		struct gw_sip_zone z = { .name = "default", .tls_port = UNSAID };
		if (!read_row(zones[n], zone_keys, G_N_ELEMENTS(zone_keys), (char *)&z, t->keep, ret_why)) {
			return false;
		}
		fill_zone(conf, &z);
		g_array_append_val(t->zones, z);
	}
	for (unsigned n = 0; trunks != NULL && trunks[n] != NULL; n++) {
		struct gw_sip_trunk r = { .zone = "default" };
		if (!read_row(trunks[n], trunk_keys, G_N_ELEMENTS(trunk_keys), (char *)&r, t->keep, ret_why)) {
			return false;
		}
		if (r.name == NULL || r.address == NULL) {
			*ret_why = g_strdup_printf("\"%s\": name and address are wanted", trunks[n]);
			return false;
		}
		if (!layout_is_known(r.layout)) {
			*ret_why = g_strdup_printf("\"%s\": there is no layout %s", trunks[n], r.layout);
			return false;
		}
		g_array_append_val(t->trunks, r);
	}
	return true;
}

void gw_trunks_clear(struct gw_trunks *t)
{
	if (t->keep != NULL) {
		g_array_unref(t->zones);
		g_array_unref(t->trunks);
		g_string_chunk_free(t->keep);
		*t = (struct gw_trunks){ 0 };
	}
}

const struct gw_sip_trunk *gw_trunks_find(const struct gw_trunks *t, const char *name)
{
	for (unsigned n = 0; t->trunks != NULL && name != NULL && n < t->trunks->len; n++) {
		const struct gw_sip_trunk *r = &g_array_index(t->trunks, struct gw_sip_trunk, n);
		if (strcmp(r->name, name) == 0) {
			return r;
		}
	}
	return NULL;
}

bool gw_app_trunk_keeps(const gw_app *app, const char *trunk)
{
	const struct gw_sip_trunk *r = gw_trunks_find(app->trunks, trunk);
	return r != NULL && r->keep;
}

/* "program" (default), "speaker", or a layout's name. What people chose for the party since then stays. */
void gw_app_trunk_view(gw_app *app, const char *party)
{
	const char *address = gw_party_address(app->domain, party), *conference = gw_party_conference(app->domain, party);
	bool trunk = address != NULL && conference != NULL && g_str_has_prefix(address, "trunk:");
	g_auto(GStrv) part = trunk ? g_strsplit(address + strlen("trunk:"), "/", 2) : NULL;
	const struct gw_sip_trunk *r = trunk ? gw_trunks_find(app->trunks, part[0]) : NULL;
	g_autoptr(json_t) p = gw_party_print(app->domain, party);
	bool untouched = g_strcmp0(json_string_value(json_object_get(p, "view")), "program") == 0;
	if (r == NULL || r->layout == NULL || !untouched || strcmp(r->layout, "program") == 0) {
		return;
	}
	struct gw_view_look look = { .layout = strcmp(r->layout, "speaker") == 0 ? "1" : r->layout, .titles = true };
	if (gw_party_view(app->domain, "gateway", conference, party, "own", gw_app_now(), NULL) &&
	    !gw_view_layout(app->domain, "gateway", conference, party, &look, false, gw_app_now(), NULL)) {
		ort_log(ORT_LOG_WARNING, "sip", "trunk.layout", "there is no such layout", ORT_S("trunk", r->name), ORT_S("layout", r->layout));
	}
}

char *gw_app_dial_address(gw_app *app, const struct gw_party_call *in, char **ret_why)
{
	static const char *const schemes[] = { "sip:", "sips:", "trunk:", "device:", "h323:" };
	const struct gw_app_endpoint *at = in->address == NULL ? gw_app_endpoint_at(app, in->site) : NULL;
	if (in->trunk != NULL) {
		const struct gw_sip_trunk *r = gw_trunks_find(app->trunks, in->trunk);
		const char *number = in->number != NULL ? in->number : r != NULL ? r->conference : NULL;
		*ret_why = r == NULL ? g_strdup("no such trunk") : NULL;
		return r == NULL ? NULL : g_strdup_printf("trunk:%s/%s", r->name, number != NULL ? number : "");
	}
	if (at != NULL) {
		return g_strconcat("device:", at->user, NULL);
	}
	for (unsigned n = 0; in->address != NULL && n < G_N_ELEMENTS(schemes); n++) {
		if (g_str_has_prefix(in->address, schemes[n])) {
			return g_strdup(in->address);
		}
	}
	if (in->address != NULL && gw_app_endpoint(app, in->address) != NULL) {
		return g_strconcat("device:", in->address, NULL);
	}
	if (in->address != NULL && strchr(in->address, '@') != NULL) {
		return g_strconcat("sip:", in->address, NULL);
	}
	*ret_why = in->site == NULL ? g_strdup("address: sip:user@host, h323:number@host, a SIP account, or trunk with number") : NULL;
	return NULL;
}
