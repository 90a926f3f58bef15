// Opens SRTP packets where they lie, by the OpenSSL that is part of Node: the cryptography of src/srtp/aes-cm.ts and aes-gcm.ts without a
// new cipher for each packet. Which key, which rollover counter and whether a packet came before is decided there.
#pragma once
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  HMAC_KEY = 20,
  HMAC_TAG = 20,
  GCM_TAG = 16,
  LONGEST_SALT = 14,
  SHORTEST = 12,        // of a packet: its fixed header
  LONGEST = 65536,
};

// The session keys of one direction, ready to be used.
typedef struct {
  EVP_CIPHER_CTX *aes;
  EVP_MAC_CTX *hmac;    // NULL: an AEAD
  uint8_t salt[LONGEST_SALT];
  size_t tag;           // bytes of it that a packet carries
} Cipher;

// A key of 16 or 32 bytes and a salt of 14 (with `authentication`, HMAC_KEY bytes) or 12 (without: GCM). False where OpenSSL can't.
bool open_cipher(Cipher *cipher, const uint8_t *key, size_t length, const uint8_t *salt, const uint8_t *authentication, size_t tag);
void close_cipher(Cipher *cipher);
// The length of the plain packet, or -1, and the packet is as it was: it is not genuine. `body` is where its payload begins; behind
// the payload are `mki` bytes that name the key. `plain`: authenticated only. `scratch` has room for LONGEST.
int32_t open_rtp(Cipher *cipher, uint8_t *packet, size_t length, size_t body, size_t mki, uint32_t roc, bool plain, uint8_t *scratch);
