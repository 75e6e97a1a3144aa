#ifndef PLUMBLINE_SENTINEL_H
#define PLUMBLINE_SENTINEL_H

#include <stddef.h>
#include <stdint.h>

// What watching an untrusted kernel needs and Swift cannot express: a signal handler, and the floating-point
// control register. Guard pages around a kernel's arguments turn a stray access into a record instead of a crash: the
// handler opens the page, filled with NaN, and lets the kernel go on.

/// How a guard page was touched.
enum sentinel_touch { sentinel_untouched = 0, sentinel_read = 1, sentinel_written = 2 };

/// Whether the handler can tell a write from a read on this processor.
int sentinel_tells_writes(void);

/// Watches the pages [start, start + bytes), which must be closed to all access. Returns a handle, or -1 when too many
/// are watched.
int sentinel_watch(void *start, size_t bytes);

/// How the pages of the handle were touched first, and at which byte.
enum sentinel_touch sentinel_touched(int handle, size_t *byte);

/// Ends the watch.
void sentinel_unwatch(int handle);

/// While `description` is set, a crash prints it to standard error, with the signal, and exits with code 1; NULL
/// restores the system's ways. The text is copied, up to 255 bytes.
void sentinel_describe(const char *description);

/// The bits of the calling thread's floating-point control register that change results: flushing of subnormals and
/// the direction of rounding. 0 is the default.
uint32_t sentinel_float_control(void);

/// Restores the default: subnormals kept, rounding to nearest.
void sentinel_reset_float_control(void);

/// Sets those bits, for tests of the harness itself: subnormals are flushed, or rounding goes toward zero.
void sentinel_flush_subnormals(void);
void sentinel_round_toward_zero(void);

#endif
