// Binding, closing, sending.
#include "source.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

// An IP address, with a scope or without; NULL for anything else. To be freed.
static struct addrinfo *parse_address(const char *address, uint32_t port) {
  struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM };
  struct addrinfo *info = NULL;
  if (port > 65535 || getaddrinfo(address, NULL, &hints, &info) != 0) return NULL;
  if (info->ai_family == AF_INET6) ((struct sockaddr_in6 *)info->ai_addr)->sin6_port = htons(port);
  else ((struct sockaddr_in *)info->ai_addr)->sin_port = htons(port);
  return info;
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
  struct addrinfo *info = parse_address(address, port);
  if (!info) return -EINVAL;
  int on = 1;
  int fd = socket(info->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool good = fd >= 0;
  if (good && info->ai_family == AF_INET6) good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
  good = good && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
  good = good && bind(fd, info->ai_addr, info->ai_addrlen) == 0;
  int failure = good ? 0 : -errno;
  freeaddrinfo(info);
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
  struct addrinfo *to = parse_address(address, port);
  if (!to) return -EINVAL;
  ssize_t sent = sendto(stream->sockets[socket], packet, length, MSG_DONTWAIT | MSG_NOSIGNAL, to->ai_addr, to->ai_addrlen);
  int failure = sent < 0 ? -errno : 0;
  freeaddrinfo(to);
  return failure;
}
