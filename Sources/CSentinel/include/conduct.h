#ifndef PLUMBLINE_CONDUCT_H
#define PLUMBLINE_CONDUCT_H

#include <stddef.h>
#include <stdint.h>

// What a kernel does to its process besides computing: what it leaves changed, and what it leaves taken.

/// What a process keeps between calls, one bit each.
enum sentinel_kept {
    sentinel_handlers = 1,
    sentinel_mask = 2,
    sentinel_timers = 4,
    sentinel_folder = 8,
    sentinel_umask = 16,
    sentinel_limits = 32,
    sentinel_streams = 64,
};

/// The state of this process, and of the calling thread, at a moment.
struct sentinel_state;

/// The state now; NULL where there is no memory for it.
struct sentinel_state *sentinel_keep(void);
void sentinel_forget(struct sentinel_state *state);

/// What is another than it was, as bits of `sentinel_kept`; it is put back where that can be done. `handlers` tells of
/// which signals, from bit 0 for signal 1 on.
uint32_t sentinel_changes(const struct sentinel_state *state, uint64_t *handlers);

/// What the floating-point control registers of the other threads have that is not the default, see
/// `sentinel_float_control`; they are put back. 0 where this processor does not let one thread see another's. Threads that
/// block signals are left alone.
uint32_t sentinel_float_control_elsewhere(void);

/// What a process has taken of the system.
struct sentinel_holdings {
    int64_t heap;        // bytes that malloc has given out; 0 where it does not say
    int64_t mapped;      // bytes of address space
    int64_t descriptors; // open files
    int64_t threads;
};

/// What this process holds now.
struct sentinel_holdings sentinel_hold(void);

/// Whether malloc hands out no memory twice, as it does after some was freed twice; it may also end the process.
int sentinel_heap_is_sound(void);

#endif
