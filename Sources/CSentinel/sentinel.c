#define _GNU_SOURCE
#include "sentinel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif
#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0
#endif

// MARK: - Guard pages

enum { capacity = 4096 };

struct region {
    _Atomic(uintptr_t) start; // 0 where the slot is free
    size_t bytes;
    _Atomic(int) touch;
    _Atomic(size_t) byte;
};

/// What a child process and its parent both see.
struct record {
    struct region regions[capacity];
    _Atomic(int) used; // slots at and beyond it were never taken
    _Atomic(uintptr_t) fault; // where the last signal of memory came from
};

static struct record *record;
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
    int count = atomic_load(&record->used);
    for (int i = 0; i < count; i++) {
        struct region *region = &record->regions[i];
        uintptr_t start = atomic_load(&region->start);
        if (start == 0 || address < start || address - start >= region->bytes) continue;
        int expected = sentinel_untouched;
        if (atomic_compare_exchange_strong(&region->touch, &expected, is_write(context) ? sentinel_written : sentinel_read))
            atomic_store(&region->byte, address - start);
        if (mprotect((void *)start, region->bytes, PROT_READ | PROT_WRITE) != 0) return 0;
        memset((void *)start, 0xff, region->bytes);
        return 1;
    }
    atomic_store(&record->fault, address);
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
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (record == MAP_FAILED) abort();
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
        struct region *region = &record->regions[i];
        uintptr_t expected = 0;
        // 1 is no page: the slot is taken before it is filled in.
        if (!atomic_compare_exchange_strong(&region->start, &expected, 1)) continue;
        region->bytes = bytes;
        atomic_store(&region->touch, sentinel_untouched);
        int count = atomic_load(&record->used);
        while (count <= i && !atomic_compare_exchange_weak(&record->used, &count, i + 1)) {}
        atomic_store(&region->start, (uintptr_t)start);
        return i;
    }
    return -1;
}

enum sentinel_touch sentinel_touched(int handle, size_t *byte) {
    *byte = atomic_load(&record->regions[handle].byte);
    return atomic_load(&record->regions[handle].touch);
}

void sentinel_unwatch(int handle) { atomic_store(&record->regions[handle].start, 0); }

void sentinel_describe(const char *text) {
    pthread_once(&installation, install);
    atomic_store(&is_described, 0);
    if (text == NULL) return;
    strncpy(description, text, sizeof description - 1);
    atomic_store(&is_described, 1);
}

// MARK: - Child processes

/// The child's life: a command comes in, an answer goes out, until the parent is gone.
static void serve(sentinel_body body, void *context, int output, int channel) {
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    sentinel_describe(NULL);
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) _exit(1);
    int32_t command;
    while (read(channel, &command, sizeof command) == sizeof command) {
        int32_t answer = body(context, command);
        if (write(channel, &answer, sizeof answer) != sizeof answer) break;
    }
    _exit(0);
}

int sentinel_start(sentinel_body body, void *context, int output, struct sentinel_child *child) {
    pthread_once(&installation, install);
    int channel[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel) != 0) return -1;
    fcntl(channel[0], F_SETFD, FD_CLOEXEC);
    pid_t process = fork();
    if (process == 0) {
        close(channel[0]);
        serve(body, context, output, channel[1]);
    }
    close(channel[1]);
    if (process < 0) {
        close(channel[0]);
        return -1;
    }
    child->process = process;
    child->channel = channel[0];
    return 0;
}

enum sentinel_end sentinel_command(struct sentinel_child child, int32_t command, double seconds, int32_t *detail) {
    int status = 0;
    atomic_store(&record->fault, 0);
    struct pollfd ready = {child.channel, POLLIN, 0};
    // MSG_NOSIGNAL: a child that has gone shows as the end of its answers.
    if (send(child.channel, &command, sizeof command, MSG_NOSIGNAL) == sizeof command) {
        int count;
        do count = poll(&ready, 1, (int)(seconds * 1000));
        while (count < 0 && errno == EINTR);
        if (count == 0) {
            kill(child.process, SIGKILL);
            waitpid(child.process, &status, 0);
            return sentinel_hung;
        }
        if (read(child.channel, detail, sizeof *detail) == sizeof *detail) return sentinel_returned;
    }
    waitpid(child.process, &status, 0);
    *detail = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return WIFSIGNALED(status) ? sentinel_crashed : sentinel_exited;
}

uintptr_t sentinel_fault(void) { return atomic_load(&record->fault); }

void sentinel_end(struct sentinel_child child, int is_running) {
    close(child.channel);
    if (!is_running) return;
    kill(child.process, SIGKILL);
    waitpid(child.process, NULL, 0);
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
