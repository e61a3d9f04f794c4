/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Descriptors sent over a socket. */
#include "guest.h"

static int send_fds(int s, int *fds, int n, const char *text)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct iovec iov = { (char *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	return sendmsg(s, &m, 0);
}

static int receive(int s, int *fds, int room, int flags)
{
	char control[CMSG_SPACE(8 * sizeof(int))], text[100];
	struct iovec iov = { text, sizeof text };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(room * sizeof(int)) };
	int n = recvmsg(s, &m, flags);
	if (n < 0) { printf("recvmsg %s\n", ename(errno)); return 0; }
	int got = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_type == SCM_RIGHTS) {
			got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), got * sizeof(int));
		}
	printf("text %.*s descriptors %d truncated %d\n", n, text, got, !!(m.msg_flags & MSG_CTRUNC));
	return got;
}

int main(void)
{
	int sv[2], p[2], fds[8];
	char c;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(pipe(p));
	pid_t pid = fork();
	if (!pid) {
		close(p[0]); close(p[1]);
		if (receive(sv[1], fds, 8, 0) == 2) {
			SHOW(write(fds[1], "k", 1));
			IS(fcntl(fds[0], F_GETFD) == 0);
		}
		if (receive(sv[1], fds, 8, MSG_CMSG_CLOEXEC) == 1) IS(fcntl(fds[0], F_GETFD) == FD_CLOEXEC);
		_exit(0);
	}
	int two = send_fds(sv[0], p, 2, "two"), one = send_fds(sv[0], p, 1, "one");
	reap(pid);
	printf("sent %d %d\n", two, one);
	SHOW(read(p[0], &c, 1));
	put_file("f", "shared offset");
	int f = open("f", O_RDONLY);
	send_fds(sv[0], &f, 1, "file");
	if (receive(sv[1], fds, 8, 0) == 1) {
		read(fds[0], &c, 1);
		SHOW(lseek(f, 0, SEEK_CUR));
		IS(fds[0] != f);
	}
	int three[3] = { f, f, f };
	send_fds(sv[0], three, 3, "less room");
	receive(sv[1], fds, 1, 0);
	int bad = 99;
	SHOW(send_fds(sv[0], &bad, 1, "bad"));
	/* a pipe whose only writer is in flight has no end of file yet */
	MUST(pipe(p));
	send_fds(sv[0], &p[1], 1, "w");
	close(p[1]);
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	SHOW(read(p[0], &c, 1));
	close(sv[0]);
	close(sv[1]);
	SHOW(read(p[0], &c, 1));
	return 0;
}
