/* Preloaded: the time of day, moved by as many seconds as the file named by ATTACK_CLOCK holds, a 64-bit integer of this
 * machine; it may change at any time. Clocks that nobody sets go on as they are. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t* offset;

__attribute__((constructor)) static void find_offset(void) {
  const char* name = getenv("ATTACK_CLOCK");
  const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  void* at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  if (at != MAP_FAILED) offset = at;
  if (file >= 0) close(file);
}

int clock_gettime(clockid_t clock, struct timespec* out) {
  const int outcome = (int)syscall(SYS_clock_gettime, clock, out);
  if (outcome == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += *offset;
  return outcome;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
