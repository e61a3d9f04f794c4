/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Stream sockets in the file system, by abstract name and as pairs. */
#include <stddef.h>
#include <sys/un.h>
#include "guest.h"

static struct sockaddr_un name_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	strcpy(a.sun_path, path);
	return a;
}

int main(void)
{
	char buffer[100];
	struct sockaddr_un a = name_of("sock"), b;
	socklen_t len = sizeof b;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(connect(c, (void *)&a, sizeof a));
	SHOW(bind(s, (void *)&a, sizeof a));
	SHOW(bind(c, (void *)&a, sizeof a));
	SHOW(connect(c, (void *)&a, sizeof a)); /* not listening */
	SHOW(accept(s, 0, 0));
	SHOW(listen(s, 2));
	struct stat st;
	stat("sock", &st);
	IS(S_ISSOCK(st.st_mode));
	SHOW(open("sock", O_RDWR));
	SHOW(connect(c, (void *)&a, sizeof a));
	int t = accept(s, (void *)&b, &len);
	IS(t >= 0);
	printf("peer family %d len %d\n", b.sun_family, (int)len);
	len = sizeof b;
	SHOW(getpeername(c, (void *)&b, &len));
	printf("%s\n", b.sun_path);
	SHOW(send(c, "hello", 5, 0));
	SHOW(recv(t, buffer, 3, MSG_PEEK));
	SHOW(recv(t, buffer, 3, 0));
	SHOW(recv(t, buffer, 100, 0));
	SHOW(recv(t, buffer, 100, MSG_DONTWAIT));
	SHOW(shutdown(c, SHUT_WR));
	SHOW(recv(t, buffer, 100, 0));
	SHOW(send(t, "back", 4, 0));
	SHOW(recv(c, buffer, 100, 0));
	struct ucred cred;
	len = sizeof cred;
	SHOW(getsockopt(t, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	IS(cred.pid == getpid() && cred.uid == getuid());
	close(c);
	SHOW(recv(t, buffer, 100, 0));
	SHOW(send(t, "x", 1, MSG_NOSIGNAL));
	close(t);
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(bind(other, (void *)&a, sizeof a));
	SHOW(connect(other, (void *)&a, offsetof(struct sockaddr_un, sun_path)));
	unlink("sock");
	SHOW(connect(other, (void *)&a, sizeof a));
	close(s);

	struct sockaddr_un hidden = { .sun_family = AF_UNIX, .sun_path = "\0skerry-guest-test" };
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 18;
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(bind(s, (void *)&hidden, size));
	SHOW(bind(other, (void *)&hidden, size));
	SHOW(listen(s, 0));
	pid_t pid = fork();
	if (!pid) {
		int k = socket(AF_UNIX, SOCK_STREAM, 0);
		SHOW(connect(k, (void *)&hidden, size));
		write(k, "abstract", 8);
		_exit(0);
	}
	t = accept(s, 0, 0);
	reap(pid);
	SHOW(read(t, buffer, 100));
	SHOW(read(t, buffer, 100));

	int sv[2];
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	SHOW(write(sv[0], "ab", 2));
	SHOW(write(sv[0], "cd", 2));
	SHOW(read(sv[1], buffer, 100));
	SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv));
	SHOW(write(sv[0], "ab", 2));
	SHOW(write(sv[0], "cdef", 4));
	SHOW(read(sv[1], buffer, 100));
	SHOW(read(sv[1], buffer, 1));
	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, sv));
	SHOW(socket(AF_UNIX, 77, 0));
	SHOW(socket(77, SOCK_STREAM, 0));
	return 0;
}
