// What JavaScript calls, on N-API. Indexes and buffers are src/native-source.ts' own; what comes from outside is judged behind.
#include "source.h"
#include <node_api.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

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
  free(source->rests);
  free(source);
}

// create(): source
static napi_value js_create(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value value = NULL;
  Source *source = calloc(1, sizeof *source);
  if (source) source->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (source) source->rests = malloc((size_t)BATCH * LONGEST);
  if (!source || !source->rests || source->epoll < 0) {
    if (source) free_source(env, source, NULL);
    napi_throw_error(env, "ENOMEM", "no memory or descriptors for a packet source");
    return NULL;
  }
  for (int i = 0; i < BATCH; i++) {
    source->pieces[i][0] = (struct iovec){ source->ordinary[i], ORDINARY };
    source->pieces[i][1] = (struct iovec){ source->rests[i], LONGEST };
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

// drain(source, frames: Buffer of LARGEST, runs: Uint32Array): count of runs. runs: [1 if there is more; index, from, to; …]
static napi_value js_drain(napi_env env, napi_callback_info info) {
  napi_value a[3];
  Source *source = arguments_of(env, info, 3, a);
  size_t length = 0, room = 0;
  uint8_t *frames = bytes_of(env, a[1], &length), *at = frames;
  uint32_t *runs = bytes_of(env, a[2], &room), count = 0;
  if (length < LARGEST || room < 4) return to_number(env, 0);
  if (source->stream == 0 && source->socket == 0 && source->rounds == 0) begin_drain(source);
  while (source->stream < source->count && at < frames + FULL && 3 * count + 4 <= room) {
    uint32_t index = source->stream, from = at - frames;
    at = drain_stream(source, at, frames + FULL);
    if (at - frames == from) continue;
    uint32_t *run = &runs[1 + 3 * count++];
    run[0] = index, run[1] = from, run[2] = at - frames;
  }
  runs[0] = source->stream < source->count;
  if (!runs[0]) source->stream = 0;
  return to_number(env, count);
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

NAPI_MODULE_INIT() {
  static const struct { const char *name; napi_callback call; } functions[] = {
    { "create", js_create }, { "open", js_open }, { "drain", js_drain },
    { "close", js_close }, { "count", js_count }, { "send", js_send },
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value call;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &call);
    napi_set_named_property(env, exports, functions[i].name, call);
  }
  napi_value largest;
  napi_create_uint32(env, LARGEST, &largest);
  napi_set_named_property(env, exports, "bufferBytes", largest);
  return exports;
}
