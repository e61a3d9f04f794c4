/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* getaddrinfo for numbers and localhost, inet_pton and relatives. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include "guest.h"

static void look(const char *host, const char *port, int flags)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = flags }, *found;
	char name[64];
	int r = getaddrinfo(host, port, &hints, &found);
	if (r) { printf("%s:%s -> %s\n", host ? host : "-", port, r == EAI_NONAME ? "EAI_NONAME" : "error"); return; }
	struct sockaddr_in *a = (void *)found->ai_addr;
	printf("%s:%s -> %s:%d\n", host ? host : "-", port, inet_ntop(AF_INET, &a->sin_addr, name, sizeof name), ntohs(a->sin_port));
	freeaddrinfo(found);
}

int main(void)
{
	look("127.0.0.1", "80", 0);
	look("localhost", "8080", 0);
	look(0, "99", AI_PASSIVE);
	look(0, "99", 0);
	look("not-a-number", "1", AI_NUMERICHOST);
	struct in6_addr six;
	char text[64];
	SHOW(inet_pton(AF_INET6, "::1", &six));
	puts(inet_ntop(AF_INET6, &six, text, sizeof text));
	SHOW(inet_pton(AF_INET, "300.1.1.1", &six));
	printf("%x\n", ntohl(inet_addr("10.1.2.3")));
	return 0;
}
