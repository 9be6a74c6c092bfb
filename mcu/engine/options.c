/* Every option of the engine; sample file and manual are printed from here. */
#include "mcu/engine/engine.h"

#define INT(key_, def_, min_, max_, doc_)  { .key = key_, .type = ORT_C_INT, .def = def_, .min = min_, .max = max_, .doc = doc_ }
#define MS(key_, def_, min_, max_, doc_)   { .key = key_, .type = ORT_C_MS, .def = def_, .min = min_, .max = max_, .doc = doc_ }
#define SIZE(key_, def_, min_, max_, doc_) { .key = key_, .type = ORT_C_SIZE, .def = def_, .min = min_, .max = max_, .doc = doc_ }
#define BOOL(key_, def_, doc_)		   { .key = key_, .type = ORT_C_BOOL, .def = def_, .doc = doc_ }
#define STRV(key_, def_, doc_)		   { .key = key_, .type = ORT_C_STRV, .def = def_, .doc = doc_ }
#define STR(key_, def_, doc_)		   { .key = key_, .type = ORT_C_STR, .def = def_, .doc = doc_ }

const struct ort_conf_row mcu_engine_rows[] = {
	STR("engine.name", "mcu", "name in the log and towards the gateway"),
	INT("engine.workers", "0", 0, 256, "media threads; 0 = one less than processors, at least one"),
	BOOL("engine.pin", "false", "bind each media thread to one processor"),
	MS("engine.grace", "120s", 0, 3600000, "rooms outlive a lost gateway this long, unless the gateway said otherwise"),
	MS("engine.orphan", "0", 0, 86400000, "end the process when no gateway came for so long after the grace time; 0 = never"),
	MS("engine.watchdog", "3s", 0, 60000, "a media thread that stands still so long ends the process; 0 = off"),
	INT("engine.max_rooms", "1024", 1, 65536, "most rooms"),
	INT("engine.max_transports", "512", 1, 65536, "most transports of one room"),
	INT("engine.max_transports_per_worker", "4096", 1, 65536, "most transports of one media thread"),
	INT("engine.max_streams", "64", 1, 1024, "most sources and sinks of one transport, each"),
	BOOL("engine.core", "false", "allow core dumps; they would hold the media keys"),
	STR("media.plain_ports", "40000-49999", "UDP ports of plain RTP legs (SIP, H.323), of all media threads; \"0\" = any"),
	STRV("media.zones", "", "\"zone=address\": what plain legs of a zone announce; others announce media.announce"),
	INT("media.dscp", "34", 0, 63, "DSCP of the muxed port, where sound and pictures share one flow; 0 = unmarked"),
	INT("media.dscp_audio", "46", 0, 63, "DSCP of plain sound: EF"),
	INT("media.dscp_video", "34", 0, 63, "DSCP of plain pictures: AF41"),
	STRV("media.listen", "", "literal addresses to bind; empty = every address, IPv4 and IPv6"),
	STRV("media.announce", "", "addresses told to peers; empty = those of the interfaces"),
	INT("media.udp_port", "0", 0, 65280, "UDP and TCP port of the first media thread, the next ones follow; 0 = any"),
	BOOL("media.tcp", "true", "also take media over TCP (RFC 6544), same port number"),
	INT("media.max_packets", "65536", 1024, 4194304, "packets in memory per media thread, 2 KiB each"),
	INT("media.stun_per_s", "50", 1, 100000, "STUN requests per second from an address that is not validated"),
	INT("media.dtls_hello_per_s", "5", 1, 1000, "DTLS handshakes begun per second on one validated pair"),
	INT("media.ssrc_per_transport", "256", 1, 4096, "SSRCs of one peer, both directions: a gallery of 25 windows takes 80"),
	SIZE("media.tcp_queue", "1M", 65536, 67108864, "unsent bytes of one TCP peer; above, video waits for a key frame"),
	INT("media.store_slots", "512", 64, 65536, "packets kept for retransmission per published stream, rounded up to a power of two"),
	MS("media.pli_min", "500", 0, 60000, "key frame requests to one source are at least so far apart"),
	INT("media.start_bps", "1000000", 10000, 1000000000, "downlink estimate of a new transport, bits per second"),
	INT("media.max_bps", "20000000", 10000, 10000000000, "most that is sent to one peer, bits per second"),
	STR("mixer.program", "", "codec worker; empty = ortoo-mixer beside this program. Started with the first mix"),
	INT("mixer.count", "1", 1, 16, "codec workers; each mix lives on the one with the fewest"),
	MS("mixer.restart", "100ms", 10, 60000, "pause before a codec worker is started again; while it goes on dying it doubles, up to 50 times"),
	MS("mixer.watchdog", "3s", 0, 60000, "a codec worker that does not answer for so long is killed and started again; 0 = never"),
	SIZE("mixer.memory", "4G", 0, 1099511627776, "most memory of a codec worker; 0 = unlimited"),
	BOOL("mixer.sandbox", "true", "no new files, sockets or programs for the codec worker; hardware codecs need false"),
	STR("mixer.voice", "espeak-ng", "program that speaks announcements; not installed or empty = tones only"),
	STR("mixer.elements", "", "ranks of codec elements, \"H264.encode=x264enc,openh264enc;..\"; empty = the program's own"),
	STR("log.level", "info", "\"info\", or with modules: \"info,engine=debug\""),
};
const size_t mcu_engine_n_rows = G_N_ELEMENTS(mcu_engine_rows);
