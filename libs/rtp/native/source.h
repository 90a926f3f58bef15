// A packet source: what src/native-source.ts opens, drains and closes. Drained by the clock; one recvmmsg takes what a socket
// holds, with the kernel's arrival times, and it lies in the caller's memory as frames (src/packet-batch.ts). Nothing is
// allocated per packet, and nothing is static: every thread of a process may load it.
#pragma once
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "frames are little-endian, and written by plain stores"
#endif

enum {
  RTP, RTCP, SOCKETS,
  SOURCE_KINDS = 2,      // kind of a source frame = kind of its packets + 2
  BATCH = 32,            // datagrams of one recvmmsg
  LONGEST = 65536,       // of a datagram, and one more
  APART = LONGEST + 1600, // from one to the next: an odd number of cache lines, so that neighbours share no cache set
  FRAME_HEADER = 16,
  SOURCE_BODY = 18,
  // A recvmmsg may begin while the frames fill less than this: they are read again while the cache has them.
  FULL = 256 * 1024,
  MOST_GAP = 256,        // before a run
  LARGEST = FULL + MOST_GAP + BATCH * (LONGEST + 2 * FRAME_HEADER + SOURCE_BODY),
  ROUNDS = 256,          // of recvmmsg per socket and drain: a flood on one port must not hold up the others
  READY = 256,
  // DTLS (RFC 7983 §7) is no media: it lies apart, so much of one sender to a stream, of one stream and of all in a drain, and no more.
  SIDE_OF_SENDER = 8,
  SIDE_OF_STREAM = 32,
  SIDE_OF_ALL = 128,
  LONGEST_SIDE = 4096,
};

typedef struct {
  uint64_t ipv4;         // family, port and address as the kernel tells them
  uint8_t body[SOURCE_BODY];
  uint8_t length;
  bool named;            // in the run that is written
} Sender;

typedef struct {
  int sockets[SOCKETS];  // -1: closed
  uint32_t slot;
  bool rtcp_waits;
  bool shakes_hands;     // DTLS is taken
  uint32_t side_drain, side_count; // how many of them in which drain
  uint32_t malformed;
  uint32_t overflowed[SOCKETS]; // as the kernel counts them
  int64_t arrivals[SOCKETS]; // of the packet before
  Sender senders[SOCKETS];
} Stream;

// A datagram that is no media, and who sent it, as in a source frame.
typedef struct {
  uint32_t slot, socket;
  Sender sender;
  uint32_t length;
  uint8_t bytes[LONGEST_SIDE];
} Side;

typedef struct {
  Stream *streams;
  uint32_t count;
  int epoll;             // of the RTCP sockets: most of them are silent most of the time
  int64_t now, wall_to_monotonic;
  bool begun;            // a drain is not at its end, but goes on here:
  uint32_t stream, socket, rounds;
  struct mmsghdr messages[BATCH];
  struct iovec pieces[BATCH];
  struct sockaddr_storage names[BATCH];
  _Alignas(struct cmsghdr) uint8_t controls[BATCH][CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
  Side *sides;           // SIDE_OF_ALL; the kernel gives memory for what is touched
  uint32_t drain, side_count, side_taken;
  uint8_t (*datagrams)[APART]; // of which most use the beginning only: the kernel gives memory for what is touched
} Source;

// receive.c

// Makes message i of the next batch ready to be filled.
void expect_message(Source *source, int i);
// Finds out which RTCP sockets have something, and what time it is; the cursor is at the stream `first` then.
void begin_drain(Source *source, uint32_t first);
// Takes what both sockets of the stream at the cursor hold, as one run at `at`; returns its end. Moves the cursor on once they are
// empty; stops without that where `full` is reached.
uint8_t *drain_stream(Source *source, uint8_t *at, const uint8_t *full);

// crc32.c

// Whether this machine can do crc_of quickly.
bool has_crc(void);
// zlib's CRC-32 of these bytes by `seed`; 0 without has_crc.
uint32_t crc_of(uint32_t seed, const uint8_t *bytes, size_t length);

// sockets.c

// Binds both sockets or none; 0 or -errno.
int open_stream(Source *source, uint32_t index, uint32_t slot, const char *address, uint32_t port, int buffer_bytes);
void close_stream(Stream *stream);
// 0 or -errno. Never waits.
int send_from(const Stream *stream, int socket, const void *packet, size_t length, const char *address, uint32_t port);

// idle.c

// Lets the calling thread have the processors, or the disks, only while no other wants them; 0 or -errno.
int idle_processor(void);
int idle_disk(void);
