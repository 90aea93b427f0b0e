/* What the roads of the laboratory need of the processor, as flat code without data of its own.
 *
 * Compiled by `../bundle.py` and carried into a bundle as text; `machine.py` puts it into executable anonymous memory before the seal. Nothing in here
 * calls the kernel. x86-64 alone: elsewhere the roads that need it are skipped. */

typedef unsigned long u64;

static inline u64 ticks(void) {
    unsigned low, high;
    __asm__ volatile("mfence\n\tlfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (u64)high << 32 | low;
}

/* The time stamp counter. */
u64 now(void) { return ticks(); }

/* On which processor this is. */
u64 cpu(void) {
    unsigned low, high, number;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(number) : : "memory");
    return number & 0xfff;
}

/* Loads each place once; how many ticks each took. */
void time_loads(volatile char **places, long count, u64 *out) {
    for (long i = 0; i < count; i++) {
        u64 start = ticks();
        (void)*places[i];
        out[i] = ticks() - start;
    }
}

/* The same, but another line of the page is loaded before, so that the translation of the address is known. */
void time_lines(volatile char **places, long count, u64 *out) {
    for (long i = 0; i < count; i++) {
        (void)*(volatile char *)((u64)places[i] ^ 2048);
        u64 start = ticks();
        (void)*places[i];
        out[i] = ticks() - start;
    }
}

/* Loads each place. */
void touch(volatile char **places, long count) {
    for (long i = 0; i < count; i++)
        (void)*places[i];
}

/* Puts the line of each place out of all caches. */
void flush(volatile char **places, long count) {
    for (long i = 0; i < count; i++)
        __asm__ volatile("clflush (%0)" : : "r"(places[i]) : "memory");
    __asm__ volatile("mfence" : : : "memory");
}

/* Reads one byte of every `stride`; how many ticks that took. */
u64 stream(volatile char *memory, long bytes, long stride) {
    u64 start = ticks();
    for (long at = 0; at < bytes; at += stride)
        (void)memory[at];
    return ticks() - start;
}

/* How many ticks so many multiplications take that wait for one another. */
u64 work(long count) {
    u64 value = 3, start = ticks();
    for (long i = 0; i < count; i++)
        __asm__ volatile("imul %0, %0" : "+r"(value));
    return ticks() - start;
}

/* Looks at the counter until `until`, and writes down start and length of every pause of at least `least` ticks. */
long pauses(u64 until, u64 least, u64 *out, long room) {
    long found = 0;
    u64 before = ticks();
    for (;;) {
        u64 after = ticks();
        if (after - before >= least && found < room) {
            out[2 * found] = before;
            out[2 * found++ + 1] = after - before;
        }
        if (after >= until)
            return found;
        before = after;
    }
}

/* Takes a branch at each of 16 places, after always the same way to get there, as `bits` says; how many ticks each took. */
void branches(u64 bits, u64 *out) {
#define BRANCH(n)                                                                                                             \
    {                                                                                                                          \
        u64 start, end;                                                                                                        \
        unsigned low, high;                                                                                                    \
        for (volatile int way = 0; way < 200; way++)                                                                           \
            ;                                                                                                                  \
        start = ticks();                                                                                                       \
        __asm__ volatile("testq %2, %3\n\tjz 1f\n\tnop\n\tnop\n\tnop\n1:\n\trdtscp\n\tlfence"                                \
                         : "=a"(low), "=d"(high)                                                                               \
                         : "r"(bits), "r"(1UL << (n))                                                                          \
                         : "rcx", "memory", "cc");                                                                             \
        end = (u64)high << 32 | low;                                                                                           \
        out[n] = end - start;                                                                                                  \
    }
    BRANCH(0) BRANCH(1) BRANCH(2) BRANCH(3) BRANCH(4) BRANCH(5) BRANCH(6) BRANCH(7)
    BRANCH(8) BRANCH(9) BRANCH(10) BRANCH(11) BRANCH(12) BRANCH(13) BRANCH(14) BRANCH(15)
}
