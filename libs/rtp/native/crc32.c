// CRC-32 as zlib has it (polynomial 0x04c11db7, bits reflected), by carry-less multiplication: 16 bytes are folded onto those that
// lie 16 or 64 further, as remainders of x^n have it ("Fast CRC Computation Using PCLMULQDQ", Intel 2009). zlib in Node
// goes without, and takes six times as long.
#include "source.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { FOLD = 16, STRIDE = 64 };

// Remainders of powers of x, reflected: of 64 and 16 bytes onwards, and of 8 and 4; and the polynomial with its inverse (Barrett).
static const uint64_t BY_64[2] = { 0x154442bd4, 0x1c6e41596 }, BY_16[2] = { 0x1751997d0, 0x0ccaa009e };
static const uint64_t BY_4[2] = { 0x163cd6124, 0 }, BARRETT[2] = { 0x1db710641, 0x1f7011641 };

static uint32_t by_bytes(uint32_t crc, const uint8_t *bytes, size_t length) {
  static const uint32_t nibbles[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
  };
  while (length-- > 0) {
    crc ^= *bytes++;
    crc = crc >> 4 ^ nibbles[crc & 15];
    crc = crc >> 4 ^ nibbles[crc & 15];
  }
  return crc;
}

#define FOLDING __attribute__((target("pclmul,sse4.1"), always_inline)) static inline

FOLDING __m128i at(const void *bytes) {
  return _mm_loadu_si128(bytes);
}

FOLDING __m128i fold(__m128i onto, __m128i from, __m128i by) {
  __m128i low = _mm_clmulepi64_si128(from, by, 0x00), high = _mm_clmulepi64_si128(from, by, 0x11);
  return _mm_xor_si128(onto, _mm_xor_si128(low, high));
}

// The remainder of 16 bytes.
FOLDING uint32_t reduce(__m128i all) {
  const __m128i words = _mm_setr_epi32(-1, 0, -1, 0), barrett = at(BARRETT);
  all = _mm_xor_si128(_mm_srli_si128(all, 8), _mm_clmulepi64_si128(all, at(BY_16), 0x10));
  all = _mm_xor_si128(_mm_srli_si128(all, 4), _mm_clmulepi64_si128(_mm_and_si128(all, words), at(BY_4), 0x00));
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(all, words), barrett, 0x10);
  return _mm_extract_epi32(_mm_xor_si128(all, _mm_clmulepi64_si128(_mm_and_si128(quotient, words), barrett, 0x00)), 1);
}

__attribute__((target("pclmul,sse4.1")))
static uint32_t by_folding(uint32_t crc, const uint8_t *bytes, size_t length) {
  const __m128i by_64 = at(BY_64), by_16 = at(BY_16);
  __m128i a = at(bytes), b = at(bytes + 16), c = at(bytes + 32), d = at(bytes + 48);
  a = _mm_xor_si128(a, _mm_cvtsi32_si128((int)crc));
  for (bytes += STRIDE, length -= STRIDE; length >= STRIDE; bytes += STRIDE, length -= STRIDE) {
    a = fold(at(bytes), a, by_64), b = fold(at(bytes + 16), b, by_64);
    c = fold(at(bytes + 32), c, by_64), d = fold(at(bytes + 48), d, by_64);
  }
  a = fold(d, fold(c, fold(b, a, by_16), by_16), by_16);
  for (; length >= FOLD; bytes += FOLD, length -= FOLD) a = fold(at(bytes), a, by_16);
  return by_bytes(reduce(a), bytes, length);
}

bool has_crc(void) {
  return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

uint32_t crc_of(uint32_t seed, const uint8_t *bytes, size_t length) {
  if (!has_crc()) return 0;
  return ~(length < STRIDE ? by_bytes(~seed, bytes, length) : by_folding(~seed, bytes, length));
}

#else

bool has_crc(void) {
  return false;
}

uint32_t crc_of(uint32_t seed, const uint8_t *bytes, size_t length) {
  (void)seed, (void)bytes, (void)length;
  return 0;
}

#endif
