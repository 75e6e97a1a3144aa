#ifndef PLUMBLINE_PLATFORM_PROCESSORS_H
#define PLUMBLINE_PLATFORM_PROCESSORS_H

#include <stddef.h>
#include <stdint.h>

// GNU's extensions that Swift's module of the C library leaves out.

/// The processors that this process may use, a bit each. Returns -1 where the system does not say.
int processors_get(uint64_t *words, size_t bytes);

/// Keeps this thread, and those that it starts, on these processors.
int processors_set(const uint64_t *words, size_t bytes);

#endif
