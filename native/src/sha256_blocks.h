// The inner part of SHA-256: whole blocks of 64 bytes. Plain C++, or the instructions that some processors have for it,
// which hash a model of gigabytes in seconds. Includes nothing that a file for one processor must not include.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace rwkv {

using Sha256Blocks = void (*)(uint32_t *hash, const uint8_t *bytes, size_t block_count);

extern const uint32_t sha256_round_keys[64];
void sha256_blocks_plain(uint32_t *hash, const uint8_t *bytes, size_t block_count);
#if defined(RWKV_X86_TABLES)
void sha256_blocks_x86(uint32_t *hash, const uint8_t *bytes, size_t block_count);
#endif
// The quickest that this machine runs.
Sha256Blocks sha256_blocks();

} // namespace rwkv
