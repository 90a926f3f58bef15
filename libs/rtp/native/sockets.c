// Binding, closing, sending.
#include "source.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } Address;

// An IP address, with a scope or without, and a port; returns its length, 0 for anything else.
static socklen_t parse_address(Address *into, const char *address, uint32_t port) {
  if (port > 65535) return 0;
  *into = (Address){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
  if (inet_pton(AF_INET, address, &into->v4.sin_addr) == 1) return sizeof into->v4;
  struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM }, *info = NULL;
  if (getaddrinfo(address, NULL, &hints, &info) != 0) return 0;
  socklen_t length = info->ai_family == AF_INET6 ? sizeof into->v6 : 0;
  if (length) memcpy(into, info->ai_addr, length), into->v6.sin6_port = htons(port);
  freeaddrinfo(info);
  return length;
}

static void want_buffer(int fd, int bytes) {
  int has = 0;
  socklen_t length = sizeof has;
  // The kernel doubles what it is given, and tells the doubled figure. Forcing it past the machine's limit takes a privilege.
  int half = bytes / 2 + bytes % 2;
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &has, &length) == 0 && has >= bytes) return;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof half) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &half, sizeof half);
}

// A bound socket, or -errno.
static int bind_socket(const char *address, uint32_t port, int buffer_bytes) {
  Address at;
  socklen_t length = parse_address(&at, address, port);
  if (!length) return -EINVAL;
  int on = 1;
  int fd = socket(at.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool good = fd >= 0;
  if (good && at.any.sa_family == AF_INET6) good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
  good = good && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
  good = good && bind(fd, &at.any, length) == 0;
  int failure = good ? 0 : -errno;
  if (!good) {
    if (fd >= 0) close(fd);
    return failure;
  }
  setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  want_buffer(fd, buffer_bytes);
  return fd;
}

void close_stream(Stream *stream) {
  for (int i = 0; i < SOCKETS; i++) {
    if (stream->sockets[i] >= 0) close(stream->sockets[i]);
    stream->sockets[i] = -1;
  }
  stream->rtcp_waits = false;
}

// Room for the stream at `index`; what is new is closed.
static bool reserve(Source *source, uint32_t index) {
  if (index < source->count) return true;
  Stream *larger = realloc(source->streams, (index + 1) * 2 * sizeof *larger);
  if (!larger) return false;
  source->streams = larger;
  for (; source->count <= index; source->count++) source->streams[source->count] = (Stream){ .sockets = { -1, -1 } };
  return true;
}

int open_stream(Source *source, uint32_t index, uint32_t slot, const char *address, uint32_t port, int buffer_bytes) {
  if (!reserve(source, index)) return -ENOMEM;
  Stream stream = { .slot = slot, .sockets = { bind_socket(address, port, buffer_bytes), -1 } };
  if (stream.sockets[RTP] < 0) return stream.sockets[RTP];
  stream.sockets[RTCP] = bind_socket(address, port + 1, 0);
  int failure = stream.sockets[RTCP] < 0 ? stream.sockets[RTCP] : 0;
  struct epoll_event interest = { .events = EPOLLIN, .data.u32 = index };
  if (!failure && epoll_ctl(source->epoll, EPOLL_CTL_ADD, stream.sockets[RTCP], &interest) != 0) failure = -errno;
  if (failure) close_stream(&stream);
  else source->streams[index] = stream;
  return failure;
}

int send_from(const Stream *stream, int socket, const void *packet, size_t length, const char *address, uint32_t port) {
  Address to;
  socklen_t to_length = parse_address(&to, address, port);
  if (!to_length) return -EINVAL;
  ssize_t sent = sendto(stream->sockets[socket], packet, length, MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, to_length);
  return sent < 0 ? -errno : 0;
}
