/* The pages: a fixed list of places and types, held in memory, checked against the disk at each request. Names from
 * outside never leave the root: each folder and type is a row, and the kernel resolves beneath the root only. */
#include "gateway/web/web_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_MAX = 32 << 20, CACHE_MAX = 64 << 20 };

static const struct page {
	const char *path;
	bool prefix;
	const char *file;
} pages[] = {
	{"/", false, "console/index.html"},  {"/wall", false, "wall/index.html"},
	{"/room", false, "room/index.html"}, {"/setup", false, "setup/index.html"},
	{"/duty", false, "duty/index.html"}, {"/report/", true, "report/index.html"},
	{"/j/", true, "field/index.html"},   {"/certificate/", true, "certificate/index.html"},
	{"/circular/", true, "circular/index.html"}, {"/circulars", false, "circulars/index.html"},
	{"/a/", true, "callack/index.html"},
	{"/drill/", true, "drill/index.html"},
};

static const char *const folders[] = {"callack", "drill", "certificate", "circular", "circulars", "console", "css",	 "duty", "field", "fonts",  "img",  "lib",
				      "map",	     "report",	"room",	"setup", "texts", "vendor", "wall", NULL};
static const char *const root_files[] = {"favicon.ico", "favicon.svg", "manifest.webmanifest", "robots.txt", NULL};

static const struct {
	const char *ending, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json; charset=utf-8"},
	{".geojson", "application/geo+json"},
	{".webmanifest", "application/manifest+json"},
	{".map", "application/json; charset=utf-8"},
	{".txt", "text/plain; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".webp", "image/webp"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".wasm", "application/wasm"},
	{".mp3", "audio/mpeg"},
	{".ogg", "audio/ogg"},
	{".wav", "audio/wav"},
};

struct entry {
	GBytes *bytes;
	char *etag;
	struct timespec mtime;
	ino_t ino;
	off_t size;
};
struct files {
	int root_fd;
	GHashTable *cache;
	size_t cached;
};

static void entry_free(void *p)
{
	struct entry *e = p;
	g_bytes_unref(e->bytes);
	g_free(e->etag);
	g_free(e);
}

struct files *gw_web_files_open(const char *root, char **ret_why)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		*ret_why = g_strdup_printf("web root %s: %s", root, g_strerror(errno));
		return NULL;
	}
	struct files *f = g_new0(struct files, 1);
	f->root_fd = fd;
	f->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	return f;
}

void gw_web_files_close(struct files *f)
{
	if (f) {
		close(f->root_fd);
		g_hash_table_unref(f->cache);
		g_free(f);
	}
}

/* ---- which file ---- */

static bool in_folder(const char *name)
{
	const char *slash = strchr(name, '/');
	g_autofree char *folder = slash ? g_strndup(name, (size_t)(slash - name)) : NULL;
	return folder ? g_strv_contains(folders, folder) : g_strv_contains(root_files, name);
}

/* NULL: nothing that we show. Borrowed from the table or the path. */
static const char *file_of(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		const char *tail = g_str_has_prefix(path, pages[i].path) ? path + strlen(pages[i].path) : NULL;
		/* Ids and tokens have no dot: /certificate/main.js is a file, /certificate/<id> the page. */
		if (tail && (pages[i].prefix ? strchr(tail, '.') == NULL : *tail == '\0')) {
			return pages[i].file;
		}
	}
	return in_folder(path + 1) ? path + 1 : NULL;
}

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_str_has_suffix(name, types[i].ending)) {
			return types[i].type;
		}
	}
	return NULL;
}

/* ---- its bytes ---- */

static int open_beneath(const struct files *f, const char *name)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, f->root_fd, name, &how, sizeof(how));
}

static GBytes *read_all(int fd, size_t size)
{
	g_autofree char *data = g_malloc(size + 1);
	size_t got = 0;
	while (got < size) {
		ssize_t n = read(fd, data + got, size - got);
		if (n <= 0) {
			return NULL; /* shorter than a moment ago: somebody writes it; the next request will do */
		}
		got += (size_t)n;
	}
	return g_bytes_new_take(g_steal_pointer(&data), size);
}

static struct entry *entry_new(int fd, const struct stat *st)
{
	GBytes *bytes = read_all(fd, (size_t)st->st_size);
	if (!bytes) {
		return NULL;
	}
	g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
	struct entry *e = g_new0(struct entry, 1);
	e->bytes = bytes;
	e->etag = g_strdup_printf("\"%.22s\"", sum);
	e->mtime = st->st_mtim;
	e->ino = st->st_ino;
	e->size = st->st_size;
	return e;
}

static bool is_fresh(const struct entry *e, const struct stat *st)
{
	return e && e->ino == st->st_ino && e->size == st->st_size && e->mtime.tv_sec == st->st_mtim.tv_sec &&
	       e->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static const struct entry *entry_get(struct files *f, const char *name)
{
	struct stat st;
	int fd = open_beneath(f, name);
	if (fd < 0) {
		return NULL;
	}
	struct entry *e = NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
		e = g_hash_table_lookup(f->cache, name);
		if (!is_fresh(e, &st) && (e = entry_new(fd, &st))) {
			if (f->cached + (size_t)st.st_size > CACHE_MAX) {
				g_hash_table_remove_all(f->cache);
				f->cached = 0;
			}
			f->cached += (size_t)st.st_size;
			g_hash_table_replace(f->cache, g_strdup(name), e);
		}
	}
	close(fd);
	return e;
}

/* ---- the answer ---- */

static void not_found(gw_web_exchange *x)
{
	count(x->web, N_not_found);
	gw_web_reply(
		x, &(struct gw_web_response){
			   .status = 404, .content_type = "text/plain; charset=utf-8", .body = "Not Found", .len = 9});
}

void gw_web_files_serve(struct files *f, gw_web_exchange *x, const struct request *r)
{
	const char *name = file_of(r->path), *type = name ? type_of(name) : NULL;
	const struct entry *e = type ? entry_get(f, name) : NULL;
	gsize len = 0;
	if (!e) {
		not_found(x);
		return;
	}
	const void *data = g_bytes_get_data(e->bytes, &len);
	bool vendor = g_str_has_prefix(name, "vendor/");
	const struct gw_web_header headers[] = {
		{"ETag", e->etag},
		{"Cache-Control", vendor ? "public, max-age=86400" : "no-cache"},
	};
	struct gw_web_response out = {.status = 200,
				      .content_type = type,
				      .body = data,
				      .len = len,
				      .headers = headers,
				      .n_headers = G_N_ELEMENTS(headers)};
	if (gw_web_etag_matches(r->if_none_match, e->etag)) {
		out.status = 304;
		out.len = 0;
	}
	count(x->web, N_files);
	gw_web_reply(x, &out);
}
