#ifndef PLUMBLINE_SENTINEL_H
#define PLUMBLINE_SENTINEL_H

#include <stddef.h>
#include <stdint.h>

// What watching an untrusted kernel needs and Swift cannot express: a signal handler, a forked process, and the
// floating-point control register. Guard pages around a kernel's arguments turn a stray access into a record instead of
// a crash: the handler opens the page, filled with NaN, and lets the kernel go on.

/// How a guard page was touched.
enum sentinel_touch { sentinel_untouched = 0, sentinel_read = 1, sentinel_written = 2 };

/// Whether the handler can tell a write from a read on this processor.
int sentinel_tells_writes(void);

/// Whether signals are handled, from the first time on that this is asked; sets `errno` where they are not.
int sentinel_is_ready(void);

/// What a watched page is.
enum sentinel_page {
    sentinel_guard = 0, // beside an argument: closed to all access
    sentinel_input = 1, // of an argument that is only read: closed to writing while a kernel runs
};

/// Watches the pages [start, start + bytes) of that kind; whoever runs a kernel closes them in its own process. Returns a
/// handle, or -1 with `errno` where there is no memory for it, or too many are watched (ENOBUFS).
int sentinel_watch(void *start, size_t bytes, enum sentinel_page kind);

/// How the pages of the handle were touched first, and at which byte.
enum sentinel_touch sentinel_touched(int handle, size_t *byte);

/// Ends the watch.
void sentinel_unwatch(int handle);

/// While `description` is set, a crash prints it to standard error, with the signal, and exits with code 1; NULL
/// restores the system's ways. The text is copied, up to 255 bytes.
void sentinel_describe(const char *description);

/// In a child, before and after code that is not the harness's: what ends the process in between is that code's doing,
/// what ends it at another time is not.
void sentinel_enter(void);
void sentinel_leave(void);

/// In a child, once a kernel was called: whatever ends the process from now on, but from outside, is the kernel's doing. It
/// may have spoilt memory that only code of ours uses.
void sentinel_taint(void);

/// Whether this is a child process.
int sentinel_is_child(void);

/// What a child process does for a command; it returns an answer.
typedef int32_t (*sentinel_body)(void *context, int32_t command);

/// A child process that waits for commands.
struct sentinel_child {
    int process;
    int channel;
    int post; // what is known of it
};

/// How a command ended.
enum sentinel_end {
    sentinel_returned = 0, // the body returned; the detail is its answer
    sentinel_crashed = 1,  // a signal ended the child; the detail is its number
    sentinel_exited = 2,   // the child ended itself; the detail is its exit code
    sentinel_hung = 3,     // it took too long, and the child was killed
    sentinel_forged = 4,   // foreign code answered in its body's place, and the child was killed
};

/// What came of a command.
struct sentinel_outcome {
    enum sentinel_end end;
    int32_t detail;
    int is_foreign; // whether it was foreign code that ended the child
    int left;       // the processes that it left behind, which were ended
};

/// Forks a child that runs `body` once for each command. It shares guarded and other shared memory with this process, and
/// has a copy of the rest but files; of the threads it has this one alone. It ends with the thread that starts it. Returns
/// -1 with `errno` where there can be no child.
int sentinel_start(sentinel_body body, void *context, struct sentinel_child *child);

/// Has the child carry out a command, and waits up to `seconds`. After any end but `sentinel_returned` it is gone. One
/// command is carried out at a time.
struct sentinel_outcome sentinel_command(struct sentinel_child child, int32_t command, double seconds);

/// Copies the end of what the last command printed, up to that many bytes; returns how many.
size_t sentinel_output(char *text, size_t bytes);

/// The address whose access ended the last child that crashed; guard pages do not count.
uintptr_t sentinel_fault(void);

/// Lets go of the child, and ends it if it is running.
void sentinel_end(struct sentinel_child child, int is_running);

/// What the calling thread's floating-point control registers have that is not the default: bits of
/// `sentinel_float_results` and `sentinel_float_traps`. 0 is the default.
uint32_t sentinel_float_control(void);

/// Subnormals are flushed, or results rounded otherwise; and exceptions that trap.
extern const uint32_t sentinel_float_results, sentinel_float_traps;

/// The same of registers that were saved; of x86-64.
uint32_t sentinel_float_difference(uint32_t mxcsr, uint32_t x87);

/// Restores the default: subnormals kept, rounding to nearest, no traps.
void sentinel_reset_float_control(void);

/// Sets those bits, for tests of the harness itself: subnormals are flushed, or rounding goes toward zero.
void sentinel_flush_subnormals(void);
void sentinel_round_toward_zero(void);
/// The same: division by zero traps.
void sentinel_trap_division(void);

#endif
