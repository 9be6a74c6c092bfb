/* A BFCP endpoint on Debian's libre, for tests of gateway/bfcp:
 *   bfcp_peer client ADDRESS PORT CONFERENCE USER FLOOR    Hello, FloorQuery, FloorRequest, and FloorRelease when granted
 *   bfcp_peer server ADDRESS PORT CONFERENCE USER FLOOR    grants each request and takes its release
 *   bfcp_peer room ADDRESS PORT CONFERENCE USER FLOOR      as lines on stdin say: hello, ask, release; until stdin ends
 * Says its own port first ("port N"), then a line an event; ends when the floor was given back, or after 20 s. */
#include <re/re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REQUEST_ID = 77, PATIENCE_MS = 20000, AFTER_RELEASE_MS = 300 };

static struct {
	struct bfcp_conn *conn;
	struct sa peer;
	uint32_t conference;
	uint16_t user, floor, request;
	struct tmr patience;
	int code;
} p = { .code = 1 };

static void say(const char *what)
{
	(void)printf("%s\n", what);
	(void)fflush(stdout);
}

static void out_of_patience(void *arg)
{
	re_cancel();
}

static void ask(enum bfcp_prim prim, bfcp_resp_h *fn, int type, uint16_t *value)
{
	int err = bfcp_request(p.conn, &p.peer, BFCP_VER2, prim, p.conference, p.user, fn, NULL, value ? 1 : 0, type, 0, value);

	if (err) {
		say("cannot-send");
		re_cancel();
	}
}

/* ---- client ---- */
static int status_of(const struct bfcp_msg *msg)
{
	struct bfcp_attr *info = bfcp_msg_attr(msg, BFCP_FLOOR_REQ_INFO), *overall, *status;

	overall = info ? bfcp_attr_subattr(info, BFCP_OVERALL_REQ_STATUS) : NULL;
	status = overall ? bfcp_attr_subattr(overall, BFCP_REQUEST_STATUS) : NULL;
	p.request = info ? info->v.floorreqid : 0;
	return status ? (int)status->v.reqstatus.status : 0;
}

static void on_released(int err, const struct bfcp_msg *msg, void *arg)
{
	if (!err && msg->prim == BFCP_FLOOR_REQUEST_STATUS && status_of(msg) == BFCP_RELEASED) {
		say("released");
		p.code = 0;
	}
	tmr_start(&p.patience, AFTER_RELEASE_MS, out_of_patience, NULL);
}

static void took_status(int status)
{
	if (status == BFCP_PENDING) {
		say("pending");
	} else if (status == BFCP_GRANTED) {
		say("granted");
		ask(BFCP_FLOOR_RELEASE, on_released, BFCP_FLOOR_REQUEST_ID, &p.request);
	} else {
		say("refused");
	}
}

static void on_requested(int err, const struct bfcp_msg *msg, void *arg)
{
	took_status(!err && msg->prim == BFCP_FLOOR_REQUEST_STATUS ? status_of(msg) : 0);
}

static void on_queried(int err, const struct bfcp_msg *msg, void *arg)
{
	say(!err && msg->prim == BFCP_FLOOR_STATUS ? "floor" : "no-floor");
	ask(BFCP_FLOOR_REQUEST, on_requested, BFCP_FLOOR_ID, &p.floor);
}

static void on_greeted(int err, const struct bfcp_msg *msg, void *arg)
{
	bool good = !err && msg->prim == BFCP_HELLO_ACK && bfcp_msg_attr(msg, BFCP_SUPPORTED_PRIMS) &&
		    bfcp_msg_attr(msg, BFCP_SUPPORTED_ATTRS);

	say(good ? "hello" : "no-hello");
	ask(BFCP_FLOOR_QUERY, on_queried, BFCP_FLOOR_ID, &p.floor);
}

static void client_got(const struct bfcp_msg *msg, void *arg)
{
	if (msg->prim == BFCP_FLOOR_REQUEST_STATUS) {
		(void)bfcp_reply(p.conn, msg, BFCP_FLOOR_REQ_STATUS_ACK, 0);
		took_status(status_of(msg));
	} else if (msg->prim == BFCP_FLOOR_STATUS) {
		say(bfcp_msg_attr(msg, BFCP_FLOOR_REQ_INFO) ? "floor-held" : "floor-free");
		(void)bfcp_reply(p.conn, msg, BFCP_FLOOR_STATUS_ACK, 0);
	}
}

/* ---- room: a client by hand ---- */
static void room_status(const struct bfcp_msg *msg)
{
	static const char *const words[] = { "nothing", "pending", "accepted", "granted", "denied", "cancelled", "released", "revoked" };
	unsigned status = (unsigned)status_of(msg);

	say(words[status < sizeof(words) / sizeof(words[0]) ? status : 0]);
}

static void room_answer(int err, const struct bfcp_msg *msg, void *arg)
{
	if (err || msg->prim == BFCP_ERROR) {
		say("error");
	} else if (msg->prim == BFCP_FLOOR_REQUEST_STATUS) {
		room_status(msg);
	} else if (msg->prim == BFCP_HELLO_ACK) {
		say("hello");
		ask(BFCP_FLOOR_QUERY, room_answer, BFCP_FLOOR_ID, &p.floor);
	}
}

static void room_got(const struct bfcp_msg *msg, void *arg)
{
	if (msg->prim == BFCP_FLOOR_REQUEST_STATUS) {
		(void)bfcp_reply(p.conn, msg, BFCP_FLOOR_REQ_STATUS_ACK, 0);
		room_status(msg);
	} else if (msg->prim == BFCP_FLOOR_STATUS) {
		say(bfcp_msg_attr(msg, BFCP_FLOOR_REQ_INFO) ? "floor-held" : "floor-free");
		(void)bfcp_reply(p.conn, msg, BFCP_FLOOR_STATUS_ACK, 0);
	}
}

static void room_told(int flags, void *arg)
{
	char line[32];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (n <= 0) {
		re_cancel();
		return;
	}
	line[n] = '\0';
	if (strstr(line, "hello")) {
		ask(BFCP_HELLO, room_answer, 0, NULL);
	} else if (strstr(line, "ask")) {
		ask(BFCP_FLOOR_REQUEST, room_answer, BFCP_FLOOR_ID, &p.floor);
	} else if (strstr(line, "release")) {
		ask(BFCP_FLOOR_RELEASE, room_answer, BFCP_FLOOR_REQUEST_ID, &p.request);
	}
}

/* ---- server ---- */
static void answer_status(const struct bfcp_msg *msg, enum bfcp_reqstat status)
{
	struct bfcp_reqstatus value = { .status = status };
	uint16_t id = REQUEST_ID;

	(void)bfcp_reply(p.conn, msg, BFCP_FLOOR_REQUEST_STATUS, 1, BFCP_FLOOR_REQ_INFO, 1, &id, BFCP_OVERALL_REQ_STATUS, 1, &id,
			 BFCP_REQUEST_STATUS, 0, &value);
}

static void server_got(const struct bfcp_msg *msg, void *arg)
{
	const struct bfcp_attr *a;

	switch (msg->prim) {
	case BFCP_HELLO:
		say("hello");
		(void)bfcp_reply(p.conn, msg, BFCP_HELLO_ACK, 0);
		break;
	case BFCP_FLOOR_QUERY:
		say("query");
		(void)bfcp_reply(p.conn, msg, BFCP_FLOOR_STATUS, 1, BFCP_FLOOR_ID, 0, &p.floor);
		break;
	case BFCP_FLOOR_REQUEST:
		a = bfcp_msg_attr(msg, BFCP_FLOOR_ID);
		say(a && a->v.floorid == p.floor ? "request" : "bad-request");
		answer_status(msg, BFCP_GRANTED);
		break;
	case BFCP_FLOOR_RELEASE:
		a = bfcp_msg_attr(msg, BFCP_FLOOR_REQUEST_ID);
		say(a && a->v.floorreqid == REQUEST_ID ? "release" : "bad-release");
		answer_status(msg, BFCP_RELEASED);
		p.code = 0;
		tmr_start(&p.patience, AFTER_RELEASE_MS, out_of_patience, NULL);
		break;
	case BFCP_GOODBYE:
		say("goodbye");
		(void)bfcp_reply(p.conn, msg, BFCP_GOODBYE_ACK, 0);
		break;
	default:
		break;
	}
}

int main(int argc, char **argv)
{
	struct sa local;
	bool server, room;

	if (argc != 7 || libre_init() || sa_set_str(&p.peer, argv[2], (uint16_t)atoi(argv[3])) ||
	    sa_set_str(&local, argv[2], 0)) {
		return 2;
	}
	server = !strcmp(argv[1], "server");
	room = !strcmp(argv[1], "room");
	p.conference = (uint32_t)strtoul(argv[4], NULL, 10);
	p.user = (uint16_t)atoi(argv[5]);
	p.floor = (uint16_t)atoi(argv[6]);
	if (bfcp_listen(&p.conn, BFCP_UDP, &local, NULL, server ? server_got : room ? room_got : client_got, NULL)) {
		return 2;
	}
	(void)udp_local_get(bfcp_sock(p.conn), &local);
	(void)printf("port %u\n", sa_port(&local));
	(void)fflush(stdout);
	if (room) {
		(void)fd_listen(STDIN_FILENO, FD_READ, room_told, NULL);
	} else if (!server && getchar() != EOF) {	/* the other side knows our port now */
		ask(BFCP_HELLO, on_greeted, 0, NULL);
	}
	tmr_init(&p.patience);
	if (!room) {
		tmr_start(&p.patience, PATIENCE_MS, out_of_patience, NULL);
	}
	(void)re_main(NULL);
	tmr_cancel(&p.patience);
	mem_deref(p.conn);
	libre_close();
	return p.code;
}
