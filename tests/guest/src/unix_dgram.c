/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Datagrams: boundaries, addresses, truncation. */
#include <sys/un.h>
#include "guest.h"

int main(void)
{
	char buffer[100];
	struct sockaddr_un a = { AF_UNIX, "one" }, b = { AF_UNIX, "two" }, from;
	socklen_t len;
	int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	SHOW(bind(one, (void *)&a, sizeof a));
	SHOW(bind(two, (void *)&b, sizeof b));
	SHOW(sendto(one, "hello", 5, 0, (void *)&b, sizeof b));
	SHOW(sendto(one, "", 0, 0, (void *)&b, sizeof b));
	SHOW(sendto(one, "third message", 13, 0, (void *)&b, sizeof b));
	len = sizeof from;
	SHOW(recvfrom(two, buffer, 100, 0, (void *)&from, &len));
	printf("from %s\n", from.sun_path);
	SHOW(recv(two, buffer, 100, 0));
	SHOW(recv(two, buffer, 5, 0));
	SHOW(recv(two, buffer, 5, 0));
	SHOW(send(one, "x", 1, 0));
	SHOW(connect(one, (void *)&b, sizeof b));
	SHOW(send(one, "connected", 9, 0));
	struct iovec iov = { buffer, 4 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	SHOW(recvmsg(two, &m, 0));
	IS(m.msg_flags & MSG_TRUNC);
	close(two);
	SHOW(send(one, "x", 1, 0));
	struct sockaddr_un gone = { AF_UNIX, "nowhere" };
	SHOW(sendto(one, "x", 1, 0, (void *)&gone, sizeof gone));
	int sv[2];
	SHOW(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	SHOW(write(sv[0], "abc", 3));
	SHOW(write(sv[0], "de", 2));
	SHOW(read(sv[1], buffer, 100));
	SHOW(read(sv[1], buffer, 100));
	return 0;
}
