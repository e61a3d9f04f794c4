/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Options that programs set and read back. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "guest.h"

static void flag(int s, int level, int name, const char *text)
{
	int on = 1, value = -1;
	socklen_t len = sizeof value;
	int r = setsockopt(s, level, name, &on, sizeof on);
	int g = getsockopt(s, level, name, &value, &len);
	printf("%s set %d get %d on %d size %d\n", text, r, g, value != 0, (int)len);
}

int main(void)
{
	int t = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0), x = socket(AF_UNIX, SOCK_STREAM, 0);
#define F(s, level, name) flag(s, level, name, #name)
	F(t, SOL_SOCKET, SO_REUSEADDR);
	F(t, SOL_SOCKET, SO_REUSEPORT);
	F(t, SOL_SOCKET, SO_KEEPALIVE);
	F(t, SOL_SOCKET, SO_OOBINLINE);
	F(u, SOL_SOCKET, SO_BROADCAST);
	F(t, IPPROTO_TCP, TCP_NODELAY);
	F(x, SOL_SOCKET, SO_PASSCRED);
	int value;
	socklen_t len = sizeof value;
	int names[] = { SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN };
	int sockets[] = { t, u, x };
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 5; k++) {
			len = sizeof value;
			int r = getsockopt(sockets[i], SOL_SOCKET, names[k], &value, &len);
			printf("socket %d option %d: %d value %d\n", i, k, r, value);
		}
	int size = 8192;
	SHOW(setsockopt(t, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
	len = sizeof value;
	SHOW(getsockopt(t, SOL_SOCKET, SO_SNDBUF, &value, &len));
	IS(value >= 8192);
	struct linger l = { 1, 5 }, back = { 0 };
	SHOW(setsockopt(t, SOL_SOCKET, SO_LINGER, &l, sizeof l));
	len = sizeof back;
	SHOW(getsockopt(t, SOL_SOCKET, SO_LINGER, &back, &len));
	printf("linger %d %d\n", back.l_onoff, back.l_linger);
	struct timeval tv = { 2, 500000 }, got = { 0 };
	SHOW(setsockopt(t, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	len = sizeof got;
	SHOW(getsockopt(t, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	printf("%ld.%06ld\n", (long)got.tv_sec, (long)got.tv_usec);
	SHOW(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, &value, 1));
	SHOW(setsockopt(t, SOL_SOCKET, 9999, &value, sizeof value));
	SHOW(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &len));
	SHOW(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, (void *)-8, 4));
	return 0;
}
