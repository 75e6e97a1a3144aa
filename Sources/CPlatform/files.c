#define _GNU_SOURCE
#include "platform.h"

#include <fcntl.h>
#include <sys/mman.h>

int unnamed_file(const char *folder) {
    int file = open(folder, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 && (file = memfd_create("plumbline", MFD_CLOEXEC)) >= 0) fcntl(file, F_SETFL, O_APPEND);
    return file;
}
