// What is kept of a position for the caller to take.
#pragma once

namespace rwkv {

struct Keep {
  bool logits = false;
  bool vectors = false;

  bool any() const { return logits || vectors; }
};

} // namespace rwkv
