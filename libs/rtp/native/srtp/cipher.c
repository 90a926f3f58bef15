// The two ciphers of SRTP: AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1) and AES in Galois/Counter mode (RFC 7714).
#include "srtp.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <string.h>

static EVP_MAC_CTX *open_hmac(const uint8_t *key) {
  char digest[] = "SHA1";
  OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end() };
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
  EVP_MAC_free(mac);
  if (context && EVP_MAC_init(context, key, HMAC_KEY, params)) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

bool open_cipher(Cipher *cipher, const uint8_t *key, size_t length, const uint8_t *salt, const uint8_t *authentication, size_t tag) {
  const bool is_long = length == 32;
  const EVP_CIPHER *mode = authentication ? (is_long ? EVP_aes_256_ctr() : EVP_aes_128_ctr())
                                          : (is_long ? EVP_aes_256_gcm() : EVP_aes_128_gcm());
  cipher->tag = tag;
  memcpy(cipher->salt, salt, authentication ? 14 : 12);
  cipher->aes = EVP_CIPHER_CTX_new();
  if (authentication) cipher->hmac = open_hmac(authentication);
  return cipher->aes && (cipher->hmac || !authentication) && EVP_DecryptInit_ex(cipher->aes, mode, NULL, key, NULL);
}

void close_cipher(Cipher *cipher) {
  EVP_CIPHER_CTX_free(cipher->aes);
  EVP_MAC_CTX_free(cipher->hmac);
  OPENSSL_cleanse(cipher, sizeof *cipher);
}

static void put_32(uint8_t *at, uint32_t value) {
  at[0] = value >> 24, at[1] = value >> 16, at[2] = value >> 8, at[3] = value;
}

static void xor_into(uint8_t *at, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) at[i] ^= bytes[i];
}

// RFC 3711 §4.2: of the packet without MKI and tag, and the rollover counter behind it.
static bool is_genuine(Cipher *cipher, const uint8_t *packet, size_t end, const uint8_t *expected, const uint8_t *roc) {
  uint8_t tag[HMAC_TAG];
  size_t length = 0;
  return EVP_MAC_init(cipher->hmac, NULL, 0, NULL) && EVP_MAC_update(cipher->hmac, packet, end) && EVP_MAC_update(cipher->hmac, roc, 4) &&
         EVP_MAC_final(cipher->hmac, tag, &length, sizeof tag) && CRYPTO_memcmp(tag, expected, cipher->tag) == 0;
}

static int32_t open_cm(Cipher *cipher, uint8_t *packet, size_t length, size_t body, size_t mki, const uint8_t *roc, bool plain) {
  if (length < body + mki + cipher->tag) return -1;
  size_t end = length - cipher->tag - mki;
  if (!is_genuine(cipher, packet, end, packet + length - cipher->tag, roc)) return -1;
  if (plain || end == body) return (int32_t)end;
  // RFC 3711 §4.1.1: salt, XOR the SSRC, XOR the index; the last two bytes count blocks.
  uint8_t iv[16] = { 0 };
  int written = 0;
  memcpy(iv + 4, packet + 8, 4);
  memcpy(iv + 8, roc, 4);
  memcpy(iv + 12, packet + 2, 2);
  xor_into(iv, cipher->salt, 14);
  if (!EVP_DecryptInit_ex(cipher->aes, NULL, NULL, NULL, iv)) return -1;
  if (!EVP_DecryptUpdate(cipher->aes, packet + body, &written, packet + body, (int)(end - body))) return -1;
  return (int32_t)end;
}

static int32_t open_gcm(Cipher *cipher, uint8_t *packet, size_t length, size_t body, size_t mki, const uint8_t *roc, uint8_t *scratch) {
  if (length < body + mki + GCM_TAG) return -1;
  size_t tag = length - mki - GCM_TAG;
  // RFC 7714 §8.1: zeros, SSRC, rollover counter, sequence number; salted.
  uint8_t iv[12] = { 0 };
  int written = 0;
  memcpy(iv + 2, packet + 8, 4);
  memcpy(iv + 6, roc, 4);
  memcpy(iv + 10, packet + 2, 2);
  xor_into(iv, cipher->salt, 12);
  // Decrypted elsewhere: only at its end the tag says whether it is genuine.
  if (!EVP_DecryptInit_ex(cipher->aes, NULL, NULL, NULL, iv) || !EVP_DecryptUpdate(cipher->aes, NULL, &written, packet, (int)body) ||
      !EVP_DecryptUpdate(cipher->aes, scratch, &written, packet + body, (int)(tag - body)) ||
      !EVP_CIPHER_CTX_ctrl(cipher->aes, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, packet + tag) ||
      EVP_DecryptFinal_ex(cipher->aes, scratch + (tag - body), &written) <= 0)
    return -1;
  memcpy(packet + body, scratch, tag - body);
  return (int32_t)tag;
}

int32_t open_rtp(Cipher *cipher, uint8_t *packet, size_t length, size_t body, size_t mki, uint32_t roc, bool plain, uint8_t *scratch) {
  uint8_t counter[4];
  if (body < SHORTEST || length > LONGEST || mki > length || body > length) return -1;
  put_32(counter, roc);
  if (cipher->hmac) return open_cm(cipher, packet, length, body, mki, counter, plain);
  // RFC 7714 knows no RTP that is authenticated only.
  return plain ? -1 : open_gcm(cipher, packet, length, body, mki, counter, scratch);
}
