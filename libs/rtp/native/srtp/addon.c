// What JavaScript calls, on N-API. Arguments are src/srtp/native-cipher.ts' own; what comes from outside is judged behind.
#include "srtp.h"
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <stdlib.h>

static void *bytes_of(napi_env env, napi_value value, size_t *length) {
  void *bytes = NULL;
  *length = 0;
  napi_get_typedarray_info(env, value, NULL, length, &bytes, NULL, NULL);
  return bytes;
}

static uint32_t number_of(napi_env env, napi_value value) {
  uint32_t number = 0;
  napi_get_value_uint32(env, value, &number);
  return number;
}

static void free_cipher(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  close_cipher(data);
  free(data);
}

static void free_scratch(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  free(data);
}

// open(encryption: Buffer, salt: Buffer, authentication: Buffer, tagLength): cipher. Without a key for authentication it is an AEAD.
static napi_value js_open(napi_env env, napi_callback_info info) {
  napi_value a[4], value = NULL;
  size_t count = 4, key = 0, salt = 0, authentication = 0;
  napi_get_cb_info(env, info, &count, a, NULL, NULL);
  const uint8_t *key_bytes = bytes_of(env, a[0], &key), *salt_bytes = bytes_of(env, a[1], &salt);
  const uint8_t *authentication_bytes = bytes_of(env, a[2], &authentication);
  uint32_t tag = number_of(env, a[3]);
  bool is_aead = authentication == 0;
  bool fits = (key == 16 || key == 32) && salt == (is_aead ? 12 : 14) && (is_aead ? tag == GCM_TAG : authentication == HMAC_KEY && tag <= HMAC_TAG);
  Cipher *cipher = fits ? calloc(1, sizeof *cipher) : NULL;
  ERR_clear_error();
  if (!cipher || !open_cipher(cipher, key_bytes, key, salt_bytes, is_aead ? NULL : authentication_bytes, tag)) {
    if (cipher) free_cipher(env, cipher, NULL);
    ERR_clear_error();
    napi_throw_error(env, "SRTP_OPEN", "no cipher of these keys could be made");
    return NULL;
  }
  if (napi_create_external(env, cipher, free_cipher, NULL, &value) != napi_ok) free_cipher(env, cipher, NULL);
  return value;
}

// openRtp(cipher, packet: Buffer, bodyAt, mkiLength, roc, plain): length of the plain packet, or -1
static napi_value js_open_rtp(napi_env env, napi_callback_info info) {
  napi_value a[6], value = NULL;
  size_t count = 6, length = 0;
  void *cipher = NULL, *scratch = NULL;
  bool plain = false;
  napi_get_cb_info(env, info, &count, a, NULL, NULL);
  napi_get_value_external(env, a[0], &cipher);
  napi_get_instance_data(env, &scratch);
  uint8_t *packet = bytes_of(env, a[1], &length);
  napi_get_value_bool(env, a[5], &plain);
  int32_t result = open_rtp(cipher, packet, length, number_of(env, a[2]), number_of(env, a[3]), number_of(env, a[4]), plain, scratch);
  // Node's own crypto must not find our errors among its own.
  if (result < 0) ERR_clear_error();
  napi_create_int32(env, result, &value);
  return value;
}

NAPI_MODULE_INIT() {
  static const struct { const char *name; napi_callback call; } functions[] = { { "open", js_open }, { "openRtp", js_open_rtp } };
  // Compiled for one OpenSSL and loaded beside another, nothing of what follows would be sure.
  void *scratch = OpenSSL_version_num() >> 20 == OPENSSL_VERSION_NUMBER >> 20 ? malloc(LONGEST) : NULL;
  if (!scratch || napi_set_instance_data(env, scratch, free_scratch, NULL) != napi_ok) {
    free(scratch);
    napi_throw_error(env, "SRTP_LOAD", "OpenSSL is another than it was built for");
    return NULL;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value call;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &call);
    napi_set_named_property(env, exports, functions[i].name, call);
  }
  return exports;
}
