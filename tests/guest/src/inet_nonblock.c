/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Non-blocking connect and accept, poll on sockets, shutdown. */
#include <netinet/in.h>
#include "guest.h"

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), e;
	MUST(bind(s, (void *)&a, sizeof a));
	MUST(getsockname(s, (void *)&a, &len));
	int refused = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(refused, (void *)&a, sizeof a));
	MUST(listen(s, 4));
	struct pollfd p = { s, POLLIN };
	SHOW(poll(&p, 1, 0));
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int r = connect(c, (void *)&a, sizeof a);
	IS(r == 0 || errno == EINPROGRESS);
	struct pollfd w = { c, POLLOUT };
	SHOW(poll(&w, 1, 1000));
	len = sizeof e;
	SHOW(getsockopt(c, SOL_SOCKET, SO_ERROR, &e, &len));
	printf("error %d\n", e);
	SHOW(poll(&p, 1, 1000));
	int t = accept(s, 0, 0);
	IS(t >= 0);
	IS(!(fcntl(t, F_GETFL) & O_NONBLOCK));
	char byte;
	SHOW(recv(c, &byte, 1, 0));
	static char big[1 << 16];
	long sent = 0, n;
	while ((n = send(c, big, sizeof big, 0)) > 0) sent += n;
	IS(sent > 60000 && errno == EAGAIN);
	w.events = POLLOUT;
	SHOW(poll(&w, 1, 0));
	long got = 0;
	while (got < sent) { n = recv(t, big, sizeof big, 0); if (n <= 0) break; got += n; }
	IS(got == sent);
	SHOW(poll(&w, 1, 1000));
	SHOW(shutdown(t, SHUT_WR));
	w.events = POLLIN | POLLRDHUP;
	SHOW(poll(&w, 1, 1000));
	IS(w.revents & POLLIN);
	IS(w.revents & POLLRDHUP);
	SHOW(recv(c, &byte, 1, 0));
	SHOW(send(c, "x", 1, 0));
	SHOW(recv(t, &byte, 1, 0));
	struct timeval tv = { 0, 30000 };
	SHOW(setsockopt(t, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	SHOW(recv(t, &byte, 1, 0));
	SHOW(shutdown(c, 77));
	return 0;
}
