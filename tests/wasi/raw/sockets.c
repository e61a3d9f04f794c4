/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* sock_*: without a socket they say so */
#include "raw.h"

int main(void)
{
	uint8_t data[4];
	__wasi_iovec_t in = { data, sizeof data };
	__wasi_ciovec_t out = { data, sizeof data };
	__wasi_size_t size;
	__wasi_roflags_t flags;
	__wasi_fd_t fd;

	for (int i = 0; i < 2; i++) {
		int number = i ? 88 : 1, error = i ? __WASI_ERRNO_BADF : __WASI_ERRNO_NOTSOCK;
		IS(__wasi_sock_recv(number, &in, 1, 0, &size, &flags), error);
		IS(__wasi_sock_send(number, &out, 1, 0, &size), error);
		IS(__wasi_sock_shutdown(number, __WASI_SDFLAGS_RD), error);
		IS(__wasi_sock_accept(number, 0, &fd), error);
	}
	return verdict();
}
