#ifndef PLUMBLINE_PLATFORM_CHILDREN_H
#define PLUMBLINE_PLATFORM_CHILDREN_H

// The few steps between a fork and the program that takes its place, in which nothing of Swift may run.

/// A program to start.
struct child_program {
    const char *const *words;       // its name, looked for along PATH, and its arguments; NULL at the end
    const char *const *environment; // NAME=value; NULL at the end
    const char *folder;             // where it works
    int streams[3];                 // what it reads, and where its output and its errors go
    int death;                      // the signal that it gets when the thread that started it is gone
};

/// What a child that could not be started was about.
enum child_step { child_step_process, child_step_streams, child_step_folder, child_step_program };

/// A child, or the error that there is none for.
struct child_start {
    int process; // its number, and its group's
    int handle;  // a descriptor that is readable when it has ended
    int error;   // 0, or what went wrong
    enum child_step step;
};

/// Starts the program: in a group of its own, with no descriptor of this process but its streams, with all signals as
/// they are by default except those that this process ignores (but never the one of its death), and without core dumps.
struct child_start child_start(const struct child_program *program);

/// How a child ended: by a signal of that number, or with that exit code.
struct child_end {
    int is_signal;
    int detail;
};

/// Waits for the child's end, ends what is left of its group, and forgets it.
struct child_end child_reap(int process);

#endif
