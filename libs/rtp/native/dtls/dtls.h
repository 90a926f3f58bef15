// DTLS handshakes that agree on SRTP keys (RFC 5764), by the OpenSSL that is part of Node. Datagrams come from and go to the
// caller: nothing here has a socket, a timer or a thread, and nothing is static but what OpenSSL keeps itself.
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MTU = 1200,            // of what we send: fits every network
  COOKIE = 16,
  MOST_FINGERPRINTS = 8,
  LONGEST_DIGEST = 64,
  LONGEST_MATERIAL = 2 * (32 + 14), // two keys and salts of the largest profile
  REASON = 160,
};

typedef enum { SHAKING, DONE, FAILED } State;

typedef struct {
  SSL *ssl;              // owns both BIOs
  BIO *in, *out;
  State state;
  bool differs;          // the certificate has none of the fingerprints
  uint8_t cookie[COOKIE];
  const char *hash;      // of the fingerprints
  uint8_t digests[MOST_FINGERPRINTS][LONGEST_DIGEST];
  uint32_t count, length; // of the digests, of each
  char reason[REASON];
} Handshake;

// handshake.c

// What all handshakes share; NULL, with a reason in OpenSSL's queue.
SSL_CTX *open_context(void);
// Begins one with the key and certificate in `pem`; false, with a reason, where that can't be.
bool open_handshake(Handshake *handshake, SSL_CTX *context, bool is_server, const char *pem, size_t length);
void close_handshake(Handshake *handshake);
// Goes on as far as it can with one datagram of the peer's, or without.
State step(Handshake *handshake, const void *datagram, size_t length);
// Its timer has run out: what was sent last is sent again.
State expire(Handshake *handshake);
// Milliseconds until then; -1: none runs.
int32_t timeout_of(Handshake *handshake);
// The next datagram to be sent; its length, 0 if there is none.
int take_outgoing(Handshake *handshake, void *into, int room);
// Exports keying material (RFC 5764 §4.2) and names its profile; NULL where nothing was agreed.
const char *export_keys(Handshake *handshake, uint8_t *into, size_t length);

// identity.c

// Makes a key and a certificate that it has signed itself, as PEM in `pem`, and the SHA-256 of the latter.
bool make_identity(BIO *pem, uint8_t *digest);
// Has the handshake show the key and certificate in `pem`.
bool use_identity(SSL *ssl, const char *pem, size_t length);
