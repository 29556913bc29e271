// May this process use the matrix tiles of x86 (AMX: tiles, bf16, int8)?
#pragma once

namespace rwkv {

// Asks the kernel for them the first time; any thread may call it. False where the CPU or the kernel has none.
bool amx_is_permitted();

} // namespace rwkv
