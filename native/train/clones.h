// RWKV_TRAIN_CLONES in front of a plain function: it is compiled for several instruction sets, and the best of them is
// taken when the program starts. Not under sanitizers, which start too late for that.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RWKV_TRAIN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RWKV_TRAIN_CLONES
#endif
