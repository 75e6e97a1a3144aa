#define _GNU_SOURCE
#include "sentinel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: - What a child process and its parent both see

enum { capacity = 4096, post_count = 512 };

struct region {
    _Atomic(uintptr_t) start; // 0 where the slot is free
    size_t bytes;
    enum sentinel_page kind;
    _Atomic(int) touch;
    _Atomic(size_t) byte;
};

/// Where a child process is.
enum place {
    at_work, // in code of ours
    inside,  // in foreign code
    idle,    // waiting for a command, after foreign code: only a thread that it left can end the process then
};

/// What is known of a child process.
struct post {
    _Atomic(pid_t) process; // 0 where the slot is free
    _Atomic(int) place;
    _Atomic(int) left; // the processes that the last command left behind
    _Atomic(int) is_tainted; // whether a kernel was called in it
};

struct record {
    struct region regions[capacity];
    _Atomic(int) used; // slots at and beyond it were never taken
    _Atomic(uintptr_t) fault; // where the last signal of memory came from
    struct post posts[post_count];
};

static struct record *record; // NULL where there is no memory for it
static struct post *own;      // of this process, if it is a child
static char description[256];
static _Atomic(int) is_described;
static pthread_once_t installation = PTHREAD_ONCE_INIT;
static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
enum { signal_count = sizeof signals / sizeof signals[0] };

int sentinel_tells_writes(void) {
#if defined(__x86_64__)
    return 1;
#else
    return 0;
#endif
}

static int is_write(void *context) {
#if defined(__x86_64__)
    // Bit 1 of the page fault's error code. Source: Intel SDM volume 3, section 4.7.
    return (((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    (void)context;
    return 0;
#endif
}

/// Whether the record is closed to writing in this process while foreign code runs, and who opens it.
static _Atomic(int) is_closed;
static atomic_flag opening = ATOMIC_FLAG_INIT;

/// Lets this process write to the record, from a handler too.
static void open_record(void) {
    while (atomic_flag_test_and_set(&opening)) {}
    if (atomic_load(&is_closed)) mprotect(record, sizeof *record, PROT_READ | PROT_WRITE);
}

static void close_record(void) {
    if (atomic_load(&is_closed)) mprotect(record, sizeof *record, PROT_READ);
    atomic_flag_clear(&opening);
}

/// Notes that the region was touched, and opens it.
static int open_region(struct region *region, uintptr_t start, uintptr_t address, int is_writing) {
    int expected = sentinel_untouched;
    if (atomic_compare_exchange_strong(&region->touch, &expected, is_writing ? sentinel_written : sentinel_read))
        atomic_store(&region->byte, address - start);
    if (mprotect((void *)start, region->bytes, PROT_READ | PROT_WRITE) != 0) return 0;
    // An input holds what is to be read.
    if (region->kind == sentinel_guard) memset((void *)start, 0xff, region->bytes);
    return 1;
}

/// Opens the watched page at `address`, if it is one.
static int open_page(uintptr_t address, void *context) {
    int count = atomic_load(&record->used), is_opened = 0;
    open_record();
    for (int i = 0; i < count && !is_opened; i++) {
        struct region *region = &record->regions[i];
        uintptr_t start = atomic_load(&region->start);
        if (start == 0 || address < start || address - start >= region->bytes) continue;
        is_opened = open_region(region, start, address, is_write(context));
    }
    if (!is_opened) atomic_store(&record->fault, address);
    close_record();
    return is_opened;
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

/// Each child takes a descriptor, and many live at a time.
static void allow_descriptors(void) {
    const rlim_t wanted = 1024;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) return;
    files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &files);
}

/// Where its signal is ignored, a child's end says nothing.
static void heed_children(void) {
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

static void install(void) {
    void *memory = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    record = memory;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < signal_count; i++) sigaction(signals[i], &action, NULL);
    allow_descriptors();
    heed_children();
}

int sentinel_is_ready(void) {
    pthread_once(&installation, install);
    if (record == NULL) errno = ENOMEM;
    return record != NULL;
}

int sentinel_watch(void *start, size_t bytes, enum sentinel_page kind) {
    if (!sentinel_is_ready()) return -1;
    for (int i = 0; i < capacity; i++) {
        struct region *region = &record->regions[i];
        uintptr_t expected = 0;
        // 1 is no page: the slot is taken before it is filled in.
        if (!atomic_compare_exchange_strong(&region->start, &expected, 1)) continue;
        region->bytes = bytes;
        region->kind = kind;
        atomic_store(&region->touch, sentinel_untouched);
        int count = atomic_load(&record->used);
        while (count <= i && !atomic_compare_exchange_weak(&record->used, &count, i + 1)) {}
        atomic_store(&region->start, (uintptr_t)start);
        return i;
    }
    errno = ENOBUFS;
    return -1;
}

enum sentinel_touch sentinel_touched(int handle, size_t *byte) {
    *byte = atomic_load(&record->regions[handle].byte);
    return atomic_load(&record->regions[handle].touch);
}

void sentinel_unwatch(int handle) { atomic_store(&record->regions[handle].start, 0); }

void sentinel_describe(const char *text) {
    atomic_store(&is_described, 0);
    if (text == NULL || !sentinel_is_ready()) return;
    strncpy(description, text, sizeof description - 1);
    atomic_store(&is_described, 1);
}

// MARK: - Foreign code

void sentinel_enter(void) {
    if (own == NULL) return;
    atomic_store(&own->place, inside);
    // What the parent reads is not for foreign code to write.
    if (mprotect(record, sizeof *record, PROT_READ) == 0) atomic_store(&is_closed, 1);
}

int sentinel_is_child(void) { return own != NULL; }

void sentinel_taint(void) {
    if (own != NULL) atomic_store(&own->is_tainted, 1);
}

void sentinel_leave(void) {
    if (own == NULL) return;
    // Foreign code may have copied its process, and the copy come back as well: it is none of ours.
    if (getpid() != atomic_load(&own->process)) _exit(0);
    open_record();
    atomic_store(&is_closed, 0);
    close_record();
    atomic_store(&own->place, at_work);
}

// MARK: - Processes that foreign code leaves behind

/// A process that does nothing but outlive this one, should it be killed; 0 where there is none.
static pid_t guardian;
/// What the environment of every program holds that foreign code starts.
static char mark[64];

/// Whether one of this process's children is none that it started itself. Every child of ours leads a session, which
/// no process can join: what has another session than this process descends from one.
static int is_stray(pid_t process) {
    if (own != NULL) return 1;
    if (process == guardian) return 0;
    for (int i = 0; i < post_count; i++)
        if (atomic_load(&record->posts[i].process) == process) return 0;
    pid_t session = getsid(process);
    return session >= 0 && session != getsid(0);
}

/// The parent of the process of that number, as /proc says; 0 if it says none.
static pid_t parent_of(pid_t process) {
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name before it is in parentheses, and may hold any character.
    const char *name_end = strrchr(text, ')');
    int parent = 0;
    return name_end != NULL && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/// Ends the stray children of this process once; returns how many there were.
static int end_children(void) {
    DIR *processes = opendir("/proc");
    if (processes == NULL) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        pid_t process = atoi(entry->d_name);
        if (process <= 0 || parent_of(process) != getpid() || !is_stray(process)) continue;
        kill(process, SIGKILL);
        waitpid(process, NULL, 0);
        count++;
    }
    closedir(processes);
    return count;
}

/// Ends the stray descendants of this process, which must be their reaper; returns how many there were.
static int end_strays(void) {
    siginfo_t information;
    // Where foreign code had the signal ignored, nobody could be waited for.
    if (own != NULL) signal(SIGCHLD, SIG_DFL);
    // Most often there is no child at all, and one call says so.
    if (waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
    int total = 0;
    // What a child that was ended had begun comes to this process in turn.
    for (int round = 0, count = 1; round < 64 && count > 0; round++) total += count = end_children();
    return total;
}

// MARK: - Processes that would outlive this one

/// Ends every program that has the mark in its environment once; returns how many there were.
static int end_marked(void) {
    static char text[1 << 21]; // no environment is larger
    DIR *processes = opendir("/proc");
    if (processes == NULL) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        pid_t process = atoi(entry->d_name);
        if (process <= 0 || process == getpid()) continue;
        char path[32];
        snprintf(path, sizeof path, "/proc/%d/environ", process);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        size_t length = 0;
        for (ssize_t part; (part = read(file, text + length, sizeof text - length)) > 0;) length += (size_t)part;
        close(file);
        if (memmem(text, length, mark, strlen(mark)) != NULL && kill(process, SIGKILL) == 0) count++;
    }
    closedir(processes);
    return count;
}

/// The guardian's life: it waits until nobody holds the other end of `life` any more.
static void guard(int life) {
    setsid();
    for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
    if (dup2(life, 3) < 0) _exit(1);
    for (int i = 0; i < 3; i++) close(i);
    close_range(4, ~0u, 0);
    char nothing;
    while (read(3, &nothing, 1) > 0 || errno == EINTR) errno = 0;
    for (int round = 0; round < 64 && end_marked() > 0; round++) {}
    _exit(0);
}

static void dismiss_guardian(void) {
    // A child that exits has a copy of this.
    if (own != NULL || guardian == 0) return;
    kill(guardian, SIGKILL);
    waitpid(guardian, NULL, 0);
}

/// Starts the guardian, if there is none: for what a child starts by way of other programs, when both are killed. What a
/// child forks ends with it in any case. Where there is no room for a guardian, there is none.
static void start_guardian(void) {
    int life[2];
    if (guardian != 0 || pipe2(life, O_CLOEXEC) != 0) return;
    pid_t process = fork();
    if (process == 0) guard(life[0]);
    close(life[0]);
    // The other end closes with this process.
    if (process < 0) {
        close(life[1]);
        return;
    }
    guardian = process;
    atexit(dismiss_guardian);
}

// MARK: - Child processes

/// What every child prints, each from the start: one file for all, without a name, since one carries out a command at a
/// time.
static int output = -1;
enum { most_output = 1 << 24 };

static int open_output(void) {
    if (output >= 0) return 0;
    output = memfd_create("plumbline-output", MFD_CLOEXEC);
    if (output < 0) return -1;
    return fcntl(output, F_SETFL, O_APPEND);
}

size_t sentinel_output(char *text, size_t bytes) {
    off_t size = lseek(output, 0, SEEK_END);
    off_t start = size > (off_t)bytes ? size - (off_t)bytes : 0;
    ssize_t count = pread(output, text, bytes, start);
    return count > 0 ? (size_t)count : 0;
}

/// In a process that foreign code starts: it ends with the one that started it.
static void end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

/// Has signals do what they do by default, but for those that are handled: whoever started the parent may have had some
/// blocked or ignored.
static void reset_signals(void) {
    struct sigaction action;
    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_sigaction != handle) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/// The child's life: a command comes in, an answer goes out, until the parent is gone.
static void serve(sentinel_body body, void *context, int channel, pid_t parent, struct post *post) {
    end_with_parent();
    // The parent may have gone before that.
    if (getppid() != parent) _exit(0);
    own = post;
    atomic_store(&post->process, getpid());
    putenv(mark);
    sentinel_describe(NULL);
    // What it starts is in a session of its own, is handed to it when orphaned, and ends with it.
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    reset_signals();
    pthread_atfork(NULL, NULL, end_with_parent);
    struct rlimit none = {0, 0}, little = {most_output, most_output};
    setrlimit(RLIMIT_CORE, &none);
    // What it prints lies in memory. Beyond the limit nothing is written.
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &little);
    // Of the parent's files it keeps none: 3 is the channel.
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 || dup2(channel, 3) < 0) _exit(1);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    close_range(4, ~0u, 0);
    close(STDIN_FILENO);
    if (open("/dev/null", O_RDONLY) != STDIN_FILENO) _exit(1);
    int32_t command;
    while (read(3, &command, sizeof command) == sizeof command) {
        atomic_store(&post->place, at_work);
        int32_t answer = body(context, command);
        atomic_store(&post->left, end_strays());
        atomic_store(&post->place, idle);
        if (send(3, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer) continue;
        if (errno == EBADF || errno == ENOTSOCK) say("it closed descriptors that are not its own\n");
        break;
    }
    _exit(0);
}

static struct post *take_post(void) {
    for (int i = 0; i < post_count; i++) {
        pid_t expected = 0;
        // 1 is no child: the slot is taken before there is one.
        if (!atomic_compare_exchange_strong(&record->posts[i].process, &expected, 1)) continue;
        atomic_store(&record->posts[i].place, at_work);
        atomic_store(&record->posts[i].is_tainted, 0);
        return &record->posts[i];
    }
    errno = EAGAIN;
    return NULL;
}

/// Closes both ends and frees the post, with `errno` as it is.
static int give_up(struct post *post, const int channel[2]) {
    int reason = errno;
    close(channel[0]);
    close(channel[1]);
    atomic_store(&post->process, 0);
    errno = reason;
    return -1;
}

int sentinel_start(sentinel_body body, void *context, struct sentinel_child *child) {
    if (!sentinel_is_ready() || open_output() != 0) return -1;
    // Whatever a child leaves behind comes to this process when the child is gone.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    heed_children();
    if (mark[0] == 0) snprintf(mark, sizeof mark, "PLUMBLINE_HARNESS=%d.%lx", getpid(), (unsigned long)time(NULL));
    struct post *post = take_post();
    if (post == NULL) return -1;
    int channel[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) return give_up(post, channel);
    pid_t parent = getpid(), process = fork();
    if (process == 0) serve(body, context, channel[1], parent, post);
    if (process < 0) return give_up(post, channel);
    close(channel[1]);
    atomic_store(&post->process, process);
    *child = (struct sentinel_child){process, channel[0], (int)(post - record->posts)};
    start_guardian();
    return 0;
}

/// Waits up to `seconds` for the end of a child, then kills it; returns whether it had to.
static int collect(pid_t process, double seconds, int *status) {
    const struct timespec pause = {0, 1000000};
    for (int waits = 0; waits < seconds * 1000; waits++) {
        if (waitpid(process, status, WNOHANG) != 0) return 0;
        nanosleep(&pause, NULL);
    }
    if (waitpid(process, status, WNOHANG) != 0) return 0;
    kill(process, SIGKILL);
    waitpid(process, status, 0);
    return 1;
}

/// Waits up to `seconds` for an answer or for the child's end; returns whether there is either.
static int await(struct sentinel_child child, double seconds) {
    const int slice = 100; // ms. The end of its channel alone does not tell: what it started may hold it open.
    struct pollfd ready = {child.channel, POLLIN, 0};
    for (double waited = 0; waited < seconds * 1000; waited += slice) {
        if (poll(&ready, 1, slice) > 0) return 1;
        siginfo_t end = {.si_pid = 0};
        if (waitid(P_PID, (id_t)child.process, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid != 0) return 1;
    }
    return 0;
}

struct sentinel_outcome sentinel_command(struct sentinel_child child, int32_t command, double seconds) {
    struct post *post = &record->posts[child.post];
    struct sentinel_outcome outcome = {sentinel_returned, 0, 0, 0};
    int is_emptied = ftruncate(output, 0);
    (void)is_emptied;
    atomic_store(&record->fault, 0);
    double patience = 2;
    int is_forged = 0;
    atomic_store(&post->place, at_work);
    // MSG_NOSIGNAL: a child that has gone shows as the end of its answers; it is not waited for where it is gone already.
    if (send(child.channel, &command, sizeof command, MSG_NOSIGNAL) == sizeof command) {
        if (!await(child, seconds)) {
            patience = 0;
        } else if (recv(child.channel, &outcome.detail, sizeof outcome.detail, MSG_DONTWAIT) == sizeof outcome.detail) {
            outcome.left = atomic_load(&post->left);
            if (atomic_load(&post->place) == idle) return outcome;
            is_forged = 1;
            patience = 0;
        }
    }
    int status = 0, is_hung = collect(child.process, patience, &status), place = atomic_load(&post->place);
    int is_tainted = atomic_load(&post->is_tainted);
    atomic_store(&post->process, 0);
    if (is_forged) {
        outcome.end = sentinel_forged;
        outcome.is_foreign = 1;
        outcome.left = end_strays();
        return outcome;
    }
    outcome.end = is_hung ? sentinel_hung : WIFSIGNALED(status) ? sentinel_crashed : sentinel_exited;
    outcome.detail = is_hung ? 0 : WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    // The system's own ways to end a process are none of its code's doing.
    int is_by_system =
        outcome.end == sentinel_crashed && (outcome.detail == SIGKILL || outcome.detail == SIGXCPU);
    outcome.is_foreign = (place != at_work || is_tainted) && !is_by_system;
    outcome.left = end_strays();
    return outcome;
}

uintptr_t sentinel_fault(void) { return atomic_load(&record->fault); }

void sentinel_end(struct sentinel_child child, int is_running) {
    close(child.channel);
    if (!is_running) return;
    kill(child.process, SIGKILL);
    waitpid(child.process, NULL, 0);
    atomic_store(&record->posts[child.post].process, 0);
}

// MARK: - Floating-point control

#if defined(__x86_64__)
#include <xmmintrin.h>
// Of MXCSR flush to zero, denormals are zero, the two bits of rounding, and six that mask exceptions; of the x87 control
// word, in the upper half, precision and rounding, and its masks. Source: Intel SDM volume 1, sections 10.2.3 and 8.1.5.
static const uint32_t flush = 0x8040, rounding = 0x6000, toward_zero = 0x6000, division = 0x200;
static const uint32_t defaults = 0x033f1f80;
const uint32_t sentinel_float_results = 0x0f00e040, sentinel_float_traps = 0x003f1f80;

uint32_t sentinel_float_difference(uint32_t mxcsr, uint32_t x87) {
    return ((mxcsr | x87 << 16) ^ defaults) & (sentinel_float_results | sentinel_float_traps);
}
static uint32_t get(void) {
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (_mm_getcsr() & 0xffff) | (uint32_t)x87 << 16;
}
static void set(uint32_t value) {
    uint16_t x87 = (uint16_t)(value >> 16);
    _mm_setcsr(value & 0xffff);
    // An exception that is noted would trap.
    __asm__ volatile("fnclex\n\tfldcw %0" ::"m"(x87));
}
static const uint32_t reserved = 0x0040003f; // a bit that is always set, and the exceptions noted
#elif defined(__aarch64__)
// FZ, RMode and the bits that have exceptions trap. Source: Arm Architecture Reference Manual, FPCR.
static const uint32_t flush = 1u << 24, rounding = 3u << 22, toward_zero = 3u << 22, division = 1u << 9;
static const uint32_t defaults = 0, reserved = 0;
const uint32_t sentinel_float_results = 7u << 22, sentinel_float_traps = 0x9f00;

uint32_t sentinel_float_difference(uint32_t mxcsr, uint32_t x87) {
    (void)x87;
    return mxcsr & (sentinel_float_results | sentinel_float_traps);
}
static uint32_t get(void) {
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return (uint32_t)value;
}
static void set(uint32_t value) { __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)value)); }
#else
#error "no floating-point control for this processor"
#endif

uint32_t sentinel_float_control(void) {
    uint32_t value = get();
    return (value ^ defaults) & (sentinel_float_results | sentinel_float_traps);
}
void sentinel_reset_float_control(void) { set((get() & reserved) | defaults); }
void sentinel_flush_subnormals(void) { set(get() | flush); }
void sentinel_round_toward_zero(void) { set((get() & ~rounding) | toward_zero); }
void sentinel_trap_division(void) { set(get() ^ division); }
