// The RWKV-6 recurrence on the device equals the one on the CPU in double: outputs, states, checkpoints, every gradient;
// and a sequence in two pieces with the state carried over equals the whole, bit for bit.
//
// Sources: wkv6.cu ../wkv.cc
#include "wkv_rig.h"

namespace {

struct Case {
  WkvShape shape;
  // r, w (to almost nothing), k, v, u, state, dy and the gradient of the last state.
  Array r = random_array(shape.sequence(), -1, 1), w = random_array(shape.sequence(), 1e-6f, 1),
        k = random_array(shape.sequence(), -1, 1), v = random_array(shape.sequence(), -1, 1),
        u = random_array(shape.heads * head, -1, 1), state = random_array(shape.states(), -1, 1), dy = random_array(shape.sequence(), -1, 1),
        dstate = random_array(shape.states(), -1, 1);
};

struct Wide {
  std::vector<double> y, state, checkpoints, r, w, k, v, u, dstate;
};

Wide on_cpu(const Case &c) {
  const size_t n = c.shape.sequence(), s = c.shape.states(), all = c.shape.batch * c.shape.heads;
  const auto zeros = [](size_t count) { return std::vector<double>(count); };
  Wide out{zeros(n), zeros(s), zeros(c.shape.checkpoints()), zeros(n), zeros(n), zeros(n), zeros(n), zeros(all * head), zeros(s)};
  const Wkv6Inputs<double> in{c.r.wide.data(), c.w.wide.data(), c.k.wide.data(), c.v.wide.data(),
                              c.u.wide.data(), c.state.wide.data()};
  wkv6_forward<double>(c.shape, in, out.y.data(), out.state.data(), out.checkpoints.data(), 0, all);
  const Wkv6Gradients<double> to{out.r.data(), out.w.data(), out.k.data(), out.v.data(),
                                 out.u.data(), out.dstate.data()};
  wkv6_backward<double>(c.shape, in, out.checkpoints.data(), c.dy.wide.data(), c.dstate.wide.data(), to, 0, all);
  return out;
}

void compare(const Case &c) {
  const Wide wanted = on_cpu(c);
  const size_t n = c.shape.sequence(), s = c.shape.states(), all = c.shape.batch * c.shape.heads;
  const Device r(c.r.narrow), w(c.w.narrow), k(c.k.narrow), v(c.v.narrow), u(c.u.narrow),
      state(c.state.narrow), dy(c.dy.narrow), dstate(c.dstate.narrow);
  const Wkv6Inputs<float> in{r, w, k, v, u, state};
  emu::each_schedule([&] {
    const Device y(n), after(s), checkpoints(c.shape.checkpoints());
    CHECK(wkv6_forward_cuda(c.shape, in, y, after, checkpoints, nullptr) == 0);
    check_close("y", y.host(), wanted.y);
    check_close("state", after.host(), wanted.state);
    check_close("checkpoints", checkpoints.host(), wanted.checkpoints);

    const Device dr(n), dw(n), dk(n), dv(n), du(all * head), before(s), scratch(wkv_scratch(c.shape));
    const Wkv6Gradients<float> out{dr, dw, dk, dv, du, before};
    CHECK(wkv6_backward_cuda(c.shape, in, checkpoints, dy, dstate, out, scratch, nullptr) == 0);
    check_close("dr", dr.host(), wanted.r);
    check_close("dw", dw.host(), wanted.w);
    check_close("dk", dk.host(), wanted.k);
    check_close("dv", dv.host(), wanted.v);
    check_close("du", du.host(), wanted.u);
    check_close("dstate", before.host(), wanted.dstate);
  });
}

// One sequence of one head, so that a piece of it is one piece of memory.
void carried(size_t first, size_t second) {
  const Case c{{1, first + second, 1}};
  const Device r(c.r.narrow), w(c.w.narrow), k(c.k.narrow), v(c.v.narrow), u(c.u.narrow),
      state(c.state.narrow), y(c.shape.sequence()), after(head * head), checkpoints(c.shape.checkpoints()),
      y_pieces(c.shape.sequence()), between(head * head), after_pieces(head * head);
  const WkvShape one{1, first, 1}, other{1, second, 1};
  CHECK(wkv6_forward_cuda(c.shape, {r, w, k, v, u, state}, y, after, checkpoints, nullptr) == 0);
  CHECK(wkv6_forward_cuda(one, {r, w, k, v, u, state}, y_pieces, between, checkpoints, nullptr) == 0);
  const size_t at = first * head;
  CHECK(wkv6_forward_cuda(other, {r + at, w + at, k + at, v + at, u, between}, y_pieces + at, after_pieces,
                          checkpoints, nullptr) == 0);
  CHECK(y.host() == y_pieces.host());
  CHECK(after.host() == after_pieces.host());
}

} // namespace

int main() {
  for (const WkvShape &shape : shapes()) compare({shape});
  carried(16, 7), carried(5, 20), carried(1, 1);
  return report("wkv6_cuda");
}
