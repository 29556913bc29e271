// A wish to the system's scheduler about the calling thread. Linux 6.12 or newer; elsewhere nothing happens.
#pragma once

namespace rwkv {

// Short turns, sooner: a thread that sleeps most of the time and is woken for microseconds of work gets a processor at
// once, although another process has it. Its share of the processor stays what it was.
void ask_for_short_turns() noexcept;

} // namespace rwkv
