// floor FILE COUNT PORT: what a receiver of the same shape costs without anything else. Binds COUNT pairs of RTP and RTCP from PORT on,
// passing by those that are taken, and says which; reads them on a 100 ms beat by recvmmsg with the kernel's arrival times, and appends a block per stream and beat to one log: 52 bytes of
// header, and the frames that the product keeps. A thread syncs it once a second. No checksums, no statistics. SIGTERM ends it:
// it prints what it received.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, DATAGRAM = 1600, BLOCK = 52, FRAME = 16, MOST = 20000, READY = 256, BUFFER = 32 << 20 };

static int rtp[MOST], rtcp[MOST], log_file;
static volatile sig_atomic_t ended;
static uint8_t datagrams[BATCH][DATAGRAM], controls[BATCH][64] __attribute__((aligned(8)));
static struct sockaddr_in names[BATCH];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];

static void end(int signal) { (void)signal, ended = 1; }

static int64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *sync_log(void *unused) {
  for (; !ended; sleep(1)) fdatasync(log_file);
  return unused;
}

static int bound(int port) {
  int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
  close(fd);
  return -1;
}

static void expect(int i) {
  messages[i].msg_hdr = (struct msghdr){ .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &pieces[i],
                                         .msg_iovlen = 1, .msg_control = controls[i], .msg_controllen = sizeof controls[i] };
}

static int64_t arrival(struct msghdr *header, int64_t offset) {
  struct timespec t = { 0 };
  struct cmsghdr *c = CMSG_FIRSTHDR(header);
  if (c && c->cmsg_type == SCM_TIMESTAMPNS) memcpy(&t, CMSG_DATA(c), sizeof t);
  return t.tv_sec * 1000000000LL + t.tv_nsec + offset;
}

static uint8_t *drain(int fd, uint32_t stream, uint16_t kind, int64_t offset, uint8_t *at, int64_t *packets) {
  int got;
  do {
    got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
      int64_t when = arrival(&messages[i].msg_hdr, offset);
      uint16_t length = messages[i].msg_len;
      memcpy(at, &when, 8), memcpy(at + 8, &length, 2), memcpy(at + 10, &kind, 2), memcpy(at + 12, &stream, 4);
      memcpy(at + FRAME, datagrams[i], length);
      at += FRAME + length;
      expect(i);
    }
    if (got > 0) *packets += got;
  } while (got == BATCH);
  return at;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  int n = 0, wanted = atoi(arguments[2]), port = atoi(arguments[3]), silent = epoll_create1(0);
  log_file = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  uint8_t *buffer = malloc(BUFFER);
  for (int i = 0; i < BATCH; i++) pieces[i] = (struct iovec){ datagrams[i], DATAGRAM }, expect(i);
  printf("[");
  for (; n < wanted && n < MOST && port < 65535; port += 2) {
    rtp[n] = bound(port), rtcp[n] = bound(port + 1);
    if (rtp[n] < 0 || rtcp[n] < 0) {
      close(rtp[n]), close(rtcp[n]);
      continue;
    }
    printf("%s%d", n > 0 ? "," : "", port);
    epoll_ctl(silent, EPOLL_CTL_ADD, rtcp[n], &(struct epoll_event){ .events = EPOLLIN, .data.u32 = n });
    n++;
  }
  signal(SIGTERM, end);
  pthread_t thread;
  pthread_create(&thread, NULL, sync_log, NULL);
  printf("]\n");
  fflush(stdout);
  int64_t packets = 0;
  for (int64_t beat = now(CLOCK_MONOTONIC); !ended; beat += 100000000) {
    struct timespec until = { beat / 1000000000, beat % 1000000000 };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    int64_t offset = now(CLOCK_MONOTONIC) - now(CLOCK_REALTIME);
    uint8_t *at = buffer;
    for (int i = 0; i < n; i++) {
      uint8_t *block = at;
      at = drain(rtp[i], i, 0, offset, block + BLOCK, &packets);
      if (at == block + BLOCK) at = block;
      else memset(block, 0, BLOCK), memcpy(block, "RSB1", 4);
    }
    struct epoll_event ready[READY];
    for (int got = epoll_wait(silent, ready, READY, 0), i = 0; i < got; i++)
      at = drain(rtcp[ready[i].data.u32], ready[i].data.u32, 1, offset, at, &packets);
    if (at > buffer && write(log_file, buffer, at - buffer) < 0) perror("write");
  }
  printf("{\"packets\":%lld}\n", (long long)packets);
  return 0;
}
