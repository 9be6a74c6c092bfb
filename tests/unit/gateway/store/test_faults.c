/* The disk refuses: full, I/O errors, half writes. Nothing acknowledged meanwhile, nothing lost or doubled afterwards. SQLite's
 * own table of system calls is the hook: the program has none. */
#include <errno.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store.h"
#include "mcu/base/json.h"

enum { RECORDS = 40 };

struct fault { const char *name; int error; bool half; bool gives_reserve; };	/* half: as much as fits is written first */
static const struct fault *volatile fault;	/* NULL = the disk is well; set by the test, read by the worker */
static volatile int refused;

static ssize_t refuse(int fd, const void *buf, size_t len, off_t at)
{
	g_atomic_int_inc(&refused);
	if (fault->half && len > 512) {
		return pwrite(fd, buf, len - 512, at);	/* SQLite comes again for the rest */
	}
	errno = fault->error;
	return -1;
}

static ssize_t my_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return fault ? refuse(fd, buf, len, at) : pwrite(fd, buf, len, at);
}

static void hook(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
	int hooked = 0;
	hooked += vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)my_pwrite) == SQLITE_OK;
	hooked += vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)my_pwrite) == SQLITE_OK;
	g_assert_cmpint(hooked, >, 0);
}

struct rig { char *dir, *path; GMainContext *context; gw_store *store; unsigned committed, barriers; GString *said; };

static void on_committed(const struct gw_record *r, const char *hash, void *ud)
{
	((struct rig *)ud)->committed++;
}

static void on_trouble(const char *why, void *ud)
{
	g_string_append_printf(((struct rig *)ud)->said, "%s;", why ? why : "well");
}

static void on_barrier(void *ud)
{
	((struct rig *)ud)->barriers++;
}

static void append(struct rig *g, unsigned n)
{
	g_autoptr(json_t) body = json_pack("{s:i}", "n", (int)n);
	gw_store_append(g->store, &(struct gw_record){ 0, 1000, 2000, "boot", "incident.note", "u:duty", "i1", body });
}

static void spin(struct rig *g, bool (*done)(const struct rig *g))
{
	for (int n = 0; n < 2000 && !done(g); n++) {
		while (g_main_context_iteration(g->context, FALSE)) {
		}
		g_usleep(5000);
	}
	g_assert_true(done(g));
}

static bool is_in_trouble(const struct rig *g)
{
	return g->said->len > 0 && refused > 2;
}

static bool is_settled(const struct rig *g)
{
	return g->barriers == 1;
}

static void on_replay(const struct gw_record *r, const char *hash, void *ud)
{
	unsigned *next = ud;
	g_assert_cmpint(json_integer_value(json_object_get(r->body, "n")), ==, *next);
	(*next)++;
}

static void remove_all(const char *dir)
{
	g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(d));) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		(void)g_unlink(path);
	}
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void refuses_and_recovers(gconstpointer data)
{
	static const struct gw_store_ops ops = { on_committed, on_trouble };
	const struct fault *f = data;
	struct rig g = { .dir = g_dir_make_tmp("ortoo-disk-XXXXXX", NULL), .context = g_main_context_new(), .said = g_string_new(NULL) };
	GError *err = NULL;
	unsigned seen = 0;
	g.path = g_build_filename(g.dir, "ortoo.db", NULL);
	g.store = gw_store_open(g.context, g.path, &ops, &g, &err);
	g_assert_no_error(err);
	g_assert_true(gw_store_replay(g.store, NULL, NULL, &err));
	fault = f;
	refused = 0;
	for (unsigned n = 0; n < RECORDS; n++) {
		append(&g, n);
	}
	gw_store_sign(g.store, 3000);
	gw_store_barrier(g.store, on_barrier, &g);
	spin(&g, is_in_trouble);
	g_assert_cmpuint(g.committed, ==, 0);
	g_assert_cmpuint(g.barriers, ==, 0);
	g_assert_cmpuint(gw_store_queued(g.store), ==, RECORDS);
	g_autofree char *reserve = g_strconcat(g.path, ".reserve", NULL);
	g_assert_cmpint(g_file_test(reserve, G_FILE_TEST_EXISTS), ==, !f->gives_reserve);
	fault = NULL;
	spin(&g, is_settled);
	g_assert_cmpuint(g.committed, ==, RECORDS);
	g_assert_true(g_str_has_suffix(g.said->str, "well;"));
	gw_store_close(g.store);
	struct gw_log_verdict v;
	g_assert_true(gw_store_verify_file(g.path, &v, NULL));
	g_assert_true(v.ok);
	g_assert_cmpint(v.records, ==, RECORDS);
	g_assert_cmpint(v.signatures, ==, 1);
	g.store = gw_store_open(g.context, g.path, &ops, &g, &err);
	g_assert_true(gw_store_replay(g.store, on_replay, &seen, &err));
	g_assert_cmpuint(seen, ==, RECORDS);
	gw_store_close(g.store);
	remove_all(g.dir);
	g_string_free(g.said, TRUE);
	g_main_context_unref(g.context);
	g_free(g.path);
	g_free(g.dir);
}

static const struct fault faults[] = {
	{ "full", ENOSPC, false, true },
	{ "full_in_the_middle", ENOSPC, true, true },
	{ "quota", EDQUOT, false, false },
	{ "io_error", EIO, false, false },
	{ "read_only", EROFS, false, false },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	hook();
	for (size_t n = 0; n < G_N_ELEMENTS(faults); n++) {
		g_autofree char *path = g_strconcat("/store/faults/", faults[n].name, NULL);
		g_test_add_data_func(path, &faults[n], refuses_and_recovers);
	}
	return g_test_run();
}
