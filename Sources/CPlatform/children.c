#define _GNU_SOURCE
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// What a child says that cannot become the program.
struct refusal {
    int error;
    enum child_step step;
};

static void refuse(int report, enum child_step step) {
    struct refusal refusal = {errno, step};
    ssize_t written = write(report, &refusal, sizeof refusal);
    (void)written;
    _exit(127);
}

/// Closes every descriptor from `first` on when the program takes over.
static void close_later(int first) {
    if (close_range(first, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return;
    struct rlimit limit;
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int i = first; i < end; i++) fcntl(i, F_SETFD, FD_CLOEXEC);
}

/// The child's way from the fork to the program. Nothing here may allocate or lock: other threads are gone, and what they
/// held is held for ever.
static void become(const struct child_program *program, pid_t parent, int report) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, program->death);
    // The parent may have ended before it could be asked to say so.
    if (getppid() != parent) _exit(127);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN) signal(number, SIG_DFL);
    }
    signal(program->death, SIG_DFL);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // Out of the way of 0, 1 and 2, which any of them may be.
    int streams[3];
    for (int i = 0; i < 3; i++) {
        streams[i] = fcntl(program->streams[i], F_DUPFD_CLOEXEC, 3);
        if (streams[i] < 0) refuse(report, child_step_streams);
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(streams[i], i) < 0) refuse(report, child_step_streams);
    }
    close_later(3);
    if (chdir(program->folder) != 0) refuse(report, child_step_folder);
    sigset_t nothing;
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL);
    execvpe(program->words[0], (char *const *)program->words, (char *const *)program->environment);
    refuse(report, child_step_program);
}

static struct child_start failure(int error, enum child_step step) {
    return (struct child_start){.process = -1, .handle = -1, .error = error, .step = step};
}

struct child_start child_start(const struct child_program *program) {
    // Of a child whose end is ignored nobody learns how it ended. Some programs start others so.
    struct sigaction ends;
    if (sigaction(SIGCHLD, NULL, &ends) == 0 && ends.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return failure(errno, child_step_streams);
    // A descriptor that is 0, 1 or 2 would be overwritten in the child.
    int high = fcntl(report[1], F_DUPFD_CLOEXEC, 3), error = errno;
    close(report[1]);
    if (high < 0) {
        close(report[0]);
        return failure(error, child_step_streams);
    }
    // No handler of this process may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), process = fork();
    if (process == 0) become(program, parent, high);
    error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(high);
    if (process < 0) {
        close(report[0]);
        return failure(error, child_step_process);
    }
    // In both processes, for whichever comes first.
    setpgid(process, process);
    struct refusal refusal;
    ssize_t count;
    do count = read(report[0], &refusal, sizeof refusal);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count == sizeof refusal) {
        waitpid(process, NULL, 0);
        return failure(refusal.error, refusal.step);
    }
    int handle = (int)syscall(SYS_pidfd_open, process, 0);
    if (handle < 0) {
        error = errno;
        kill(-process, SIGKILL);
        waitpid(process, NULL, 0);
        return failure(error, child_step_process);
    }
    return (struct child_start){.process = process, .handle = handle};
}

struct child_end child_reap(int process) {
    siginfo_t end;
    memset(&end, 0, sizeof end);
    // It is kept for a moment longer: while it is there, no other group can have its number.
    while (waitid(P_PID, (id_t)process, &end, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    kill(-process, SIGKILL);
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {}
    return (struct child_end){.is_signal = end.si_code != CLD_EXITED, .detail = end.si_status};
}
