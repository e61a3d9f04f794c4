/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* sendfile and copy_file_range. */
#include <sys/sendfile.h>
#include "guest.h"

int main(void)
{
	char buffer[100] = { 0 };
	put_file("from", "0123456789abcdef");
	int in = open("from", O_RDONLY), out = open("to", O_RDWR | O_CREAT, 0600);
	off_t at = 4;
	SHOW(sendfile(out, in, &at, 5));
	printf("at %d position %d\n", (int)at, (int)lseek(in, 0, SEEK_CUR));
	SHOW(sendfile(out, in, 0, 3));
	SHOW(lseek(in, 0, SEEK_CUR));
	cat_file("to");
	SHOW(sendfile(out, in, 0, 1000));
	SHOW(sendfile(out, in, 0, 1000));
	int p[2];
	MUST(pipe(p));
	at = 0;
	SHOW(sendfile(p[1], in, &at, 6));
	SHOW(read(p[0], buffer, 100));
	SHOW(sendfile(in, out, 0, 1));
	off_t a = 1, b = 2;
	SHOW(copy_file_range(in, &a, out, &b, 3, 0));
	cat_file("to");
	SHOW(copy_file_range(in, &a, out, 0, 100, 0));
	printf("a %d\n", (int)a);
	SHOW(copy_file_range(in, 0, p[1], 0, 1, 0));
	SHOW(copy_file_range(in, 0, out, 0, 1, 99));
	int append = open("to", O_WRONLY | O_APPEND);
	SHOW(copy_file_range(in, 0, append, 0, 1, 0));
	return 0;
}
