// What JavaScript calls, on N-API. Arguments are src/srtp/dtls-addon.ts' own; what comes from outside is judged behind.
#include "dtls.h"
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <stdlib.h>
#include <string.h>

static Handshake *arguments_of(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  void *handshake = NULL;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_external(env, values[0], &handshake);
  return handshake;
}

static napi_value to_number(napi_env env, int32_t number) {
  napi_value value = NULL;
  napi_create_int32(env, number, &value);
  return value;
}

static napi_value to_text(napi_env env, const char *text, size_t length) {
  napi_value value = NULL;
  napi_create_string_utf8(env, text, length, &value);
  return value;
}

static void *bytes_of(napi_env env, napi_value value, size_t *length) {
  void *bytes = NULL;
  *length = 0;
  napi_get_typedarray_info(env, value, NULL, length, &bytes, NULL, NULL);
  return bytes;
}

static void free_context(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  SSL_CTX_free(data);
}

static void free_handshake(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  close_handshake(data);
  free(data);
}

// identity(): { pem, fingerprint: Buffer }
static napi_value js_identity(napi_env env, napi_callback_info info) {
  (void)info;
  uint8_t digest[32];
  char *pem = NULL;
  napi_value result = NULL, bytes = NULL;
  ERR_clear_error();
  BIO *bio = BIO_new(BIO_s_secmem());
  if (bio && make_identity(bio, digest)) {
    long length = BIO_get_mem_data(bio, &pem);
    napi_create_object(env, &result);
    napi_set_named_property(env, result, "pem", to_text(env, pem, (size_t)length));
    napi_create_buffer_copy(env, sizeof digest, digest, NULL, &bytes);
    napi_set_named_property(env, result, "fingerprint", bytes);
  } else {
    napi_throw_error(env, "DTLS_IDENTITY", "no certificate could be made");
  }
  BIO_free(bio);
  ERR_clear_error();
  return result;
}

// open(isServer, pem: Buffer, hash, digests: Buffer of those one after the other, digestLength): handshake
static napi_value js_open(napi_env env, napi_callback_info info) {
  napi_value a[5], value = NULL;
  size_t count = 5, length = 0, all = 0;
  bool is_server = false;
  char hash[16] = "";
  void *context = NULL;
  napi_get_cb_info(env, info, &count, a, NULL, NULL);
  napi_get_instance_data(env, &context);
  Handshake *handshake = calloc(1, sizeof *handshake);
  if (!handshake) {
    napi_throw_error(env, "ENOMEM", "no memory for a handshake");
    return NULL;
  }
  napi_get_value_bool(env, a[0], &is_server);
  const char *pem = bytes_of(env, a[1], &length);
  napi_get_value_string_utf8(env, a[2], hash, sizeof hash, NULL);
  const uint8_t *digests = bytes_of(env, a[3], &all);
  napi_get_value_uint32(env, a[4], &handshake->length);
  const char *known[] = { "SHA256", "SHA384", "SHA512" };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(hash, known[i]) == 0) handshake->hash = known[i];
  if (handshake->hash && handshake->length > 0 && handshake->length <= LONGEST_DIGEST) {
    for (; handshake->count < MOST_FINGERPRINTS && (handshake->count + 1) * handshake->length <= all; handshake->count++)
      memcpy(handshake->digests[handshake->count], digests + handshake->count * handshake->length, handshake->length);
  }
  if (!open_handshake(handshake, context, is_server, pem, length)) {
    napi_throw_error(env, "DTLS_OPEN", handshake->reason);
    free(handshake);
    return NULL;
  }
  if (napi_create_external(env, handshake, free_handshake, NULL, &value) != napi_ok) free_handshake(env, handshake, NULL);
  return value;
}

// step(handshake, datagram?: Buffer): State
static napi_value js_step(napi_env env, napi_callback_info info) {
  napi_value a[2];
  size_t length = 0;
  Handshake *handshake = arguments_of(env, info, 2, a);
  const void *datagram = bytes_of(env, a[1], &length);
  return to_number(env, step(handshake, datagram, length));
}

// expire(handshake): State
static napi_value js_expire(napi_env env, napi_callback_info info) {
  napi_value a[1];
  return to_number(env, expire(arguments_of(env, info, 1, a)));
}

// timeout(handshake): ms until it is to be expired; -1: never
static napi_value js_timeout(napi_env env, napi_callback_info info) {
  napi_value a[1];
  return to_number(env, timeout_of(arguments_of(env, info, 1, a)));
}

// outgoing(handshake, into: Buffer): length of the next datagram to be sent; 0: there is none
static napi_value js_outgoing(napi_env env, napi_callback_info info) {
  napi_value a[2];
  size_t room = 0;
  Handshake *handshake = arguments_of(env, info, 2, a);
  void *into = bytes_of(env, a[1], &room);
  return to_number(env, take_outgoing(handshake, into, (int)room));
}

// keys(handshake, into: Buffer): name of the profile; undefined as long as nothing is agreed. `into` is filled.
static napi_value js_keys(napi_env env, napi_callback_info info) {
  napi_value a[2];
  size_t room = 0;
  Handshake *handshake = arguments_of(env, info, 2, a);
  uint8_t *into = bytes_of(env, a[1], &room);
  const char *profile = export_keys(handshake, into, room);
  return profile ? to_text(env, profile, NAPI_AUTO_LENGTH) : NULL;
}

// reason(handshake): why it has failed
static napi_value js_reason(napi_env env, napi_callback_info info) {
  napi_value a[1];
  return to_text(env, arguments_of(env, info, 1, a)->reason, NAPI_AUTO_LENGTH);
}

// differs(handshake): whether it has failed because of the certificate
static napi_value js_differs(napi_env env, napi_callback_info info) {
  napi_value a[1], value = NULL;
  napi_get_boolean(env, arguments_of(env, info, 1, a)->differs, &value);
  return value;
}

// close(handshake): gives back what it holds before the garbage collector does
static napi_value js_close(napi_env env, napi_callback_info info) {
  napi_value a[1];
  close_handshake(arguments_of(env, info, 1, a));
  return NULL;
}

NAPI_MODULE_INIT() {
  static const struct { const char *name; napi_callback call; } functions[] = {
    { "identity", js_identity }, { "open", js_open }, { "step", js_step }, { "expire", js_expire }, { "timeout", js_timeout },
    { "outgoing", js_outgoing }, { "keys", js_keys }, { "reason", js_reason }, { "differs", js_differs }, { "close", js_close },
  };
  // Compiled for one OpenSSL and loaded beside another, nothing of what follows would be sure.
  SSL_CTX *context = OpenSSL_version_num() >> 20 == OPENSSL_VERSION_NUMBER >> 20 ? open_context() : NULL;
  if (!context || napi_set_instance_data(env, context, free_context, NULL) != napi_ok) {
    SSL_CTX_free(context);
    ERR_clear_error();
    napi_throw_error(env, "DTLS_LOAD", "OpenSSL is another than it was built for, or offers no DTLS");
    return NULL;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value call;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &call);
    napi_set_named_property(env, exports, functions[i].name, call);
  }
  return exports;
}
