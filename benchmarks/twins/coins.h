/* Philox 4x32-10 and the uniform draw, as in folkmoot/coins.py. */
#include <stdint.h>

enum { LINK = 1, REWARD = 2 };

typedef struct { uint32_t w[4]; } Block;

static inline Block philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (Block){{c0, c1, c2, c3}};
}

static inline double uniform(Block b) { return ((b.w[0] >> 5) * 67108864.0 + (b.w[1] >> 6)) * 0x1p-53; }

static inline double bernoulli(Block key, double p, int64_t t, int64_t i, int64_t arm) {
    Block b = philox((uint32_t)t, (uint32_t)i, (uint32_t)arm, REWARD, key.w[0], key.w[1]);
    return uniform(b) < p ? 1.0 : 0.0;
}
