#define _GNU_SOURCE
#include "sentinel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: - Guard pages

enum { capacity = 4096 };

struct region {
    _Atomic(uintptr_t) start; // 0 where the slot is free
    size_t bytes;
    _Atomic(int) touch;
    _Atomic(size_t) byte;
};

static struct region regions[capacity];
static _Atomic(int) used; // slots at and beyond it were never taken
static char description[256];
static _Atomic(int) is_described;
static pthread_once_t installation = PTHREAD_ONCE_INIT;
static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
enum { signal_count = sizeof signals / sizeof signals[0] };

int sentinel_tells_writes(void) {
#if defined(__x86_64__) && defined(__linux__)
    return 1;
#else
    return 0;
#endif
}

static int is_write(void *context) {
#if defined(__x86_64__) && defined(__linux__)
    // Bit 1 of the page fault's error code. Source: Intel SDM volume 3, section 4.7.
    return (((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    (void)context;
    return 0;
#endif
}

/// Opens the guard page at `address`, if it is one.
static int open_page(uintptr_t address, void *context) {
    int count = atomic_load(&used);
    for (int i = 0; i < count; i++) {
        uintptr_t start = atomic_load(&regions[i].start);
        if (start == 0 || address < start || address - start >= regions[i].bytes) continue;
        int expected = sentinel_untouched;
        if (atomic_compare_exchange_strong(&regions[i].touch, &expected, is_write(context) ? sentinel_written : sentinel_read))
            atomic_store(&regions[i].byte, address - start);
        if (mprotect((void *)start, regions[i].bytes, PROT_READ | PROT_WRITE) != 0) return 0;
        memset((void *)start, 0xff, regions[i].bytes);
        return 1;
    }
    return 0;
}

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static const char *name_of(int number) {
    switch (number) {
    case SIGSEGV: return "memory that is not there (SIGSEGV)";
    case SIGBUS: return "a bus error (SIGBUS)";
    case SIGFPE: return "an arithmetic trap (SIGFPE)";
    case SIGABRT: return "an abort (SIGABRT)";
    default: return "a trap (SIGILL)";
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    if ((number == SIGSEGV || number == SIGBUS) && open_page((uintptr_t)info->si_addr, context)) return;
    if (atomic_load(&is_described)) {
        say(description);
        say(" crashed: ");
        say(name_of(number));
        say("\n");
        _exit(1);
    }
    // Not a kernel's doing: the instruction is repeated, and ends the process as it would have.
    signal(number, SIG_DFL);
    if (number == SIGABRT) raise(number);
}

static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < signal_count; i++) sigaction(signals[i], &action, NULL);
}

int sentinel_watch(void *start, size_t bytes) {
    pthread_once(&installation, install);
    for (int i = 0; i < capacity; i++) {
        uintptr_t expected = 0;
        // 1 is no page: the slot is taken before it is filled in.
        if (!atomic_compare_exchange_strong(&regions[i].start, &expected, 1)) continue;
        regions[i].bytes = bytes;
        atomic_store(&regions[i].touch, sentinel_untouched);
        int count = atomic_load(&used);
        while (count <= i && !atomic_compare_exchange_weak(&used, &count, i + 1)) {}
        atomic_store(&regions[i].start, (uintptr_t)start);
        return i;
    }
    return -1;
}

enum sentinel_touch sentinel_touched(int handle, size_t *byte) {
    *byte = atomic_load(&regions[handle].byte);
    return atomic_load(&regions[handle].touch);
}

void sentinel_unwatch(int handle) { atomic_store(&regions[handle].start, 0); }

void sentinel_describe(const char *text) {
    pthread_once(&installation, install);
    atomic_store(&is_described, 0);
    if (text == NULL) return;
    strncpy(description, text, sizeof description - 1);
    atomic_store(&is_described, 1);
}

// MARK: - Floating-point control

#if defined(__x86_64__)
#include <xmmintrin.h>
// Flush to zero, denormals are zero, and the two bits of rounding. Source: Intel SDM volume 1, section 10.2.3.
static const uint32_t flush = 0x8040, rounding = 0x6000, toward_zero = 0x6000;
static uint32_t get(void) { return _mm_getcsr(); }
static void set(uint32_t value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
// FZ and RMode. Source: Arm Architecture Reference Manual, FPCR.
static const uint32_t flush = 1u << 24, rounding = 3u << 22, toward_zero = 3u << 22;
static uint32_t get(void) {
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return (uint32_t)value;
}
static void set(uint32_t value) { __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)value)); }
#else
#error "no floating-point control for this processor"
#endif

uint32_t sentinel_float_control(void) { return get() & (flush | rounding); }
void sentinel_reset_float_control(void) { set(get() & ~(flush | rounding)); }
void sentinel_flush_subnormals(void) { set(get() | flush); }
void sentinel_round_toward_zero(void) { set((get() & ~rounding) | toward_zero); }
