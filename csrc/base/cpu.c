/* cpu.c -- the instruction sets of this processor, and how many threads we may use. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity, sched_getcpu */
#endif
#include "base/cpu.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const isa_names[PN_ISAS] = { "naive", "baseline", "avx2", "avx512" };

#if defined(__x86_64__)
/* The register state that the operating system saves on a context switch: vector registers that it does not save cannot
 * be used.  Bits of XCR0: 1 and 2 the halves of ymm; 5, 6 and 7 masks, the upper halves of zmm, and zmm16-31. */
static unsigned saved_state(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* Reads CPUID directly: __builtin_cpu_supports returns 0 if the toolchain has no libgcc.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, CPUID leaves 1 and 7, XGETBV. */
static pn_isa best_x86(void)
{
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;                        /* leaf 1, ecx */
    const unsigned avx2 = 1u << 5, f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31; /* leaf 7, ebx */
    const unsigned ymm = 0x06, zmm = 0xe6, all = f | dq | bw | vl;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (fma | osxsave | avx)) != (fma | osxsave | avx))
        return PN_ISA_BASELINE;
    const unsigned saved = saved_state();
    if ((saved & ymm) != ymm || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & avx2) == 0)
        return PN_ISA_BASELINE;
    return (saved & zmm) == zmm && (b & all) == all ? PN_ISA_AVX512 : PN_ISA_AVX2;
}
#endif

pn_isa pn_cpu_best_isa(void)
{
#if defined(__x86_64__)
    return best_x86();
#else
    return PN_ISA_BASELINE;
#endif
}

const char *pn_cpu_isa_name(pn_isa isa)
{
    pn_assert(isa >= 0 && isa < PN_ISAS);
    return isa_names[isa];
}

int pn_cpu_isa_from_name(const char *name)
{
    for (int isa = 0; isa < PN_ISAS; isa++)
        if (strcmp(name, isa_names[isa]) == 0)
            return isa;
    return -1;
}

/* Reads the start of a file as a string; returns false if it cannot be read. */
static bool read_text(const char *path, char *text, size_t capacity)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    size_t length = 0;
    for (;;) {
        ssize_t got = read(file, text + length, capacity - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    close(file);
    text[length] = '\0';
    return length > 0;
}

/* Number of processors that one group may use, rounded up; 0: no limit.  v2: "quota period" or "max period" in one
 * file; v1: two files, and a quota of -1 for no limit. */
static int quota_of(const char *folder)
{
    char path[1200], text[64], *rest;
    long long quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (read_text(path, text, sizeof text)) {
        quota = strtoll(text, &rest, 10); /* "max" reads as 0 */
        period = strtoll(rest, NULL, 10);
    } else {
        snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
        if (!read_text(path, text, sizeof text))
            return 0;
        quota = strtoll(text, NULL, 10);
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        period = read_text(path, text, sizeof text) ? strtoll(text, NULL, 10) : 0;
    }
    if (quota <= 0 || period <= 0 || quota / period > 1 << 20)
        return 0;
    return (int)(quota / period) + (quota % period != 0);
}

/* The smallest quota of a group and of its parents: mount/group, mount/parent, ..., mount.  Missing folders are
 * skipped: inside a container the names are often the host's. */
static int smallest_quota(const char *mount, const char *group)
{
    char folder[1100];
    int length = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (length < 0 || (size_t)length >= sizeof folder)
        return 0;
    int smallest = 0;
    for (char *end = folder + length; end; end = strrchr(folder + strlen(mount), '/')) {
        *end = '\0';
        int quota = quota_of(folder);
        if (quota > 0 && (smallest == 0 || quota < smallest))
            smallest = quota;
    }
    return smallest;
}

/* Whether a comma-separated list of controllers contains "cpu". */
static bool names_cpu(const char *controllers)
{
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == '\0' || at[3] == ','))
            return true;
    }
    return false;
}

/* A line of the list is "number:controllers:/group"; in version 2 the number is 0 and there are no controllers. */
int pn_cpu_quota(const char *list, const char *mount)
{
    char text[4096], folder[600];
    if (!read_text(list, text, sizeof text))
        return 0;
    int smallest = 0;
    char *next;
    for (char *line = text; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *controllers++ = '\0';
        *group++ = '\0';
        if (*controllers == '\0')
            snprintf(folder, sizeof folder, "%s", mount);
        else if (names_cpu(controllers))
            snprintf(folder, sizeof folder, "%s/%s", mount, controllers);
        else
            continue;
        int quota = smallest_quota(folder, group);
        if (quota > 0 && (smallest == 0 || quota < smallest))
            smallest = quota;
    }
    return smallest;
}

/* Number of processors that the scheduler may run this process on. */
static int affinity(void)
{
#ifdef __linux__
    unsigned long mask[1024] = { 0 }; /* 65,536 processors, more than cpu_set_t alone can hold */
    if (sched_getaffinity(0, sizeof mask, (cpu_set_t *)(void *)mask) == 0)
        return CPU_COUNT_S(sizeof mask, (cpu_set_t *)(void *)mask);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int pn_cpu_threads(void)
{
    int threads = affinity();
    int quota = pn_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    if (quota > 0 && quota < threads)
        threads = quota;
    return threads > 0 ? threads : 1;
}

int pn_cpu_here(void)
{
#ifdef __linux__
    return sched_getcpu();
#else
    return -1;
#endif
}

/* Afterwards the thread may run anywhere again, but the scheduler has no reason to move it back. */
void pn_cpu_step_aside(int cpu)
{
#ifdef __linux__
    cpu_set_t all, others;
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    others = all;
    CPU_CLR((size_t)cpu, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        (void)sched_setaffinity(0, sizeof all, &all);
#else
    (void)cpu;
#endif
}
