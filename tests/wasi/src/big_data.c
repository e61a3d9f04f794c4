/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* megabytes through files and memory that grows */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

#define SIZE (24 << 20)

int main(void)
{
	int fd = open("big", O_RDWR | O_CREAT | O_TRUNC, 0644);
	unsigned sum = 0, again = 0;
	unsigned char *data = malloc(SIZE);

	for (int i = 0; i < SIZE; i++)
		sum += data[i] = i * 2654435761u >> 24;
	for (int done = 0; done < SIZE;)
		done += write(fd, data + done, SIZE - done);
	SAY(lseek(fd, 0, SEEK_CUR));
	unsigned char *copy = malloc(SIZE);
	lseek(fd, 0, SEEK_SET);
	for (int done = 0; done < SIZE;)
		done += read(fd, copy + done, SIZE - done);
	for (int i = 0; i < SIZE; i++)
		again += copy[i];
	HOLDS(sum == again && memcmp(data, copy, SIZE) == 0);
	close(fd);
	SAY(unlink("big"));
	return 0;
}
