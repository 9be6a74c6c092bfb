/* --demo: a drill incident (演练) with two links for synthetic phones, a wall and one link for a real phone. The links are
 * written to <state>/demo/, one a line with the phone's place, where the starter finds them. */
#include <glib/gstdio.h>

#include "gateway/app/app_priv.h"

static const struct { const char *name, *place; } phones[] = { { "演练现场 1", "38.607,108.838" }, { "演练现场 2", "38.602,108.847" } };

static char *link_for(gw_app *app, const char *incident, const char *name)
{
	const char *link, *scene;
	int64_t expires_ms;
	if (!gw_link_issue(app->domain, "gateway", incident, NULL, name, gw_app_now(), &link, &scene, &expires_ms, NULL)) {
		return NULL;
	}
	struct gw_auth_link seat = { link, incident, scene, name };
	g_autofree char *token = gw_auth_link_issue(app->auth, &seat, ort_wall_ms(), &expires_ms);
	return gw_app_link_url(app, token);
}

static void close_old(const char *id, void *user_data)
{
	g_ptr_array_add(user_data, g_strdup(id));
}

/* Drills of an earlier demo are over: their phones are gone. */
static void close_drills(gw_app *app)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	gw_incident_foreach_open(app->domain, close_old, ids);
	for (unsigned n = 0; n < ids->len; n++) {
		if (gw_incident_is_drill(app->domain, ids->pdata[n])) {
			(void)gw_incident_close(app->domain, "gateway", ids->pdata[n], "新的演练开始", gw_app_now(), NULL);
		}
	}
}

static void have_wall(const struct gw_auth_device *d, void *user_data)
{
	*(bool *)user_data |= g_str_equal(d->kind, "wall") && !d->revoked;
}

static void write_file(gw_app *app, const char *name, const char *text)
{
	g_autofree char *dir = g_build_filename(app->options.state, "demo", NULL);
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) err = NULL;
	(void)g_mkdir_with_parents(dir, 0700);
	if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &err)) {
		ort_log(ORT_LOG_ERROR, "app", "demo.file", "a file of the demo cannot be written", ORT_S("why", err->message));
	}
}

static void make_wall(gw_app *app)
{
	bool known = false;
	gw_auth_device_foreach(app->auth, have_wall, &known);
	if (known) {
		return;
	}
	g_autofree char *id = NULL;
	g_autofree char *token = gw_auth_device_issue(app->auth, "wall", "演练大屏", ort_wall_ms(), &id);
	gw_wall_add(app->domain, id, "演练大屏");
	app->demo_wall = g_strconcat(app->url, "/wall#", token, NULL);
	write_file(app, "wall", app->demo_wall);
}

void gw_app_demo(gw_app *app)
{
	static const struct gw_incident_facts facts = { "草原火灾", "乌审旗嘎鲁图镇", "演练：合成现场，非真实事件", 3, true, 38.605, 108.842, true };
	close_drills(app);
	const char *incident = gw_incident_open(app->domain, "gateway", &facts, gw_app_now(), NULL);
	if (incident == NULL) {
		return;
	}
	g_autoptr(GString) links = g_string_new(NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(phones); n++) {
		g_autofree char *url = link_for(app, incident, phones[n].name);
		g_string_append_printf(links, "%s %s\n", url, phones[n].place);
	}
	app->demo_link = link_for(app, incident, "我的手机");
	make_wall(app);
	write_file(app, "links", links->str);
}
