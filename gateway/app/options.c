/* Every option of the gateway; sample file and manual are printed from here. */
#include "gateway/app/app.h"

#define STR(key_, def_, doc_) { .key = key_, .type = ORT_C_STR, .def = def_, .doc = doc_ }
#define SECRET(key_, doc_) { .key = key_, .type = ORT_C_STR, .def = "", .secret = true, .doc = doc_ }
#define SECRETV(key_, doc_) { .key = key_, .type = ORT_C_STRV, .def = "", .secret = true, .doc = doc_ }
#define STRV(key_, def_, doc_) { .key = key_, .type = ORT_C_STRV, .def = def_, .doc = doc_ }
#define INT(key_, def_, min_, max_, doc_) { .key = key_, .type = ORT_C_INT, .def = def_, .min = min_, .max = max_, .doc = doc_ }
#define MS(key_, def_, min_, max_, doc_) { .key = key_, .type = ORT_C_MS, .def = def_, .min = min_, .max = max_, .doc = doc_ }
#define BOOL(key_, def_, doc_) { .key = key_, .type = ORT_C_BOOL, .def = def_, .doc = doc_ }

const struct ort_conf_row gw_app_rows[] = {
	STR("node.name", "Ortoo", "name of this node, shown on every page"),
	STR("web.listen", "", "address to bind; empty = every address"),
	INT("web.port", "8443", 0, 65535, "HTTPS and WebSocket port; 0 = any free one"),
	INT("web.redirect_port", "-1", -1, 65535, "plain HTTP port that only leads to HTTPS; -1 = none"),
	STR("web.url", "", "address of this node as people type it, https://name[:port]; empty = made from web.announce and port"),
	STRV("web.announce", "", "names and addresses of this node; empty = found by itself"),
	STR("web.cert", "", "certificate chain, PEM"),
	STR("web.key", "", "its private key, PEM"),
	STR("web.root", "", "folder of the pages"),
	STRV("web.origins", "", "foreign origins that may open the WebSocket"),
	BOOL("web.hsts", "false", "tell browsers to use HTTPS only for a year"),
	BOOL("web.trust_forwarded", "false", "believe X-Forwarded-For of a proxy on this host"),
	INT("web.max_connections", "2048", 16, 65536, "most sockets at once"),
	STR("map.tiles", "", "map tiles, https://host/{z}/{x}/{y}.png; empty = none, only outlines"),
	STR("map.attribution", "", "copyright line and review number of the map"),
	STR("map.outlines", "", "GeoJSON file of division outlines; empty = none"),
	STR("webhook.url", "", "where alarms and links are posted (SMS gateway, bot); empty = nowhere"),
	SECRET("webhook.secret", "key of the signature over each post"),
	STR("webhook.ca", "", "PEM of private CAs for the webhook"),
	STR("media.engine", "", "path of ortoo-mcu; empty = beside this program"),
	STR("media.config", "", "configuration file of the engine; empty = its defaults"),
	STRV("media.announce", "", "addresses that phones send media to; empty = those of the interfaces"),
	STRV("media.listen", "", "literal addresses that the engine binds; empty = every address, IPv4 and IPv6"),
	INT("media.udp_port", "0", 0, 65280, "first UDP and TCP port for media; 0 = any"),
	MS("media.grace", "120s", 0, 3600000, "the engine keeps rooms this long without a gateway"),
	MS("media.lost_leg", "30s", 1000, 600000, "a connection that failed is given up after this"),
	MS("incident.scene_on_wall", "30m", 60000, 86400000, "an incident's scene must be on a wall this soon (O5)"),
	MS("incident.escalate_1", "5m", 1000, 86400000, "first mark of the ladder"),
	MS("incident.escalate_2", "10m", 1000, 86400000, "second mark"),
	MS("incident.escalate_3", "20m", 1000, 86400000, "third mark"),
	MS("link.first_use", "30m", 60000, 86400000, "a field link must be opened this soon"),
	MS("link.life", "12h", 60000, 604800000, "an opened field link lives this long"),
	MS("party.ring", "45s", 1000, 600000, "a called party that does not answer is given up"),
	MS("party.connect", "30s", 1000, 600000, "an answered call without media is given up"),
	MS("party.seat", "60s", 0, 3600000, "a lost party keeps its place in the picture this long (J14)"),
	MS("rollcall.late", "20s", 1000, 600000, "a site that answers later than this after its call is present late"),
	MS("rollcall.give_up", "60s", 1000, 600000, "unattended roll call: a site that has not come this long after its turn began is passed over"),
	STRV("sip.zones", "name=default port=5060", "listeners, one row each: name= bind= (else as web.listen) announce= port= tls_port= (else port+1, with web.cert; 0 = none) plain_rtp=yes|no md5=yes|no; empty = no SIP"),
	SECRETV("sip.trunks", "peer systems, one row each: name= address= zone= user= password= enroll= conference= dtmf= number= layout= max_bps= security= ca= fingerprint= keep="),
	MS("rollcall.grace", "10m", 0, 86400000, "a set hour that passed while the gateway was down is made up for this long, then it is missed"),
	INT("rollcall.evidence_mib", "2048", 1, 1048576, "MiB of stills and sound clips that are kept; the oldest roll calls' go first"),
	STR("sip.realm", "ortoo", "realm of digest log-in; a change makes every SIP password void"),
	STR("sip.ca", "", "PEM of CAs for TLS peers; empty = the system's"),
	STR("sip.quirks", "", "folder of peer quirk rows; empty = only the built-in ones"),
	INT("sip.max_calls", "512", 1, 10000, "most SIP calls at once"),
	STRV("h323.zones", "", "H.323 listener, at most one row: name= bind= port=1720 route= (host that bare numbers are called at) tunnelling=yes|no number= (ours) max_bps=; its media are plain RTP; empty = no H.323"),
	INT("auth.hash_memory_kib", "65536", 8192, 1048576, "memory of one password hash (Argon2id)"),
	BOOL("auth.require_second_factor", "false", "administrators may do nothing before they have set up a second factor"),
	BOOL("auth.four_eyes", "true", "erasing and exporting need a second administrator, as soon as there is one"),
	MS("auth.approval", "10m", 10000, 86400000, "a second administrator must approve this soon, and the first one act"),
	STR("log.level", "info", "\"info\", or with modules: \"info,web=debug\""),
};
const size_t gw_app_n_rows = G_N_ELEMENTS(gw_app_rows);
