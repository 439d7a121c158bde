// SPDX-License-Identifier: Apache-2.0
// How often the calling thread has asked malloc for memory since it began to count. Works where the C library is glibc, as the
// whole project does.
#pragma once

void allocations_begin(void);
/// Ends the count of the calling thread, and returns it.
long allocations_end(void);
