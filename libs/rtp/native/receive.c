// From the sockets to frames.
#include "source.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>

static int64_t clock_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void expect_message(Source *source, int i) {
  struct msghdr *header = &source->messages[i].msg_hdr;
  header->msg_namelen = sizeof source->names[i];
  header->msg_controllen = sizeof source->controls[i];
}

// RFC 5761 §4, as kindOfPacket in src/header.ts.
static int kind_of(const uint8_t *packet, uint32_t length) {
  if (length < 4 || packet[0] >> 6 != 2) return -1;
  if (packet[1] >= 192 && packet[1] <= 223) return RTCP;
  return length >= 12 ? RTP : -1;
}

static bool is_dtls(const uint8_t *packet, uint32_t length) {
  return length >= 13 && length <= LONGEST_SIDE && packet[0] >= 20 && packet[0] <= 63;
}

static void set_sender(Sender *sender, const struct sockaddr_storage *name) {
  uint8_t body[SOURCE_BODY];
  uint8_t length = 2;
  uint16_t port = 0;
  uint64_t start;
  memcpy(&start, name, sizeof start);
  if (start == sender->ipv4) return;
  sender->ipv4 = name->ss_family == AF_INET ? start : 0;
  if (name->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
    port = ntohs(v4->sin_port);
    memcpy(body + 2, &v4->sin_addr, 4);
    length += 4;
  } else {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;
    port = ntohs(v6->sin6_port);
    memcpy(body + 2, &v6->sin6_addr, 16);
    length += 16;
  }
  memcpy(body, &port, 2);
  if (sender->length == length && memcmp(sender->body, body, length) == 0) return;
  memcpy(sender->body, body, length);
  sender->length = length;
  sender->named = false;
}

// When the kernel had it, as CLOCK_MONOTONIC, and what it has dropped. A wall clock that was set meanwhile can't lead out of order.
static int64_t read_control(const Source *source, Stream *stream, int socket, struct msghdr *header) {
  int64_t arrival = source->now;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(c), sizeof time);
      arrival = time.tv_sec * 1000000000LL + time.tv_nsec + source->wall_to_monotonic;
    } else if (c->cmsg_type == SO_RXQ_OVFL) {
      memcpy(&stream->overflowed[socket], CMSG_DATA(c), sizeof(uint32_t));
    }
  }
  if (arrival < stream->arrivals[socket]) arrival = stream->arrivals[socket];
  if (arrival > source->now) arrival = source->now;
  stream->arrivals[socket] = arrival;
  return arrival;
}

static uint8_t *write_header(uint8_t *at, int64_t arrival, uint16_t length, uint16_t kind, uint32_t slot) {
  memcpy(at, &arrival, 8);
  memcpy(at + 8, &length, 2);
  memcpy(at + 10, &kind, 2);
  memcpy(at + 12, &slot, 4);
  return at + FRAME_HEADER;
}

static bool is_sender(const Sender *left, const Sender *right) {
  return left->length == right->length && memcmp(left->body, right->body, left->length) == 0;
}

// How many of them this sender has sent to the stream.
static uint32_t aside_of(const Source *source, const Stream *stream, const Sender *sender) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < source->side_count; i++)
    count += source->sides[i].slot == stream->slot && is_sender(&source->sides[i].sender, sender);
  return count;
}

// Whether there was room for datagram i of a batch among those that are no media.
static bool put_aside(Source *source, Stream *stream, int socket, int i) {
  if (stream->side_drain != source->drain) stream->side_drain = source->drain, stream->side_count = 0;
  if (stream->side_count >= SIDE_OF_STREAM || source->side_count >= SIDE_OF_ALL) return false;
  Side *side = &source->sides[source->side_count];
  side->sender.ipv4 = 0;
  set_sender(&side->sender, &source->names[i]);
  if (aside_of(source, stream, &side->sender) >= SIDE_OF_SENDER) return false;
  stream->side_count++;
  source->side_count++;
  side->slot = stream->slot, side->socket = socket, side->length = source->messages[i].msg_len;
  memcpy(side->bytes, source->datagrams[i], side->length);
  return true;
}

// Appends datagram i of a batch, with its sender where the run has not named it yet; returns the end.
static uint8_t *take(Source *source, Stream *stream, int socket, int i, uint8_t *at) {
  uint32_t length = source->messages[i].msg_len;
  int64_t arrival = read_control(source, stream, socket, &source->messages[i].msg_hdr);
  const uint8_t *datagram = source->datagrams[i];
  int kind = kind_of(datagram, length);
  if (kind < 0 || length >= LONGEST) {
    if (!stream->shakes_hands || !is_dtls(datagram, length) || !put_aside(source, stream, socket, i)) stream->malformed++;
    return at;
  }
  Sender *sender = &stream->senders[kind];
  set_sender(sender, &source->names[i]);
  if (!sender->named) {
    at = write_header(at, arrival, sender->length, kind + SOURCE_KINDS, stream->slot);
    memcpy(at, sender->body, sender->length);
    at += sender->length;
    sender->named = true;
  }
  at = write_header(at, arrival, length, kind, stream->slot);
  memcpy(at, datagram, length);
  return at + length;
}

// Takes what one socket holds; returns the end, and in *empty whether it was all.
static uint8_t *drain_socket(Source *source, Stream *stream, int socket, uint8_t *at, const uint8_t *full, bool *empty) {
  *empty = true;
  if (stream->sockets[socket] < 0) return at;
  while (source->rounds < ROUNDS) {
    if (at >= full) {
      *empty = false;
      return at;
    }
    source->rounds++;
    int got = recvmmsg(stream->sockets[socket], source->messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
      at = take(source, stream, socket, i, at);
      expect_message(source, i);
    }
    if (got < BATCH) return at;
  }
  return at;
}

uint8_t *drain_stream(Source *source, uint8_t *at, const uint8_t *full) {
  Stream *stream = &source->streams[source->stream];
  for (int kind = 0; kind < SOCKETS; kind++) stream->senders[kind].named = false;
  for (; source->socket < SOCKETS; source->socket++, source->rounds = 0) {
    if (source->socket == RTCP && !stream->rtcp_waits) continue;
    bool empty;
    at = drain_socket(source, stream, source->socket, at, full, &empty);
    if (!empty) return at;
  }
  stream->rtcp_waits = false;
  source->socket = RTP;
  source->rounds = 0;
  source->stream++;
  return at;
}

void begin_drain(Source *source, uint32_t first) {
  struct epoll_event events[READY];
  source->begun = true;
  source->stream = first;
  source->socket = source->rounds = 0;
  source->drain++;
  int got = READY;
  // What is ready goes to the end of the kernel's list: another look sees the others.
  for (uint32_t seen = 0; got == READY && seen <= source->count; seen += READY) {
    got = epoll_wait(source->epoll, events, READY, 0);
    for (int i = 0; i < got; i++) source->streams[events[i].data.u32].rtcp_waits = true;
  }
  source->now = clock_ns(CLOCK_MONOTONIC);
  source->wall_to_monotonic = source->now - clock_ns(CLOCK_REALTIME);
}
