/* No STUN on SIP sockets (security.md class 10). sofia answers STUN by itself when nobody else does; so we plug in a "server"
 * that does nothing but put a filter on each UDP socket: what does not start like SIP text never leaves the kernel. */
#include <linux/filter.h>
#include <sys/socket.h>

#include "gateway/sip/sip_priv.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_plugins.h>

static int dummy;

static tport_stun_server_t *on_create(su_root_t *root, tagi_t const *tags)
{
	return (tport_stun_server_t *)(void *)&dummy;
}

static void on_destroy(tport_stun_server_t *server)
{
}

/* Byte 8 is the first after the UDP header: printable, or CR, LF (RFC 3261 7.5 lets them stand before a message). */
static int on_add(tport_stun_server_t *server, su_socket_t fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, '\r', 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, '\n', 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x80, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x20, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	const struct sock_fprog program = { G_N_ELEMENTS(code), code };
	int type = 0;
	socklen_t len = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM) {
		(void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));	/* on_request is silent anyway */
	}
	return 0;
}

static int on_remove(tport_stun_server_t *server, su_socket_t fd)
{
	return 0;
}

static void on_request(tport_stun_server_t *server, su_socket_t fd, void *msg, ssize_t len, void *addr, socklen_t addrlen)
{
}

void sip_no_stun(void)
{
	static const tport_stun_server_vtable_t silent = {
		2 * (int)sizeof(tport_stun_server_vtable_t),	/* sofia wants more than its own size */
		on_create, on_destroy, on_add, on_remove, on_request,
	};
	(void)tport_plug_in_stun_server(&silent);	/* EEXIST: it is there since the first time */
}
