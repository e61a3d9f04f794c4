/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* TCP on the loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "guest.h"

int main(void)
{
	char buffer[70000];
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, b;
	socklen_t len = sizeof a;
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1, value;
	SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	SHOW(bind(s, (void *)&a, sizeof a));
	SHOW(listen(s, 5));
	SHOW(getsockname(s, (void *)&a, &len));
	IS(a.sin_port != 0);
	int second = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(bind(second, (void *)&a, sizeof a));
	pid_t pid = fork();
	if (!pid) {
		int c = socket(AF_INET, SOCK_STREAM, 0);
		int first = connect(c, (void *)&a, sizeof a), again = connect(c, (void *)&a, sizeof a), why = errno;
		memset(buffer, 'q', sizeof buffer);
		long sent = 0;
		for (int i = 0; i < 10; i++) sent += send(c, buffer, sizeof buffer, 0);
		shutdown(c, SHUT_WR);
		int got = recv(c, buffer, sizeof buffer, 0), end = recv(c, buffer, sizeof buffer, 0);
		/* only now, so that the lines of the two processes do not mix */
		printf("connect %d, again %d %s, sent %ld, got %d, end %d\n", first, again, ename(why), sent, got, end);
		_exit(0);
	}
	len = sizeof b;
	int t = accept4(s, (void *)&b, &len, SOCK_CLOEXEC);
	IS(t >= 0 && len == sizeof b && b.sin_family == AF_INET);
	IS(b.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	IS(fcntl(t, F_GETFD) == FD_CLOEXEC);
	long total = 0;
	ssize_t n;
	while ((n = recv(t, buffer, sizeof buffer, 0)) > 0) total += n;
	printf("total %ld\n", total);
	SHOW(send(t, "bye", 3, 0));
	close(t);
	reap(pid);
	len = sizeof value;
	SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &len));
	IS(value == SOCK_STREAM);
	SHOW(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	printf("accepting %d\n", value);
	SHOW(setsockopt(second, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
	SHOW(getsockopt(second, IPPROTO_TCP, TCP_NODELAY, &value, &len));
	IS(value != 0);
	SHOW(fcntl(s, F_SETFL, O_NONBLOCK));
	SHOW(accept(s, 0, 0));
	close(s);
	SHOW(connect(second, (void *)&a, sizeof a));
	int c = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(send(c, "x", 1, MSG_NOSIGNAL));
	SHOW(getpeername(c, (void *)&b, &len));
	SHOW(listen(0, 1));
	SHOW(setsockopt(c, 9999, 1, &on, sizeof on));
	struct sockaddr_in short_address = a;
	SHOW(bind(c, (void *)&short_address, 4));
	SHOW(connect(c, (void *)-8, sizeof a));
	return 0;
}
