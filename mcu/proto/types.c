/* Field tables of every struct of the protocol: parser, printer, manual and fuzz dictionary at once. Tables only. */
#include "mcu/proto/proto.h"

#define REQ  ORT_J_REQUIRED
#define OMIT ORT_J_OMIT_ZERO
#define U32  4294967295.0

#define TABLE(t, ...)                                                       \
	static const struct ort_json_field t##_fields[] = { __VA_ARGS__ }; \
	const struct ort_json_table mcu_table_##t = { #t, sizeof(struct mcu_##t), t##_fields, G_N_ELEMENTS(t##_fields) }

#define ID(t, m, flags, doc)	    ORT_JF(struct mcu_##t, m, ORT_J_STR, (flags) | ORT_J_ID, 0, MCU_ID_MAX, NULL, doc)
#define STR(t, m, flags, max, doc)  ORT_JF(struct mcu_##t, m, ORT_J_STR, flags, 0, max, NULL, doc)
#define INT(t, m, flags, min, max, unit, doc) ORT_JF(struct mcu_##t, m, ORT_J_INT, flags, min, max, unit, doc)
#define COUNT(t, m, unit, doc)	    ORT_JF(struct mcu_##t, m, ORT_J_INT, 0, 0, 0, unit, doc)
#define REAL(t, m, unit, doc)	    ORT_JF(struct mcu_##t, m, ORT_J_DOUBLE, 0, 0, 0, unit, doc)
#define BOOL(t, m, flags, doc)	    ORT_JF(struct mcu_##t, m, ORT_J_BOOL, flags, 0, 0, NULL, doc)
#define LIST(t, m, sub, flags, max, doc) \
	ORT_JF_SUB(struct mcu_##t, m, ORT_J_ARRAY, &mcu_table_##sub, flags, max, doc)
#define AT(t)                                                                \
	COUNT(t, at_ms, "ms", "wall clock of the engine since 1970 UTC"),    \
	COUNT(t, at_us, "us", "monotonic clock of the engine")
#define ROOM(t, flags)	 ID(t, room, flags, "room, chosen by the gateway")
#define TRANSPORT(t)	 ID(t, transport, REQ, "transport within the room, chosen by the gateway")
#define STREAM(t)	 ID(t, id, REQ, "source or sink within the room, chosen by the gateway")

static const char *const kinds[] = { [MCU_AUDIO] = "audio", [MCU_VIDEO] = "video", NULL };
static const char *const contents[] = { [MCU_CONTENT_MAIN] = "main", [MCU_CONTENT_SLIDES] = "slides", NULL };

const struct ort_json_table mcu_table_empty = { "empty", sizeof(struct mcu_empty), NULL, 0 };

/* ---- media description ---- */
TABLE(codec_use,
      STR(codec_use, name, REQ, 32, "codec of codecs.def"),
      INT(codec_use, pt, REQ, 0, 127, NULL, "RTP payload type in this direction"),
      INT(codec_use, clock_hz, 0, 0, 192000, "Hz", "RTP clock, 0 = the codec's own"),
      INT(codec_use, channels, 0, 0, 8, NULL, "sound channels, 0 = the codec's own"),
      STR(codec_use, fmtp, OMIT, 1024, "format parameters as SDP writes them"),
      INT(codec_use, rtx_pt, OMIT, 0, 127, NULL, "payload type of retransmissions (RFC 4588), 0 = none"),
      BOOL(codec_use, nack, OMIT, "generic NACK (RFC 4585) is agreed"),
      BOOL(codec_use, pli, OMIT, "picture loss indication (RFC 4585) is agreed"),
      BOOL(codec_use, fir, OMIT, "full intra request (RFC 5104) is agreed"),
      BOOL(codec_use, remb, OMIT, "receiver estimated maximum bitrate is agreed"),
      BOOL(codec_use, twcc, OMIT, "transport-wide congestion control feedback is agreed"));
TABLE(ext_use,
      STR(ext_use, uri, REQ, 256, "URI of the RTP header extension (RFC 8285)"),
      INT(ext_use, id, REQ, 1, 255, NULL, "local identifier on this transport"));
TABLE(encoding,
      STR(encoding, rid, OMIT, 32, "restriction identifier (RFC 8851); absent = the only encoding"),
      INT(encoding, ssrc, OMIT, 0, U32, NULL, "SSRC, 0 = not known yet"),
      INT(encoding, rtx_ssrc, OMIT, 0, U32, NULL, "SSRC of its retransmissions, 0 = none or not known"));

/* ---- engine ---- */
TABLE(hello_request,
      INT(hello_request, proto, REQ, 1, 1000, NULL, "highest protocol version that the caller speaks"),
      STR(hello_request, client, 0, 128, "name and build of the caller, for the log"),
      INT(hello_request, grace_ms, 0, 0, 3600000, "ms",
	  "rooms outlive a lost gateway this long; 0 = the engine's configuration"));
TABLE(worker_info,
      INT(worker_info, index, REQ, 0, 1024, NULL, "number of the media thread"),
      INT(worker_info, port, 0, 0, 65535, NULL, "its UDP and TCP port"),
      COUNT(worker_info, rooms, NULL, "rooms that live on it"),
      COUNT(worker_info, transports, NULL, "transports that live on it"));
TABLE(hello_reply,
      INT(hello_reply, proto, REQ, 1, 1000, NULL, "version that is spoken on this connection"),
      STR(hello_reply, build, 0, 64, "build of the engine"),
      STR(hello_reply, engine, 0, 64, "configured name of the engine"),
      STR(hello_reply, boot, REQ, 64, "random id of this engine process: another id means that all rooms are gone"),
      STR(hello_reply, fingerprint, OMIT, 128, "SHA-256 of the DTLS certificate when all workers share one"),
      LIST(hello_reply, workers, worker_info, 0, 1024, "media threads"),
      LIST(hello_reply, codecs, codec_use, 0, 64, "codecs that can be forwarded"),
      INT(hello_reply, max_transports, 0, 0, 0, NULL, "most transports of one room"),
      INT(hello_reply, max_rooms, 0, 0, 0, NULL, "most rooms of the engine"));
TABLE(drain_request, BOOL(drain_request, on, REQ, "true: refuse new rooms; false: take them again"));

/* ---- rooms and transports ---- */
TABLE(room_ref, ROOM(room_ref, OMIT));
TABLE(room_open,
      ROOM(room_open, REQ),
      INT(room_open, max_transports, 0, 0, 100000, NULL, "most transports, 0 = the engine's configuration"));
TABLE(room_open_reply, INT(room_open_reply, worker, 0, 0, 1024, NULL, "media thread that the room lives on"));
TABLE(transport_ref, ROOM(transport_ref, REQ), TRANSPORT(transport_ref));
TABLE(transport_open,
      ROOM(transport_open, REQ), TRANSPORT(transport_open),
      STR(transport_open, kind, OMIT, 16, "\"lite\" (ICE-lite, the default), \"agent\" (full ICE) or \"plain\" (no ICE)"),
      STR(transport_open, zone, OMIT, 64, "network zone whose addresses are announced; absent = the only one"),
      INT(transport_open, max_bps, OMIT, 0, 1e10, "bps", "most that is sent to the peer, 0 = configuration"),
      STR(transport_open, turn, OMIT | ORT_J_SECRET, 512, "TURN URI of a full agent"),
      STR(transport_open, security, OMIT, 8, "plain: \"none\" (RTP/AVP), \"sdes\" (RFC 4568) or \"dtls\" (RFC 5763); absent = none"),
      STR(transport_open, family, OMIT, 8, "plain: \"ip4\" or \"ip6\"; absent = ip4"),
      BOOL(transport_open, rtcp_mux, OMIT, "plain: RTCP on the port of RTP (RFC 5761), else on one of its own"));
TABLE(candidate_use,
      STR(candidate_use, foundation, REQ, 32, "RFC 8839 5.1"),
      STR(candidate_use, protocol, REQ, 8, "\"udp\" or \"tcp\""),
      STR(candidate_use, ip, REQ, 64, "literal address"),
      STR(candidate_use, type, REQ, 8, "\"host\", \"srflx\" or \"relay\""),
      STR(candidate_use, tcptype, OMIT, 8, "\"passive\" of ICE-TCP (RFC 6544)"),
      INT(candidate_use, priority, REQ, 0, U32, NULL, "RFC 8445 5.1.2"),
      INT(candidate_use, port, REQ, 0, 65535, NULL, "port"));
TABLE(transport_reply,
      STR(transport_reply, ice_ufrag, OMIT, 256, "our user fragment"),
      STR(transport_reply, ice_pwd, OMIT | ORT_J_SECRET, 256, "our ICE password"),
      STR(transport_reply, fingerprint, OMIT, 128, "SHA-256 of our DTLS certificate, \"AA:BB:..\""),
      BOOL(transport_reply, ice_lite, 0, "we are an ICE-lite agent: the peer controls"),
      LIST(transport_reply, candidates, candidate_use, 0, 64, "our candidates, all of component 1; plain: one, RTP's address"),
      INT(transport_reply, rtcp_port, OMIT, 0, 65535, NULL, "plain: our RTCP port, 0 = muxed"));
TABLE(transport_connect,
      ROOM(transport_connect, REQ), TRANSPORT(transport_connect),
      STR(transport_connect, ice_ufrag, OMIT, 256, "the peer's user fragment"),
      STR(transport_connect, ice_pwd, OMIT | ORT_J_SECRET, 256, "the peer's ICE password"),
      STR(transport_connect, fingerprint, OMIT, 128, "SHA-256 of the peer's certificate as signalled"),
      BOOL(transport_connect, dtls_client, 0, "true: we open the DTLS handshake (the peer is passive)"),
      LIST(transport_connect, extensions, ext_use, 0, 32, "header extensions of the BUNDLE"),
      STR(transport_connect, ip, OMIT, 64, "plain: literal address that we send to and hear from"),
      INT(transport_connect, port, OMIT, 0, 65535, NULL, "plain: its RTP port, 0 = send nothing"),
      INT(transport_connect, rtcp_port, OMIT, 0, 65535, NULL, "plain: its RTCP port, 0 = that of RTP plus one, or muxed; equal to port = muxed"),
      STR(transport_connect, srtp_suite, OMIT, 64, "plain, sdes: crypto-suite of RFC 4568 or RFC 7714"),
      STR(transport_connect, srtp_send, OMIT | ORT_J_SECRET, 128, "plain, sdes: base64 of our master key and salt"),
      STR(transport_connect, srtp_recv, OMIT | ORT_J_SECRET, 128, "plain, sdes: base64 of the peer's master key and salt"),
      BOOL(transport_connect, silent, OMIT, "plain: the peer need not send (hold, recvonly): silence is no failure"));
TABLE(transport_candidate,
      ROOM(transport_candidate, REQ), TRANSPORT(transport_candidate),
      STR(transport_candidate, candidate, REQ, 512, "candidate line (RFC 8839 5.1)"));

/* ---- streams ---- */
TABLE(stream_ref, ROOM(stream_ref, REQ), STREAM(stream_ref));
TABLE(source_add,
      ROOM(source_add, REQ), TRANSPORT(source_add), STREAM(source_add),
      ORT_JF_ENUM(struct mcu_source_add, kind, kinds, REQ, "sound or picture"),
      ORT_JF_ENUM(struct mcu_source_add, content, contents, 0, "what the picture is (RFC 4796)"),
      STR(source_add, mid, OMIT, 64, "media section (RFC 9143); finds streams whose SSRC was not signalled"),
      LIST(source_add, codecs, codec_use, REQ, 32, "codecs that the peer may send"),
      LIST(source_add, encodings, encoding, 0, 8, "simulcast encodings, lowest first; empty = one"));
TABLE(source_pause,
      ROOM(source_pause, REQ), STREAM(source_pause),
      BOOL(source_pause, on, REQ, "true: nothing of the stream is forwarded"));
TABLE(sink_add,
      ROOM(sink_add, REQ), TRANSPORT(sink_add), STREAM(sink_add),
      ID(sink_add, source, OMIT, "source that feeds it; absent = silent for now"),
      ORT_JF_ENUM(struct mcu_sink_add, kind, kinds, REQ, "sound or picture"),
      STR(sink_add, mid, OMIT, 64, "media section that the peer receives it in"),
      INT(sink_add, ssrc, REQ, 1, U32, NULL, "SSRC towards the peer"),
      INT(sink_add, rtx_ssrc, OMIT, 0, U32, NULL, "SSRC of retransmissions towards the peer, 0 = none"),
      LIST(sink_add, codecs, codec_use, REQ, 32, "codecs that the peer receives, with its payload types"));
TABLE(sink_route,
      ROOM(sink_route, REQ), STREAM(sink_route),
      ID(sink_route, source, OMIT, "new source; absent = silence"));
TABLE(sink_prefer,
      ROOM(sink_prefer, REQ), STREAM(sink_prefer),
      INT(sink_prefer, width, 0, 0, 16384, "pixels", "shown width, 0 = any"),
      INT(sink_prefer, height, 0, 0, 16384, "pixels", "shown height, 0 = any"),
      INT(sink_prefer, max_bps, 0, 0, 1e10, "bps", "most that this sink may take, 0 = any"),
      BOOL(sink_prefer, paused, 0, "true: send nothing"));

/* ---- events ---- */
TABLE(transport_state,
      ROOM(transport_state, REQ), TRANSPORT(transport_state),
      STR(transport_state, state, REQ, 32, "new, ice, dtls, up, disconnected, failed or closed"),
      STR(transport_state, why, OMIT, 64, "literal code of the cause"),
      STR(transport_state, remote, OMIT, 96, "address of the validated pair"), AT(transport_state));
TABLE(stream_event,
      ROOM(stream_event, REQ), ID(stream_event, transport, OMIT, "transport that carries the stream"),
      STREAM(stream_event), AT(stream_event));
TABLE(sink_event,
      ROOM(sink_event, REQ), STREAM(sink_event), ID(sink_event, source, OMIT, "source that feeds the sink"),
      AT(sink_event));
TABLE(sink_layer_event,
      ROOM(sink_layer_event, REQ), STREAM(sink_layer_event),
      ID(sink_layer_event, source, OMIT, "source that feeds the sink"),
      STR(sink_layer_event, rid, OMIT, 32, "encoding that is forwarded now; absent = none"), AT(sink_layer_event));
TABLE(level_event,
      ROOM(level_event, REQ), STREAM(level_event), BOOL(level_event, speaking, 0, "above speech level"),
      INT(level_event, level_dbov, 0, -127, 0, "dBov", "smoothed level (RFC 6464)"), AT(level_event),
      ID(level_event, mix, OMIT, "mix that hears it; id is a member then"));
TABLE(speaker_event,
      ROOM(speaker_event, REQ), ID(speaker_event, id, OMIT, "source that speaks; absent = nobody"),
      AT(speaker_event), ID(speaker_event, mix, OMIT, "mix that hears it; id is a member then"));
TABLE(stream_stats,
      STREAM(stream_stats),
      STR(stream_stats, direction, REQ, 8, "\"in\" (source) or \"out\" (sink)"),
      STR(stream_stats, kind, REQ, 8, "\"audio\" or \"video\""),
      COUNT(stream_stats, packets, NULL, "packets since the stream began"),
      COUNT(stream_stats, bytes, "bytes", "bytes with headers since the stream began"),
      COUNT(stream_stats, lost, NULL, "packets that never came, as its receiver counts"),
      COUNT(stream_stats, bitrate_bps, "bps", "rate of the last period"),
      REAL(stream_stats, loss, NULL, "share lost in the last period, 0..1"),
      REAL(stream_stats, jitter_ms, "ms", "interarrival jitter (RFC 3550 6.4.1)"),
      COUNT(stream_stats, rtt_ms, "ms", "round trip, 0 = not measured"),
      COUNT(stream_stats, nack, NULL, "packets asked for again"),
      COUNT(stream_stats, pli, NULL, "key frame requests"),
      COUNT(stream_stats, rtx, NULL, "packets retransmitted"),
      COUNT(stream_stats, keyframes, NULL, "key frames seen or forwarded"),
      COUNT(stream_stats, estimate_bps, "bps", "downlink estimate of the transport, sinks only"));
TABLE(room_stats_event,
      ROOM(room_stats_event, REQ),
      LIST(room_stats_event, streams, stream_stats, 0, 65536, "every source and sink of the room"),
      AT(room_stats_event));

/* ---- what is ---- */
TABLE(stats_reply,
      ORT_JF(struct mcu_stats_reply, counters, ORT_J_RAW, 0, 0, 1 << 20, NULL, "object: counter name to number"),
      LIST(stats_reply, rooms, room_stats_event, 0, 65536, "rooms asked for"));
TABLE(dump_stream,
      STREAM(dump_stream),
      ID(dump_stream, route, OMIT, "of a sink: the source that feeds it"),
      STR(dump_stream, kind, 0, 8, "\"audio\" or \"video\""),
      STR(dump_stream, mid, OMIT, 64, "media section"),
      INT(dump_stream, ssrc, 0, 0, U32, NULL, "SSRC, 0 = not known yet"),
      BOOL(dump_stream, up, 0, "packets have passed"));
TABLE(dump_transport,
      ID(dump_transport, id, REQ, "transport"),
      STR(dump_transport, state, 0, 32, "as in transport.state"),
      STR(dump_transport, why, OMIT, 64, "as in transport.state"),
      LIST(dump_transport, sources, dump_stream, 0, 1024, "streams that the peer sends"),
      LIST(dump_transport, sinks, dump_stream, 0, 1024, "streams that the peer receives"),
      STR(dump_transport, kind, OMIT, 8, "\"plain\", or \"mix\": the id is that of the mix; absent = lite or agent"));

/* ---- mixing ---- */
#define BYTES 1000000	/* base64 within a line of 1 MiB */
static const char *const cell_modes[] = { [MCU_CELL_EMPTY] = "empty", [MCU_CELL_FIXED] = "fixed", [MCU_CELL_VOICE] = "voice",
					  [MCU_CELL_POLL] = "poll", [MCU_CELL_CONTENT] = "content", NULL };
#define MIX(t) ID(t, mix, REQ, "mix within the room, chosen by the gateway")

TABLE(mix_open, ROOM(mix_open, REQ), MIX(mix_open),
      INT(mix_open, fps, OMIT, 0, 60, "Hz", "frames of the canvas a second, 0 = 30"));
TABLE(mix_ref, ROOM(mix_ref, REQ), MIX(mix_ref), ID(mix_ref, id, OMIT, "input, view or output of the mix"));
TABLE(mix_input,
      ROOM(mix_input, REQ), MIX(mix_input), ID(mix_input, id, REQ, "input within the mix"),
      ID(mix_input, source, OMIT, "stream of the room that feeds it"),
      ORT_JF_ENUM(struct mcu_mix_input, kind, kinds, REQ, "sound or picture"),
      ORT_JF_ENUM(struct mcu_mix_input, content, contents, 0, "what the picture is (RFC 4796)"),
      ID(mix_input, member, REQ, "party that the stream belongs to"),
      STR(mix_input, name, OMIT, 200, "name shown with the picture, UTF-8"),
      ORT_JF(struct mcu_mix_input, gain_db, ORT_J_DOUBLE, 0, -60, 20, "dB", "gain of the sound"),
      BOOL(mix_input, mute, 0, "true: the sound is not mixed"),
      INT(mix_input, speak_ms, OMIT, 0, 10000, "ms", "speech before it becomes the speaker"),
      INT(mix_input, hold_ms, OMIT, 0, 60000, "ms", "kept as speaker against somebody louder, 0 = 1,500"),
      ORT_JF(struct mcu_mix_input, level_dbov, ORT_J_DOUBLE, OMIT, -90, 0, "dBov", "speech is louder, 0 = -45"),
      BOOL(mix_input, watch, OMIT, "true: the picture is decoded and judged though no view shows it"));
TABLE(mix_member, ID(mix_member, member, REQ, "party"));
TABLE(mix_cell,
      INT(mix_cell, cell, REQ, 0, 63, NULL, "cell of the layout"),
      ORT_JF_ENUM(struct mcu_mix_cell, mode, cell_modes, REQ, "what fills it"),
      ID(mix_cell, member, OMIT, "fixed: whose picture"),
      LIST(mix_cell, members, mix_member, 0, 256, "poll: whose pictures in turn"),
      INT(mix_cell, interval_ms, OMIT, 0, 3600000, "ms", "poll: time of each, 0 = 10,000"));
TABLE(mix_view,
      ROOM(mix_view, REQ), MIX(mix_view), ID(mix_view, id, REQ, "view within the mix"),
      STR(mix_view, layout, REQ, 16, "row of the layout table"),
      LIST(mix_view, cells, mix_cell, 0, 64, "what each cell shows; absent cells are empty"),
      BOOL(mix_view, titles, 0, "names under the pictures"), BOOL(mix_view, clock, 0, "time of day in the corner"),
      STR(mix_view, banner, OMIT, 400, "line of text over the picture, UTF-8"),
      STR(mix_view, alarm, OMIT, 200, "alarm text; the frame turns red"),
      STR(mix_view, crawl, OMIT, 400, "text that runs along the lower edge, UTF-8"),
      BOOL(mix_view, test, 0, "true: only check, change nothing"));
TABLE(mix_output,
      ROOM(mix_output, REQ), MIX(mix_output), ID(mix_output, id, REQ, "source that the room gets"),
      ORT_JF_ENUM(struct mcu_mix_output, kind, kinds, REQ, "sound or picture"),
      ID(mix_output, view, OMIT, "picture: the view that it shows"),
      ID(mix_output, member, OMIT, "the listener: his own sound is left out"),
      STR(mix_output, codec, REQ, 32, "codec of codecs.def"),
      STR(mix_output, fmtp, OMIT, 1024, "format parameters that the receiver stated"),
      INT(mix_output, width, OMIT, 0, 4096, "pixels", "picture"), INT(mix_output, height, OMIT, 0, 4096, "pixels", "picture"),
      INT(mix_output, fps, OMIT, 0, 60, "Hz", "picture, 0 = the mix's"),
      INT(mix_output, bps, OMIT, 0, 50000000, "bps", "rate, 0 = by size"),
      ORT_JF(struct mcu_mix_output, gain_db, ORT_J_DOUBLE, 0, -60, 20, "dB", "volume of the sound"),
      BOOL(mix_output, mute, 0, "true: silence (speaker_mute)"));
TABLE(mix_play,
      ROOM(mix_play, REQ), MIX(mix_play), ID(mix_play, member, OMIT, "who hears it; absent = all"),
      STR(mix_play, sound, REQ, 32, "row of the sound table; with text: played where there is no voice"),
      STR(mix_play, text, OMIT, 400, "words to be spoken, UTF-8"),
      STR(mix_play, lang, OMIT, 16, "voice, \"cmn\" or \"en\"; absent = by the letters of the text"),
      STR(mix_play, pcm, OMIT, BYTES, "base64 of 16-bit little-endian mono samples, played instead"),
      INT(mix_play, pcm_hz, OMIT, 0, 48000, "Hz", "samples a second of pcm, 8,000 to 48,000"));
TABLE(mix_still,
      ROOM(mix_still, REQ), MIX(mix_still), ID(mix_still, id, REQ, "picture input"),
      INT(mix_still, max_width, OMIT, 0, 1920, "pixels", "0 = 1280"));
TABLE(mix_still_reply,
      ID(mix_still_reply, id, REQ, "input"), STR(mix_still_reply, state, 0, 16, "of the input, as in mix.input_state"),
      STR(mix_still_reply, jpeg, REQ, BYTES, "base64 of a JPEG file"),
      COUNT(mix_still_reply, width, "pixels", "of the JPEG"), COUNT(mix_still_reply, height, "pixels", "of the JPEG"),
      COUNT(mix_still_reply, age_ms, "ms", "since the picture was decoded"),
      COUNT(mix_still_reply, at_ms, "ms", "wall clock of the engine when it was decoded"));
TABLE(mix_clip,
      ROOM(mix_clip, REQ), MIX(mix_clip), ID(mix_clip, id, REQ, "sound input"),
      INT(mix_clip, ms, OMIT, 0, 8000, "ms", "length, 0 = 5,000"));
TABLE(mix_clip_reply,
      ID(mix_clip_reply, id, REQ, "input"), STR(mix_clip_reply, wav, REQ, BYTES, "base64 of a WAV file, mono, 16 bits, 16 kHz"),
      COUNT(mix_clip_reply, ms, "ms", "length"), COUNT(mix_clip_reply, at_ms, "ms", "wall clock of the engine at its first sample"),
      REAL(mix_clip_reply, level_dbov, "dBov", "root mean square of the whole clip"),
      REAL(mix_clip_reply, clipped, NULL, "share of samples at full scale"));
TABLE(mix_state_event,
      ROOM(mix_state_event, REQ), MIX(mix_state_event), STR(mix_state_event, state, REQ, 16, "up, restarting or failed"),
      STR(mix_state_event, why, OMIT, 64, "literal code of the cause"), AT(mix_state_event));
TABLE(mix_view_event,
      ROOM(mix_view_event, REQ), MIX(mix_view_event), ID(mix_view_event, id, REQ, "view"),
      STR(mix_view_event, layout, REQ, 16, "row of the layout table"),
      COUNT(mix_view_event, waited_ms, "ms", "time from the command to the frame"), AT(mix_view_event));
TABLE(mix_input_event,
      ROOM(mix_input_event, REQ), MIX(mix_input_event), ID(mix_input_event, id, REQ, "input"),
      STR(mix_input_event, state, REQ, 16,
	  "waiting, shown, late, frozen, looped, black, broken, unseen, unsupported; of a sound heard, silent, clipped"),
      STR(mix_input_event, why, OMIT, 64, "literal code of the cause"),
      COUNT(mix_input_event, width, "pixels", "decoded width"), COUNT(mix_input_event, height, "pixels", "decoded height"),
      AT(mix_input_event), COUNT(mix_input_event, same_ms, "ms", "since the picture last changed, or the sound was last above silence"),
      COUNT(mix_input_event, period_ms, "ms", "looped: length of the clip"),
      REAL(mix_input_event, luma, NULL, "mean of the picture, 16 (black) to 235"),
      REAL(mix_input_event, level_dbov, "dBov", "level of the sound, smoothed"),
      REAL(mix_input_event, clipped, NULL, "share of samples at full scale, last 5 s"));
TABLE(mix_input_stats,
      ID(mix_input_stats, id, REQ, "input"), STR(mix_input_stats, codec, OMIT, 32, "codec that is decoded"),
      COUNT(mix_input_stats, width, "pixels", "decoded width, 0 = not decoded"),
      COUNT(mix_input_stats, height, "pixels", "decoded height"), COUNT(mix_input_stats, lost, NULL, "packets that never came"),
      REAL(mix_input_stats, fps, "Hz", "decoded frames a second"),
      REAL(mix_input_stats, level_dbov, "dBov", "level of the sound, smoothed"),
      STR(mix_input_stats, state, OMIT, 16, "as in mix.input_state"),
      COUNT(mix_input_stats, same_ms, "ms", "since the picture last changed, or the sound was last above silence"),
      COUNT(mix_input_stats, period_ms, "ms", "looped: length of the clip"),
      REAL(mix_input_stats, luma, NULL, "mean of the picture, 16 (black) to 235"),
      REAL(mix_input_stats, clipped, NULL, "share of samples at full scale, last 5 s"));
TABLE(mix_output_stats,
      ID(mix_output_stats, id, REQ, "output"), STR(mix_output_stats, codec, OMIT, 32, "codec"),
      COUNT(mix_output_stats, width, "pixels", "encoded width"), COUNT(mix_output_stats, height, "pixels", "encoded height"),
      COUNT(mix_output_stats, bitrate_bps, "bps", "rate of the last period"),
      COUNT(mix_output_stats, keyframes, NULL, "key frames since the beginning"),
      COUNT(mix_output_stats, late, NULL, "frames that missed their time"),
      REAL(mix_output_stats, fps, "Hz", "frames sent a second"), REAL(mix_output_stats, encode_ms, "ms", "mean time of one encode"));
TABLE(mix_stats_event,
      ROOM(mix_stats_event, REQ), MIX(mix_stats_event),
      LIST(mix_stats_event, inputs, mix_input_stats, 0, 4096, "inputs"),
      LIST(mix_stats_event, outputs, mix_output_stats, 0, 4096, "outputs"),
      REAL(mix_stats_event, load, NULL, "CPU seconds a second that this mix took"), AT(mix_stats_event));

/* ---- what is, with its mixes ---- */
TABLE(dump_mix,
      MIX(dump_mix), STR(dump_mix, state, 0, 16, "up, restarting or failed"),
      INT(dump_mix, fps, OMIT, 0, 60, "Hz", "as in mix.open"),
      LIST(dump_mix, inputs, mix_input, 0, 4096, "commands that made its inputs"),
      LIST(dump_mix, views, mix_view, 0, 1024, "commands that made its views"),
      LIST(dump_mix, outputs, mix_output, 0, 4096, "commands that made its outputs"),
      LIST(dump_mix, states, mix_input_event, OMIT, 4096, "the last mix.input_state of each input"));
TABLE(dump_room,
      ROOM(dump_room, REQ),
      INT(dump_room, worker, 0, 0, 1024, NULL, "media thread that the room lives on"),
      LIST(dump_room, transports, dump_transport, 0, 65536, "transports of the room"),
      LIST(dump_room, mixes, dump_mix, OMIT, 1024, "mixes of the room"));
TABLE(dump_reply,
      STR(dump_reply, boot, 0, 64, "as in hello"),
      LIST(dump_reply, rooms, dump_room, 0, 65536, "all rooms"));

TABLE(dtmf_send,
      ROOM(dtmf_send, REQ), ID(dtmf_send, id, REQ, "sink of a plain transport"),
      STR(dtmf_send, digits, REQ, 32, "0-9 A-D * #"),
      INT(dtmf_send, duration_ms, OMIT, 0, 5000, "ms", "of each digit, 0 = 100"));
TABLE(dtmf_event,
      ROOM(dtmf_event, REQ), ID(dtmf_event, id, REQ, "source"), STR(dtmf_event, digit, REQ, 1, "0-9 A-D * #"),
      COUNT(dtmf_event, duration_ms, "ms", "how long it was pressed"), AT(dtmf_event));
