// What JavaScript calls, on N-API. Indexes and buffers are src/native-source.ts' own; what comes from outside is judged behind.
#include "source.h"
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { RUN = 4 }; // words that tell of a run

static Source *arguments_of(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  void *source = NULL;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_external(env, values[0], &source);
  return source;
}

static uint32_t number_of(napi_env env, napi_value value) {
  uint32_t number = 0;
  napi_get_value_uint32(env, value, &number);
  return number;
}

static napi_value to_number(napi_env env, int32_t number) {
  napi_value value = NULL;
  napi_create_int32(env, number, &value);
  return value;
}

static void *bytes_of(napi_env env, napi_value value, size_t *length) {
  void *bytes = NULL;
  napi_get_typedarray_info(env, value, NULL, length, &bytes, NULL, NULL);
  return bytes;
}

static void free_source(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  Source *source = data;
  for (uint32_t i = 0; i < source->count; i++) close_stream(&source->streams[i]);
  if (source->epoll >= 0) close(source->epoll);
  free(source->streams);
  free(source->datagrams);
  free(source->sides);
  free(source);
}

// create(): source
static napi_value js_create(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value value = NULL;
  Source *source = calloc(1, sizeof *source);
  if (source) source->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (source) source->datagrams = malloc((size_t)BATCH * APART);
  if (source) source->sides = malloc(SIDE_OF_ALL * sizeof *source->sides);
  if (!source || !source->datagrams || !source->sides || source->epoll < 0) {
    if (source) free_source(env, source, NULL);
    napi_throw_error(env, "ENOMEM", "no memory or descriptors for a packet source");
    return NULL;
  }
  for (int i = 0; i < BATCH; i++) {
    source->pieces[i] = (struct iovec){ source->datagrams[i], LONGEST };
    source->messages[i].msg_hdr = (struct msghdr){
      .msg_name = &source->names[i], .msg_iov = &source->pieces[i], .msg_iovlen = 1, .msg_control = source->controls[i],
    };
    expect_message(source, i);
  }
  if (napi_create_external(env, source, free_source, NULL, &value) != napi_ok) free_source(env, source, NULL);
  return value;
}

// open(source, index, slot, address, rtpPort, bufferBytes): 0 or -errno
static napi_value js_open(napi_env env, napi_callback_info info) {
  napi_value a[6];
  char address[128] = "";
  Source *source = arguments_of(env, info, 6, a);
  napi_get_value_string_utf8(env, a[3], address, sizeof address, NULL);
  int buffer_bytes = (int)number_of(env, a[5]);
  return to_number(env, open_stream(source, number_of(env, a[1]), number_of(env, a[2]), address, number_of(env, a[4]), buffer_bytes));
}

// drain(source, frames: Buffer, at, gap, runs: Int32Array, seed, first, end): count of runs, of the streams from `first` to before `end`. runs: [1 if there is more, 2 if there are handshakes;
// slot, from, to, CRC-32; …].
// Lays them from `at` on, where there must be room for LARGEST, each behind a gap.
static napi_value js_drain(napi_env env, napi_callback_info info) {
  napi_value a[8];
  Source *source = arguments_of(env, info, 8, a);
  size_t length = 0, room = 0;
  uint8_t *frames = bytes_of(env, a[1], &length), *at = frames + number_of(env, a[2]), *full = at + FULL;
  uint32_t gap = number_of(env, a[3]), seed = number_of(env, a[5]), *runs = bytes_of(env, a[4], &room), count = 0;
  uint32_t first = number_of(env, a[6]), end = number_of(env, a[7]);
  if (end > source->count) end = source->count;
  if (room < 1 + RUN) return to_number(env, 0);
  runs[0] = 0;
  if ((size_t)(at - frames) + LARGEST > length || gap > MOST_GAP) return to_number(env, 0);
  if (!source->begun) begin_drain(source, first);
  while (source->stream < end && at + gap < full && 1 + RUN * (count + 1) <= room) {
    uint32_t slot = source->streams[source->stream].slot;
    uint8_t *from = at + gap, *to = drain_stream(source, from, full);
    if (to == from) continue;
    uint32_t *run = &runs[1 + RUN * count++];
    run[0] = slot, run[1] = from - frames, run[2] = to - frames, run[3] = crc_of(seed, from, to - from);
    at = to;
  }
  source->begun = source->stream < end;
  runs[0] = source->begun;
  if (source->side_taken < source->side_count) runs[0] |= 2;
  return to_number(env, count);
}

// shakesHands(source, index, whether)
static napi_value js_shakes_hands(napi_env env, napi_callback_info info) {
  napi_value a[3];
  Source *source = arguments_of(env, info, 3, a);
  napi_get_value_bool(env, a[2], &source->streams[number_of(env, a[1])].shakes_hands);
  return NULL;
}

// handshake(source, into: Buffer, about: Uint32Array): length of the next DTLS datagram, 0 if there is none left. Behind it lies the
// body of a source frame. about: slot, socket, length of that body.
static napi_value js_handshake(napi_env env, napi_callback_info info) {
  napi_value a[3];
  size_t room = 0, words = 0;
  Source *source = arguments_of(env, info, 3, a);
  uint8_t *into = bytes_of(env, a[1], &room);
  uint32_t *about = bytes_of(env, a[2], &words);
  if (source->side_taken == source->side_count || room < LONGEST_SIDE + SOURCE_BODY || words < 3) {
    source->side_taken = source->side_count = 0;
    return to_number(env, 0);
  }
  const Side *side = &source->sides[source->side_taken++];
  memcpy(into, side->bytes, side->length);
  memcpy(into + side->length, side->sender.body, side->sender.length);
  about[0] = side->slot, about[1] = side->socket, about[2] = side->sender.length;
  return to_number(env, (int32_t)side->length);
}

// close(source, index)
static napi_value js_close(napi_env env, napi_callback_info info) {
  napi_value a[2];
  Source *source = arguments_of(env, info, 2, a);
  close_stream(&source->streams[number_of(env, a[1])]);
  return NULL;
}

// count(source, index, into: Uint32Array): malformed and overflowed
static napi_value js_count(napi_env env, napi_callback_info info) {
  napi_value a[3];
  size_t room = 0;
  Source *source = arguments_of(env, info, 3, a);
  const Stream *stream = &source->streams[number_of(env, a[1])];
  uint32_t *into = bytes_of(env, a[2], &room);
  if (room >= 2) into[0] = stream->malformed, into[1] = stream->overflowed[RTP] + stream->overflowed[RTCP];
  return NULL;
}

// send(source, index, socket, packet, address, port): 0 or -errno
static napi_value js_send(napi_env env, napi_callback_info info) {
  napi_value a[6];
  char address[128] = "";
  size_t length = 0;
  Source *source = arguments_of(env, info, 6, a);
  const Stream *stream = &source->streams[number_of(env, a[1])];
  int socket = number_of(env, a[2]) == RTP ? RTP : RTCP;
  const void *packet = bytes_of(env, a[3], &length);
  napi_get_value_string_utf8(env, a[4], address, sizeof address, NULL);
  return to_number(env, send_from(stream, socket, packet, length, address, number_of(env, a[5])));
}

// beIdle(): of the calling thread, 1 if it waits for processors, 2 if it waits for disks
static napi_value js_be_idle(napi_env env, napi_callback_info info) {
  (void)info;
  return to_number(env, (idle_processor() == 0) | (idle_disk() == 0) << 1);
}

NAPI_MODULE_INIT() {
  static const struct { const char *name; napi_callback call; } functions[] = {
    { "create", js_create }, { "open", js_open }, { "drain", js_drain },
    { "close", js_close }, { "count", js_count }, { "send", js_send }, { "shakesHands", js_shakes_hands },
    { "handshake", js_handshake }, { "beIdle", js_be_idle },
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value call;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &call);
    napi_set_named_property(env, exports, functions[i].name, call);
  }
  napi_value largest, checksums;
  napi_get_boolean(env, has_crc(), &checksums);
  napi_set_named_property(env, exports, "checksums", checksums);
  napi_create_uint32(env, LARGEST, &largest);
  napi_set_named_property(env, exports, "bufferBytes", largest);
  return exports;
}
