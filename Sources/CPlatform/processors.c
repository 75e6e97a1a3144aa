#define _GNU_SOURCE
#include "processors.h"

#include <sched.h>

int processors_get(uint64_t *words, size_t bytes) { return sched_getaffinity(0, bytes, (cpu_set_t *)words); }

int processors_set(const uint64_t *words, size_t bytes) {
    return sched_setaffinity(0, bytes, (const cpu_set_t *)words);
}
