/* Which peer is treated otherwise. Rows: built in, and files "*.quirks" of the site's folder:
 *	[Polycom DMA]
 *	product=*Polycom*DMA*
 *	quirks=max-fs;one-h264
 *	proof=what was seen, where, when
 * product is a glob on User-Agent (or Server); proof is obligatory: a row that nobody can prove is superstition. */
#include <string.h>

#include "gateway/sip/media_priv.h"

static const char *const words[SIP_QUIRK_N] = {
#define X(id, word, ...) [SIP_QUIRK_##id] = word,
#include "gateway/sip/quirks.def"
#undef X
};

#define BIT(id) (1u << SIP_QUIRK_##id)
static const struct { const char *product; unsigned bits; const char *proof; } built_in[] = {
	{ "baresip v1.*", BIT(MD5_ALONE), "libre 1.1 of Debian 12 gives up at a SHA-256 challenge (ENOSYS), whichever stands first; "
					  "test interop_sip_media" },
	{ "*Polycom*DMA*", BIT(MAX_FS), "pjproject issue 1239: DMA refuses H.264 without max-fs; it counts bandwidth by it" },
};

struct row { GPatternSpec *product; unsigned bits; };
struct sip_quirks { GArray *rows; };	/* struct row */

static void clear_row(gpointer row)
{
	g_pattern_spec_free(((struct row *)row)->product);
}

static void add(struct sip_quirks *q, const char *product, unsigned bits)
{
	struct row row = { g_pattern_spec_new(product), bits };

	g_array_append_val(q->rows, row);
}

static bool read_words(char **list, unsigned *ret, const char **ret_bad)
{
	*ret = 0;
	for (char **w = list; w && *w; w++) {
		unsigned i = 0;

		while (i < SIP_QUIRK_N && strcmp(words[i], *w) != 0) {
			i++;
		}
		if (i == SIP_QUIRK_N) {
			*ret_bad = *w;
			return false;
		}
		*ret |= 1u << i;
	}
	return *ret != 0;
}

static bool read_row(struct sip_quirks *q, GKeyFile *file, const char *group, GError **err)
{
	g_autofree char *product = g_key_file_get_string(file, group, "product", NULL);
	g_autofree char *proof = g_key_file_get_string(file, group, "proof", NULL);
	g_auto(GStrv) list = g_key_file_get_string_list(file, group, "quirks", NULL, NULL);
	const char *bad = "quirks";
	unsigned bits;

	if (!product || !*product || !proof || !*proof || !read_words(list, &bits, &bad)) {
		g_set_error(err, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s]: %s", group,
			    !product || !*product ? "product is missing" : !proof || !*proof ? "proof is missing" : bad);
		return false;
	}
	add(q, product, bits);
	return true;
}

static bool read_file(struct sip_quirks *q, const char *path, GError **err)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_auto(GStrv) groups = NULL;

	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, err)) {
		g_prefix_error(err, "%s: ", path);
		return false;
	}
	groups = g_key_file_get_groups(file, NULL);
	for (char **g = groups; *g; g++) {
		if (!read_row(q, file, *g, err)) {
			g_prefix_error(err, "%s: ", path);
			return false;
		}
	}
	return true;
}

static bool read_folder(struct sip_quirks *q, const char *folder, GError **err)
{
	GDir *dir = g_dir_open(folder, 0, err);
	const char *name;
	bool good = dir != NULL;

	while (good && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		good = !g_str_has_suffix(name, ".quirks") || read_file(q, path, err);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return good;
}

struct sip_quirks *sip_quirks_load(const char *folder, GError **err)
{
	struct sip_quirks *q = g_new0(struct sip_quirks, 1);

	q->rows = g_array_new(FALSE, FALSE, sizeof(struct row));
	g_array_set_clear_func(q->rows, clear_row);
	for (size_t i = 0; i < G_N_ELEMENTS(built_in); i++) {
		add(q, built_in[i].product, built_in[i].bits);
	}
	if (folder && !read_folder(q, folder, err)) {
		sip_quirks_free(q);
		return NULL;
	}
	return q;
}

void sip_quirks_free(struct sip_quirks *q)
{
	if (q) {
		g_array_unref(q->rows);
		g_free(q);
	}
}

unsigned sip_quirks_find(const struct sip_quirks *q, const char *agent)
{
	unsigned bits = 0;

	for (guint i = 0; agent && i < q->rows->len; i++) {
		const struct row *row = &g_array_index(q->rows, struct row, i);

		bits |= g_pattern_spec_match_string(row->product, agent) ? row->bits : 0;
	}
	return bits;
}
