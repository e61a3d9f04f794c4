/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* MSG_ flags, scatter and gather, several messages at once. */
#include "guest.h"

int main(void)
{
	char a[4] = { 0 }, b[20] = { 0 }, c[20] = { 0 };
	int sv[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	struct iovec iov[2] = { { "head", 4 }, { "body", 4 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	SHOW(sendmsg(sv[0], &m, 0));
	struct iovec in[2] = { { a, 2 }, { b, 20 } };
	struct msghdr r = { .msg_iov = in, .msg_iovlen = 2 };
	SHOW(recvmsg(sv[1], &r, 0));
	printf("%.2s %s flags %x\n", a, b, r.msg_flags);
	pid_t pid = fork();
	if (!pid) { send(sv[0], "abc", 3, 0); nap(30); send(sv[0], "def", 3, 0); _exit(0); }
	SHOW(recv(sv[1], c, 6, MSG_WAITALL));
	printf("%.6s\n", c);
	reap(pid);
	send(sv[0], "peek", 4, 0);
	SHOW(recv(sv[1], c, 2, MSG_PEEK));
	SHOW(recv(sv[1], c, 20, MSG_PEEK | MSG_DONTWAIT));
	SHOW(recv(sv[1], c, 20, 0));
	SHOW(recv(0, c, 1, 0));
	SHOW(recv(99, c, 1, 0));
	SHOW(sendmsg(sv[0], (void *)-8, 0));
	int dg[2];
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, dg));
	struct iovec one = { "first", 5 }, two = { "second!", 7 };
	struct mmsghdr out[2] = { { { .msg_iov = &one, .msg_iovlen = 1 } }, { { .msg_iov = &two, .msg_iovlen = 1 } } };
	SHOW(sendmmsg(dg[0], out, 2, 0));
	printf("lengths %u %u\n", out[0].msg_len, out[1].msg_len);
	struct iovec into[2] = { { b, 20 }, { c, 20 } };
	struct mmsghdr got[2] = { { { .msg_iov = &into[0], .msg_iovlen = 1 } }, { { .msg_iov = &into[1], .msg_iovlen = 1 } } };
	SHOW(recvmmsg(dg[1], got, 2, 0, 0));
	printf("%.5s %.7s\n", b, c);
	SHOW(send(dg[0], "truncate me", 11, 0));
	SHOW(recv(dg[1], c, 4, MSG_TRUNC));
	SHOW(send(dg[0], "", 0, 0));
	SHOW(recv(dg[1], c, 4, 0));
	return 0;
}
