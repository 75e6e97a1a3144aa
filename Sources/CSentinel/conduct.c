#define _GNU_SOURCE
#include "conduct.h"
#include "sentinel.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: - State

enum { signal_end = 65, limit_count = RLIM_NLIMITS, interval_timers = 3, streams = 4 };
static const int timer_kinds[interval_timers] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};

struct sentinel_state {
    struct sigaction actions[signal_end];
    sigset_t mask;
    char folder[4096]; // empty where it has no name
    int umask;         // -1 where the system does not tell
    struct rlimit limits[limit_count];
    int has_timers;
    struct stat files[streams]; // of the first descriptors, which are the harness's own in a child
};

/// The first bytes of a file of /proc as text; returns how many.
static size_t read_text(const char *path, char *text, size_t bytes) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? 0 : read(file, text, bytes - 1);
    if (file >= 0) close(file);
    text[count > 0 ? count : 0] = 0;
    return count > 0 ? (size_t)count : 0;
}

/// The number after `name` in a status file of /proc; -1 if there is none.
static int64_t field(const char *text, const char *name, int base) {
    const char *start = strstr(text, name);
    return start == NULL ? -1 : (int64_t)strtoull(start + strlen(name), NULL, base);
}

/// The system call sets it as well, and so for all threads.
static int current_umask(void) {
    char text[512];
    read_text("/proc/self/status", text, sizeof text);
    return (int)field(text, "\nUmask:", 8);
}

/// Restores the limits that are others now; returns whether there are any.
static int restore_limits(const struct rlimit *was) {
    int found = 0;
    for (int i = 0; i < limit_count; i++) {
        struct rlimit now, back = was[i];
        if (getrlimit(i, &now) != 0 || (now.rlim_cur == back.rlim_cur && now.rlim_max == back.rlim_max)) continue;
        found = 1;
        if (setrlimit(i, &back) == 0) continue;
        // The lower of two hard limits stays.
        back.rlim_max = now.rlim_max;
        back.rlim_cur = back.rlim_cur < back.rlim_max ? back.rlim_cur : back.rlim_max;
        setrlimit(i, &back);
    }
    return found;
}

static void look(struct sentinel_state *state) {
    memset(state, 0, sizeof *state);
    for (int number = 1; number < signal_end; number++) sigaction(number, NULL, &state->actions[number]);
    pthread_sigmask(SIG_SETMASK, NULL, &state->mask);
    if (getcwd(state->folder, sizeof state->folder) == NULL) state->folder[0] = 0;
    state->umask = current_umask();
    for (int i = 0; i < limit_count; i++) getrlimit(i, &state->limits[i]);
    for (int i = 0; i < streams; i++) fstat(i, &state->files[i]);
}

static int is_other_action(const struct sigaction *a, const struct sigaction *b) {
    return a->sa_sigaction != b->sa_sigaction || a->sa_flags != b->sa_flags;
}

/// Whether a timer of the process runs, of which the harness has none; if `is_to_stop`, all are stopped.
static int find_timers(int is_to_stop) {
    int found = 0;
    for (int i = 0; i < interval_timers; i++) {
        struct itimerval timer, none = {{0, 0}, {0, 0}};
        if (getitimer(timer_kinds[i], &timer) != 0) continue;
        if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) continue;
        if (is_to_stop) setitimer(timer_kinds[i], &none, NULL);
        found = 1;
    }
    char text[4096];
    if (read_text("/proc/self/timers", text, sizeof text) == 0) return found;
    for (const char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        int number;
        if (sscanf(line, "ID: %d", &number) != 1) continue;
        if (is_to_stop) syscall(SYS_timer_delete, number);
        found = 1;
    }
    return found;
}

struct sentinel_state *sentinel_keep(void) {
    // The handlers of the harness itself are no change.
    struct sentinel_state *state = sentinel_is_ready() ? malloc(sizeof *state) : NULL;
    if (state == NULL) return NULL;
    look(state);
    state->has_timers = find_timers(0);
    return state;
}

void sentinel_forget(struct sentinel_state *state) { free(state); }

uint32_t sentinel_changes(const struct sentinel_state *was, uint64_t *handlers) {
    // Looking may need more than is allowed now.
    uint32_t changes = restore_limits(was->limits) ? sentinel_limits : 0;
    if (!was->has_timers && find_timers(1)) changes |= sentinel_timers;
    struct sentinel_state now;
    look(&now);
    *handlers = 0;
    for (int number = 1; number < signal_end; number++) {
        if (!is_other_action(&now.actions[number], &was->actions[number])) continue;
        *handlers |= (uint64_t)1 << (number - 1);
        changes |= sentinel_handlers;
        sigaction(number, &was->actions[number], NULL);
    }
    for (int number = 1; number < signal_end; number++) {
        if (sigismember(&now.mask, number) == sigismember(&was->mask, number)) continue;
        changes |= sentinel_mask;
        pthread_sigmask(SIG_SETMASK, &was->mask, NULL);
        break;
    }
    if (strcmp(now.folder, was->folder) != 0) {
        changes |= sentinel_folder;
        if (was->folder[0] != 0 && chdir(was->folder) != 0) {} // it may be gone
    }
    if (now.umask >= 0 && was->umask >= 0 && now.umask != was->umask) {
        changes |= sentinel_umask;
        umask((mode_t)was->umask);
    }
    for (int i = 0; i < streams && sentinel_is_child(); i++) {
        if (now.files[i].st_dev != was->files[i].st_dev || now.files[i].st_ino != was->files[i].st_ino)
            changes |= sentinel_streams;
    }
    return changes;
}

// MARK: - Other threads

#if defined(__x86_64__)
/// The signal that has a thread show its registers: nothing comes of one that arrives late.
enum { show = SIGURG };
static _Atomic(int) shown;
static _Atomic(uint32_t) seen;

static void show_registers(int number, siginfo_t *information, void *context) {
    (void)number;
    (void)information;
    // The system gives a handler registers of its own, and takes those of the code it interrupts from here on return.
    struct _libc_fpstate *registers = ((ucontext_t *)context)->uc_mcontext.fpregs;
    if (registers != NULL) {
        atomic_fetch_or(&seen, sentinel_float_difference(registers->mxcsr, registers->cwd));
        registers->mxcsr = (registers->mxcsr & 0x3f) | 0x1f80;
        registers->cwd = 0x37f;
    }
    atomic_fetch_add(&shown, 1);
}

/// Whether the thread can be asked: it does not block the signal.
static int takes_signal(pid_t thread) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
    if (read_text(path, text, sizeof text) == 0) return 0;
    return (field(text, "\nSigBlk:", 16) >> (show - 1) & 1) == 0;
}

uint32_t sentinel_float_control_elsewhere(void) {
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) return 0;
    struct sigaction action, earlier;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = show_registers;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(show, &action, &earlier);
    atomic_store(&shown, 0);
    atomic_store(&seen, 0);
    int asked = 0;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        pid_t thread = atoi(entry->d_name);
        if (thread <= 0 || thread == gettid() || !takes_signal(thread)) continue;
        if (syscall(SYS_tgkill, getpid(), thread, show) == 0) asked++;
    }
    closedir(threads);
    // One that ends meanwhile never answers.
    const struct timespec pause = {0, 50000};
    for (int waits = 0; waits < 1000 && atomic_load(&shown) < asked; waits++) nanosleep(&pause, NULL);
    sigaction(show, &earlier, NULL);
    return atomic_load(&seen);
}
#else
uint32_t sentinel_float_control_elsewhere(void) { return 0; }
#endif

// MARK: - Holdings

/// The number of entries of a folder, without the two that every folder has.
static int64_t entries(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) return 0;
    int64_t count = -2;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

struct sentinel_holdings sentinel_hold(void) {
    struct sentinel_holdings holdings = {0, 0, 0, 0};
#if defined(__GLIBC__)
    struct mallinfo2 heap = mallinfo2();
    holdings.heap = (int64_t)(heap.uordblks + heap.hblkhd);
#endif
    char text[64];
    read_text("/proc/self/statm", text, sizeof text);
    holdings.mapped = strtoll(text, NULL, 10) * sysconf(_SC_PAGESIZE);
    holdings.descriptors = entries("/proc/self/fd");
    holdings.threads = entries("/proc/self/task");
    return holdings;
}

int sentinel_heap_is_sound(void) {
    // Memory that was freed twice lies in one of malloc's lists twice, and there is a list for each size.
    enum { sizes = 65, blocks = 16 };
    void *memory[sizes][blocks];
    int is_sound = 1;
    for (int size = 0; size < sizes; size++) {
        for (int i = 0; i < blocks; i++) {
            memory[size][i] = malloc((size_t)size * 16 + 24);
            for (int j = 0; j < i; j++)
                if (memory[size][i] != NULL && memory[size][i] == memory[size][j]) is_sound = 0;
        }
    }
    // Such lists are not to be touched again.
    if (!is_sound) return 0;
    for (int size = 0; size < sizes; size++)
        for (int i = 0; i < blocks; i++) free(memory[size][i]);
    return 1;
}
