// The models once more, from the formulas: float64, one whole layer after the other over the whole sequence, nothing
// shared with the library. A picture is put into another order around every layer, as the training code does it.
#pragma once

#include "reference_scan.h"
#include "tiny_model.h"

namespace reference {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline Row each(Row row, double (*f)(double)) {
  for (double &value : row) value = f(value);
  return row;
}
inline Row join(const Row &a, const Row &b, const std::function<double(double, double)> &f) {
  Row out(a.size());
  for (size_t i = 0; i < a.size(); ++i) out[i] = f(a[i], b[i]);
  return out;
}
inline Row sum(const Row &a, const Row &b) { return join(a, b, std::plus<>()); }
inline Row product(const Row &a, const Row &b) { return join(a, b, std::multiplies<>()); }

class Model {
 public:
  Model(const Tensors &tensors, int version) : tensors_(tensors), version_(version) {
    width_ = tensors.at("ln_out.weight").values.size();
  }

  struct Result {
    Rows outputs;                          // behind ln_out, in the order of the input
    Row memory;                            // [per layer: att_prev | S | ffn_prev] after the last position
    Row logits(const Model &model, size_t row) const { return model.rows_of("head.weight", outputs[row]); }
  };

  Row embed(uint32_t token) const {
    const auto &table = tensors_.at("emb.weight").values;
    return Row(table.begin() + static_cast<ptrdiff_t>(token * width_),
               table.begin() + static_cast<ptrdiff_t>((token + 1) * width_));
  }

  // From the zero state.
  Result run(Rows x, const Grid &grid = {}) const {
    Result result;
    const Order once = in_sequence(grid, fixed_order(grid), x.size());
    x = taken(x, once);
    for (Row &row : x) row = norm(row, "blocks.0.ln0", 1, 1e-5);
    Rows v_first(x.size());
    for (size_t layer = 0; has_layer(layer); ++layer) {
      const Order order = in_sequence(grid, layer_order(grid, layer), x.size());
      x = taken(x, order), v_first = taken(v_first, order);
      block(layer, x, v_first, result.memory);
      x = put_back(x, order), v_first = put_back(v_first, order);
    }
    for (Row &row : x) row = norm(row, "ln_out", 1, 1e-5);
    result.outputs = put_back(x, once);
    return result;
  }

 private:
  bool has_layer(size_t layer) const { return tensors_.contains("blocks." + std::to_string(layer) + ".ln1.weight"); }
  Row vector(const std::string &name) const {
    const auto &values = tensors_.at(name).values;
    return Row(values.begin(), values.end());
  }
  // W x of a matrix [out][in].
  Row rows_of(const std::string &name, const Row &x) const {
    const auto &w = tensors_.at(name).values;
    Row out(w.size() / x.size());
    for (size_t i = 0; i < out.size(); ++i) {
      for (size_t j = 0; j < x.size(); ++j) out[i] += double{w[i * x.size() + j]} * x[j];
    }
    return out;
  }
  // x @ M of a matrix [in][out]; `part` is the index of a matrix in a tensor of several.
  Row through(const Row &x, const std::string &name, size_t part = 0) const {
    const Tensor &m = tensors_.at(name);
    const size_t columns = m.shape.back(), start = part * x.size() * columns;
    Row out(columns);
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < columns; ++j) out[j] += x[i] * m.values[start + i * columns + j];
    }
    return out;
  }
  Row norm(const Row &x, const std::string &name, size_t groups, double epsilon) const {
    const Row weight = vector(name + ".weight"), bias = vector(name + ".bias");
    Row out(x.size());
    const size_t size = x.size() / groups;
    for (size_t from = 0; from < x.size(); from += size) {
      double mean = 0, variance = 0;
      for (size_t i = from; i < from + size; ++i) mean += x[i] / static_cast<double>(size);
      for (size_t i = from; i < from + size; ++i) variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(size);
      for (size_t i = from; i < from + size; ++i) {
        out[i] = (x[i] - mean) / std::sqrt(variance + epsilon) * weight[i] + bias[i];
      }
    }
    return out;
  }
  // h + (before − h) ⊙ mu
  static Row lerp(const Row &h, const Row &before, const Row &mu) {
    return sum(h, product(join(before, h, std::minus<>()), mu));
  }
  // h ⊙ m + before ⊙ (1 − m)
  static Row blend(const Row &h, const Row &before, const Row &m) {
    return join(product(h, m), join(before, product(before, m), std::minus<>()), std::plus<>());
  }

  void block(size_t layer, Rows &x, Rows &v_first, Row &memory) const {
    const std::string name = "blocks." + std::to_string(layer) + ".";
    Row att_prev(width_), ffn_prev(width_), s(width_ * 64);
    for (size_t t = 0; t < x.size(); ++t) {
      const Row h = norm(x[t], name + "ln1", 1, 1e-5);
      const Row mixed =
          version_ == 7 ? time_mix7(layer, h, att_prev, s, v_first[t]) : time_mix56(layer, h, att_prev, s);
      x[t] = sum(x[t], mixed), att_prev = h;
      const Row g = norm(x[t], name + "ln2", 1, 1e-5);
      x[t] = sum(x[t], channel_mix(layer, g, ffn_prev)), ffn_prev = g;
    }
    for (const Row &part : {att_prev, s, ffn_prev}) memory.insert(memory.end(), part.begin(), part.end());
  }

  Row channel_mix(size_t layer, const Row &h, const Row &before) const {
    const std::string ffn = "blocks." + std::to_string(layer) + ".ffn.";
    const auto mixed = [&](const std::string &which) {
      if (version_ == 7) return lerp(h, before, vector(ffn + "x_" + which));
      if (version_ == 6) return lerp(h, before, vector(ffn + "time_maa_" + which));
      return blend(h, before, vector(ffn + "time_mix_" + which));
    };
    const auto squared = [](double value) { return value > 0 ? value * value : 0; };
    const Row out = rows_of(ffn + "value.weight", each(rows_of(ffn + "key.weight", mixed("k")), squared));
    if (version_ == 7) return out;
    return product(out, each(rows_of(ffn + "receptance.weight", mixed("r")), sigmoid));
  }

  Row time_mix56(size_t layer, const Row &h, const Row &before, Row &s) const {
    const std::string att = "blocks." + std::to_string(layer) + ".att.";
    Row w = vector(att + "time_decay");
    const Row u = vector(att + "time_faaaa");
    std::map<char, Row> x;
    if (version_ == 5) {
      for (const char c : {'k', 'v', 'r', 'g'}) x[c] = blend(h, before, vector(att + "time_mix_" + c));
    } else {
      const Row m = each(through(lerp(h, before, vector(att + "time_maa_x")), att + "time_maa_w1"), std::tanh);
      const size_t rank = m.size() / 5;
      size_t part = 0;
      for (const char c : {'w', 'k', 'v', 'r', 'g'}) {
        const Row inner(m.begin() + static_cast<ptrdiff_t>(part * rank),
                        m.begin() + static_cast<ptrdiff_t>((part + 1) * rank));
        const Row moved = through(inner, att + "time_maa_w2", part++);
        x[c] = lerp(h, before, sum(vector(att + "time_maa_" + c), moved));
      }
      w = sum(w, through(each(through(x['w'], att + "time_decay_w1"), std::tanh), att + "time_decay_w2"));
    }
    for (double &value : w) value = std::exp(-std::exp(value));
    const Row r = rows_of(att + "receptance.weight", x['r']), k = rows_of(att + "key.weight", x['k']);
    const Row v = rows_of(att + "value.weight", x['v']), g = rows_of(att + "gate.weight", x['g']);
    Row y(width_);
    for (size_t at = 0; at < width_; at += 64) { // S[key][value] of a head
      for (size_t i = at; i < at + 64; ++i) {
        for (size_t j = at; j < at + 64; ++j) {
          double &cell = s[i * 64 + j - at];
          y[j] += r[i] * (cell + u[i] * k[i] * v[j]);
          cell = w[i] * cell + k[i] * v[j];
        }
      }
    }
    y = norm(y, att + "ln_x", width_ / 64, 64e-5);
    for (size_t i = 0; i < width_; ++i) y[i] *= g[i] * sigmoid(g[i]);
    return rows_of(att + "output.weight", y);
  }

  Row time_mix7(size_t layer, const Row &h, const Row &before, Row &s, Row &v_first) const {
    const std::string att = "blocks." + std::to_string(layer) + ".att.";
    const auto x = [&](const char *which) { return lerp(h, before, vector(att + which)); };
    const auto bias = [&](const char *which, const Row &row) { return sum(vector(att + which), row); };
    const Row r = rows_of(att + "receptance.weight", x("x_r")), k0 = rows_of(att + "key.weight", x("x_k"));
    Row v = rows_of(att + "value.weight", x("x_v"));
    const Row z = bias("w0", through(each(through(x("x_w"), att + "w1"), std::tanh), att + "w2"));
    const Row a = each(bias("a0", through(through(x("x_a"), att + "a1"), att + "a2")), sigmoid);
    const Row g = through(each(through(x("x_g"), att + "g1"), sigmoid), att + "g2");
    if (layer == 0) {
      v_first = v;
    } else {
      const Row gate = each(bias("v0", through(through(x("x_v"), att + "v1"), att + "v2")), sigmoid);
      for (size_t i = 0; i < width_; ++i) v[i] += (v_first[i] - v[i]) * gate[i];
    }
    const Row k_k = vector(att + "k_k"), k_a = vector(att + "k_a"), r_k = vector(att + "r_k");
    Row y(width_), bonus(width_);
    for (size_t at = 0; at < width_; at += 64) { // S[value][key] of a head
      double length = 0, weight = 0;
      for (size_t j = at; j < at + 64; ++j) length += k0[j] * k_k[j] * k0[j] * k_k[j];
      length = std::max(std::sqrt(length), 1e-12);
      Row w(64), kk(64), k(64);
      for (size_t j = 0; j < 64; ++j) {
        w[j] = std::exp(-std::exp(-.5) * sigmoid(z[at + j]));
        kk[j] = k0[at + j] * k_k[at + j] / length;
        k[j] = k0[at + j] * (1 + (a[at + j] - 1) * k_a[at + j]);
        weight += r[at + j] * k[j] * r_k[at + j];
      }
      for (size_t i = at; i < at + 64; ++i) {
        double removed = 0;
        for (size_t j = 0; j < 64; ++j) removed -= s[i * 64 + j] * kk[j];
        for (size_t j = 0; j < 64; ++j) {
          double &cell = s[i * 64 + j];
          cell = cell * w[j] + removed * kk[j] * a[at + j] + v[i] * k[j];
          y[i] += cell * r[at + j];
        }
        bonus[i] = weight * v[i];
      }
    }
    y = sum(norm(y, att + "ln_x", width_ / 64, 64e-5), bonus);
    return rows_of(att + "output.weight", product(y, g));
  }

  const Tensors &tensors_;
  int version_;
  size_t width_ = 0;
};

} // namespace reference
