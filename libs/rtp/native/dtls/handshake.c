// One handshake from its first datagram to its keys, and the repeats that the peer may still ask for.
#include "dtls.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static const char profiles[] = "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32";
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!PSK";
static const char label[] = "EXTRACTOR-dtls_srtp";
static const unsigned first_timeout_us = 250000, longest_timeout_us = 4000000;

// RFC 8122 §6: what is shown must be what the SDP has named. Names, dates and issuers say nothing here.
static int judge_certificate(X509_STORE_CTX *store, void *hint) {
  (void)hint;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  Handshake *handshake = SSL_get_app_data(ssl);
  X509 *certificate = X509_STORE_CTX_get0_cert(store);
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const EVP_MD *hash = handshake->hash ? EVP_get_digestbyname(handshake->hash) : NULL;
  if (hash && certificate && X509_digest(certificate, hash, digest, &length) == 1 && length == handshake->length) {
    for (uint32_t i = 0; i < handshake->count; i++)
      if (CRYPTO_memcmp(digest, handshake->digests[i], length) == 0) return 1;
  }
  handshake->differs = true;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

// A source that doesn't get what is sent to it gets no more than this (RFC 6347 §4.2.1).
static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *length) {
  const Handshake *handshake = SSL_get_app_data(ssl);
  memcpy(cookie, handshake->cookie, COOKIE);
  *length = COOKIE;
  return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned length) {
  const Handshake *handshake = SSL_get_app_data(ssl);
  return length == COOKIE && CRYPTO_memcmp(cookie, handshake->cookie, COOKIE) == 0;
}

// RFC 6347 §4.2.4.1 allows less than a second where time matters: what is said meanwhile can't be heard.
static unsigned next_timeout(SSL *ssl, unsigned before_us) {
  (void)ssl;
  if (before_us == 0) return first_timeout_us;
  return before_us >= longest_timeout_us / 2 ? longest_timeout_us : 2 * before_us;
}

SSL_CTX *open_context(void) {
  SSL_CTX *context = SSL_CTX_new(DTLS_method());
  if (!context) return NULL;
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_COOKIE_EXCHANGE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_cert_verify_callback(context, judge_certificate, NULL);
  SSL_CTX_set_cookie_generate_cb(context, make_cookie);
  SSL_CTX_set_cookie_verify_cb(context, check_cookie);
  // That one returns 0 where all is well.
  if (SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
      SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0)
    return context;
  SSL_CTX_free(context);
  return NULL;
}

static void set_reason(Handshake *handshake, const char *otherwise) {
  const char *said = NULL;
  unsigned long error = ERR_peek_last_error();
  if (error) said = ERR_reason_error_string(error);
  snprintf(handshake->reason, sizeof handshake->reason, "%s", said ? said : otherwise);
  if (handshake->differs) snprintf(handshake->reason, sizeof handshake->reason, "the certificate has another fingerprint than the SDP");
}

static State fail(Handshake *handshake, const char *otherwise) {
  set_reason(handshake, otherwise);
  ERR_clear_error();
  return handshake->state = FAILED;
}

bool open_handshake(Handshake *handshake, SSL_CTX *context, bool is_server, const char *pem, size_t length) {
  ERR_clear_error();
  handshake->ssl = SSL_new(context);
  handshake->in = BIO_new(BIO_s_dgram_mem());
  handshake->out = BIO_new(BIO_s_dgram_mem());
  bool good = handshake->ssl && handshake->in && handshake->out && RAND_bytes(handshake->cookie, COOKIE) == 1;
  if (good) {
    SSL_set_bio(handshake->ssl, handshake->in, handshake->out);
    SSL_set_app_data(handshake->ssl, handshake);
    DTLS_set_timer_cb(handshake->ssl, next_timeout);
    good = SSL_set_mtu(handshake->ssl, MTU) == MTU && use_identity(handshake->ssl, pem, length);
  } else {
    BIO_free(handshake->in);
    BIO_free(handshake->out);
  }
  if (!good) {
    fail(handshake, "no memory");
    close_handshake(handshake);
  } else if (is_server) {
    SSL_set_accept_state(handshake->ssl);
  } else {
    SSL_set_connect_state(handshake->ssl);
  }
  ERR_clear_error();
  return good;
}

void close_handshake(Handshake *handshake) {
  SSL_free(handshake->ssl);
  handshake->ssl = NULL;
  handshake->in = handshake->out = NULL;
}

// After its end: repeats of the peer's last flight ask for ours, and alerts and what else there is mean nothing to us.
static void hear(Handshake *handshake) {
  uint8_t unread[2048];
  for (int i = 0; i < 16 && SSL_read(handshake->ssl, unread, sizeof unread) > 0; i++) continue;
}

static State go_on(Handshake *handshake) {
  if (handshake->state == DONE) {
    hear(handshake);
  } else {
    int result = SSL_do_handshake(handshake->ssl);
    int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(handshake->ssl, result);
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) return fail(handshake, "the handshake was broken off");
    if (result == 1) {
      if (!SSL_get_selected_srtp_profile(handshake->ssl)) return fail(handshake, "no SRTP profile in common");
      handshake->state = DONE;
    }
  }
  ERR_clear_error();
  return handshake->state;
}

State step(Handshake *handshake, const void *datagram, size_t length) {
  if (!handshake->ssl || handshake->state == FAILED) return FAILED;
  ERR_clear_error();
  if (length > 0 && BIO_write(handshake->in, datagram, (int)length) <= 0) return fail(handshake, "no memory");
  return go_on(handshake);
}

State expire(Handshake *handshake) {
  if (!handshake->ssl || handshake->state == FAILED) return FAILED;
  ERR_clear_error();
  if (DTLSv1_handle_timeout(handshake->ssl) < 0) return fail(handshake, "no answer");
  ERR_clear_error();
  return handshake->state;
}

int32_t timeout_of(Handshake *handshake) {
  struct timeval left;
  if (!handshake->ssl || handshake->state == FAILED || DTLSv1_get_timeout(handshake->ssl, &left) != 1) return -1;
  return (int32_t)(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
}

int take_outgoing(Handshake *handshake, void *into, int room) {
  if (!handshake->ssl) return 0;
  int length = BIO_read(handshake->out, into, room);
  return length > 0 ? length : 0;
}

const char *export_keys(Handshake *handshake, uint8_t *into, size_t length) {
  if (!handshake->ssl || handshake->state != DONE) return NULL;
  const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(handshake->ssl);
  if (!profile || SSL_export_keying_material(handshake->ssl, into, length, label, sizeof label - 1, NULL, 0, 0) != 1) return NULL;
  return profile->name;
}
