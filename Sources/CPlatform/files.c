#define _GNU_SOURCE
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int file_open_unnamed(const char *folder) { return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666); }

int file_open_scratch(const char *folder) {
    int file = open(folder, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 && (file = memfd_create("plumbline", MFD_CLOEXEC)) >= 0) fcntl(file, F_SETFL, O_APPEND);
    return file;
}

int file_name(int file, const char *path) {
    char open_file[32];
    snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", file);
    return linkat(AT_FDCWD, open_file, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int file_lock(int file) {
    struct flock whole;
    memset(&whole, 0, sizeof whole);
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return fcntl(file, F_OFD_SETLK, &whole);
}
