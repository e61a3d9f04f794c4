/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* poll_oneoff with everything wrong, and everything right */
#include "raw.h"

int main(void)
{
	__wasi_subscription_t in[3];
	__wasi_event_t out[3];
	__wasi_size_t count = 99;
	__wasi_timestamp_t before, after;

	memset(in, 0, sizeof in);
	IS(__wasi_poll_oneoff(in, out, 0, &count), __WASI_ERRNO_INVAL);
	in[0].userdata = 1;
	in[0].u.tag = __WASI_EVENTTYPE_CLOCK;
	in[0].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
	in[0].u.u.clock.timeout = 20000000;
	in[1].userdata = 2;
	in[1].u.tag = __WASI_EVENTTYPE_FD_READ;
	in[1].u.u.fd_read.file_descriptor = 77;
	OK(__wasi_poll_oneoff(in, out, 2, &count));
	IS(count, 1);
	IS(out[0].userdata, 2);
	IS(out[0].error, __WASI_ERRNO_BADF);
	OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &before));
	OK(__wasi_poll_oneoff(in, out, 1, &count));
	OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &after));
	IS(count, 1);
	IS(out[0].type, __WASI_EVENTTYPE_CLOCK);
	IS(after - before >= 20000000, 1);
	in[0].u.u.clock.flags = __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
	in[0].u.u.clock.timeout = after + 5000000;
	OK(__wasi_poll_oneoff(in, out, 1, &count));
	OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &before));
	IS(before >= after + 5000000, 1);
	in[1].u.u.fd_read.file_descriptor = 0;
	in[2].userdata = 3;
	in[2].u.tag = __WASI_EVENTTYPE_FD_WRITE;
	in[2].u.u.fd_write.file_descriptor = 1;
	in[0].u.u.clock.timeout = after + 5000000000;
	OK(__wasi_poll_oneoff(in, out, 3, &count));
	IS(count, 2);
	IS(out[0].userdata + out[1].userdata, 5);
	return verdict();
}
