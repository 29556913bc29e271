// One fiber per CUDA thread of the running block: a stack of its own, entered and left by a switch of registers. Knows
// nothing of CUDA. AddressSanitizer is told of every switch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
// Keeps the registers a call must keep, leaves the stack pointer in *from and goes on with the stack of `to`.
extern "C" void rwkv_emu_switch(void **from, void *to);
asm(".pushsection .text\n.weak rwkv_emu_switch\n.type rwkv_emu_switch,@function\nrwkv_emu_switch:\n"
    "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
    ".size rwkv_emu_switch,.-rwkv_emu_switch\n.popsection\n");
#endif

namespace emu {

inline constexpr size_t stack_bytes = 128 * 1024, guard_bytes = 4096;

// Where a flow of control goes on: the scheduler's own, or a fiber.
struct Context {
#if defined(__x86_64__)
  void *pointer = nullptr;
#else
  ucontext_t context;
#endif
  void *fake = nullptr;         // AddressSanitizer's
  const void *bottom = nullptr; // of its stack; unknown for the scheduler until a fiber began
  size_t bytes = 0;
};

// `last`: `from` never goes on.
inline void switch_context(Context &from, Context &to, [[maybe_unused]] bool last = false) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &from.fake, to.bottom, to.bytes);
#endif
#if defined(__x86_64__)
  rwkv_emu_switch(&from.pointer, to.pointer);
#else
  swapcontext(&from.context, &to.context);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake, nullptr, nullptr);
#endif
}

// The first thing a fiber does: learns the stack of the scheduler that began it.
inline void fiber_began([[maybe_unused]] Context &scheduler) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &scheduler.bottom, &scheduler.bytes);
#endif
}

// Stacks, kept from block to block. A page that cannot be touched lies below each.
class Stacks {
public:
  Stacks() = default;
  Stacks(const Stacks &) = delete;
  Stacks &operator=(const Stacks &) = delete;
  ~Stacks() { drop(); }

  void hold(size_t count) {
    if (count <= count_) return;
    drop();
    void *const memory = mmap(nullptr, count * (stack_bytes + guard_bytes), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    memory_ = static_cast<char *>(memory), count_ = count;
    for (size_t index = 0; index < count; ++index)
      if (mprotect(memory_ + index * (stack_bytes + guard_bytes), guard_bytes, PROT_NONE)) std::abort();
  }

  // A fiber that begins with `entry`, which must never return.
  void begin(Context &fiber, size_t index, void (*entry)()) {
    char *const bottom = memory_ + index * (stack_bytes + guard_bytes) + guard_bytes;
    fiber.bottom = bottom, fiber.bytes = stack_bytes, fiber.fake = nullptr;
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(bottom, stack_bytes); // what the last fiber here left
#endif
#if defined(__x86_64__)
    void **top = reinterpret_cast<void **>(bottom + stack_bytes);
    *--top = nullptr, *--top = reinterpret_cast<void *>(entry);
    for (int index_of_register = 0; index_of_register < 6; ++index_of_register) *--top = nullptr;
    fiber.pointer = top;
#else
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = bottom, fiber.context.uc_stack.ss_size = stack_bytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, entry, 0);
#endif
  }

private:
  void drop() {
    if (memory_) munmap(memory_, count_ * (stack_bytes + guard_bytes));
    memory_ = nullptr, count_ = 0;
  }
  char *memory_ = nullptr;
  size_t count_ = 0;
};

} // namespace emu
