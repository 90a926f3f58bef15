// sender CORE SECONDS SSRC [WARM-UP]: 50 packets of G.711 a second (172 bytes) to each port that stdin lists, by sendmmsg, in ticks of 1 ms over
// which the streams are spread. Prints what it sent, and how late its worst tick was; before that, the same of as many seconds as
// WARM-UP says, which come before SECONDS and are counted again in the end.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADER = 12, PAYLOAD = 160, TICKS = 20, MOST = 20000 };

static uint8_t headers[MOST][HEADER], payload[PAYLOAD];
static struct sockaddr_in peers[MOST];
static struct iovec pieces[MOST][2];
static struct mmsghdr messages[MOST];

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

typedef struct { int64_t begin, sent, failed, latest; } Run;

static void tell(const Run *run) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"sent\":%lld,\"failed\":%lld,\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"latestTickMs\":%.2f}\n", (long long)run->sent,
         (long long)run->failed, (now() - run->begin) / 1e9, cpu, run->latest / 1e6);
  fflush(stdout);
}

static void real_time(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (core >= 0) sched_setaffinity(0, sizeof set, &set);
  // Refused without the privilege: then the machine's noise may look like loss.
  sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 20 });
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  real_time(atoi(arguments[1]));
  int64_t warm = count > 4 ? atoi(arguments[4]) * 1000LL : 0, ticks = warm + atoi(arguments[2]) * 1000LL;
  uint32_t ssrc = strtoul(arguments[3], NULL, 10);
  int n = 0, port, fd = socket(AF_INET, SOCK_DGRAM, 0);
  memset(payload, 0xd5, PAYLOAD);
  while (n < MOST && scanf("%d", &port) == 1) {
    peers[n] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    uint32_t own = htonl(ssrc + n);
    headers[n][0] = 0x80;
    memcpy(headers[n] + 8, &own, 4);
    pieces[n][0] = (struct iovec){ headers[n], HEADER };
    pieces[n][1] = (struct iovec){ payload, PAYLOAD };
    messages[n].msg_hdr = (struct msghdr){ .msg_name = &peers[n], .msg_namelen = sizeof peers[n], .msg_iov = pieces[n], .msg_iovlen = 2 };
    n++;
  }
  Run run = { .begin = now() + 10000000 };
  for (int64_t tick = 0; tick < ticks; tick++) {
    if (warm && tick == warm) tell(&run);
    int64_t due = run.begin + tick * 1000000;
    struct timespec until = { due / 1000000000, due % 1000000000 };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    int64_t late = now() - due;
    if (late > run.latest) run.latest = late;
    int from = n * (tick % TICKS) / TICKS, to = n * (tick % TICKS + 1) / TICKS;
    uint16_t sequence = htons(tick / TICKS);
    uint32_t timestamp = htonl((tick / TICKS) * PAYLOAD);
    for (int i = from; i < to; i++) memcpy(headers[i] + 2, &sequence, 2), memcpy(headers[i] + 4, &timestamp, 4);
    while (from < to) {
      int done = sendmmsg(fd, messages + from, to - from, 0);
      if (done <= 0) run.failed++, from++;
      else run.sent += done, from += done;
    }
  }
  tell(&run);
  return 0;
}
