#ifndef PLUMBLINE_PREFETCH_H
#define PLUMBLINE_PREFETCH_H

/// Asks for the cache line at `address`, in the second-level cache. Swift has no such instruction.
static inline void plumbline_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

#endif
