// Keys and certificates: nobody vouches for them but the fingerprint in the SDP (RFC 5763 §5).
#include "dtls.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

enum { DAY = 24 * 60 * 60 };

static bool fill(X509 *certificate, EVP_PKEY *key) {
  uint64_t serial = 0;
  X509_NAME *name = X509_get_subject_name(certificate);
  // A clock that is a day behind ours must not refuse it, nor a call that lasts for weeks.
  return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 && X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY) && X509_gmtime_adj(X509_getm_notAfter(certificate), 365 * DAY) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"reelstream", -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool make_identity(BIO *pem, uint8_t *digest) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  bool good = key && certificate && fill(certificate, key) && X509_digest(certificate, EVP_sha256(), digest, NULL) == 1 &&
              PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1 && PEM_write_bio_X509(pem, certificate) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  return good;
}

bool use_identity(SSL *ssl, const char *pem, size_t length) {
  BIO *bio = BIO_new_mem_buf(pem, (int)length);
  EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
  X509 *certificate = key ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  bool good = certificate && SSL_use_certificate(ssl, certificate) == 1 && SSL_use_PrivateKey(ssl, key) == 1 &&
              SSL_check_private_key(ssl) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(bio);
  return good;
}
