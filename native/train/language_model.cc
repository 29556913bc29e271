// RWKV-7 or RWKV-6 with a projector, as the trainer sees it: batches in, loss or logits out, a state that goes on.
#include "model.h"

#include "carried_state.h"
#include "failure.h"
#include "l2wrap.h"
#include "language_batch.h"
#include "projector.h"

#include <cmath>

namespace rwkv_train {
namespace {

using torch::Tensor;

class LanguageModel : public Model {
 public:
  Numbers numbers() const override { return {{"l2wrap", 1e-4}, {"grad_checkpoint", 0}, {"carry", 0}, {"bf16", 0}}; }

  Tensor loss(const Tensors &parameters, const Inputs &inputs, const Numbers &numbers, Outputs &outputs) override {
    const LanguageNet net(parameters);
    const LanguageBatch batch = read(net, parameters, inputs, numbers);
    require(batch.has_targets && batch.at.numel() > 0, RWKV_TRAIN_MISUSE,
            "Cannot learn from the batch: \"targets\" wants nothing anywhere");
    NetState state = begin(net, batch, numbers);
    const Tensor x = run(net, parameters, batch, numbers, state).flatten(0, 1);
    const double factor = numbers.at("l2wrap");
    // The pull goes over all positions; without it only those count that predict something.
    const Tensor all = factor > 0 ? net.logits(x) : Tensor();
    const Tensor logits = factor > 0 ? all.index_select(0, batch.at) : net.logits(x.index_select(0, batch.at));
    const Tensor plain = loss_of(logits, batch, outputs);
    if (!std::isfinite(plain.item<double>())) return plain;
    if (numbers.at("carry") != 0) carried_ = flatten_state(state);
    return factor > 0 ? l2wrap(plain, all, factor) : plain;
  }

  void evaluate(const Tensors &parameters, const Inputs &inputs, const Numbers &numbers, Outputs &outputs) override {
    const LanguageNet net(parameters);
    const LanguageBatch batch = read(net, parameters, inputs, numbers);
    NetState state = begin(net, batch, numbers);
    const Tensor logits = net.logits(run(net, parameters, batch, numbers, state)).to(torch::kFloat32);
    outputs["logits"] = logits;
    if (batch.has_targets) outputs["loss"] = loss_of(logits.flatten(0, 1).index_select(0, batch.at), batch, outputs);
    if (numbers.at("carry") != 0) carried_ = flatten_state(state);
  }

  Tensor carried() const override { return carried_; }
  void set_carried(const Tensor &rows) override { carried_ = rows.defined() && rows.size(0) > 0 ? rows : Tensor(); }

 private:
  static LanguageBatch read(const LanguageNet &net, const Tensors &parameters, const Inputs &inputs,
                            const Numbers &numbers) {
    const Tensor &embedding = parameters.at("emb.weight");
    const LanguageBatch batch = read_language_batch(inputs, embedding.size(0), embedding.device());
    require(numbers.at("carry") == 0 || !batch.padded, RWKV_TRAIN_MISUSE,
            "Cannot carry the state of padded rows: with \"carry\", rows are of full length");
    TORCH_CHECK(net.layers() > 0, "the tensor \"blocks.0.ln1.weight\" is missing");
    return batch;
  }

  NetState begin(const LanguageNet &net, const LanguageBatch &batch, const Numbers &numbers) const {
    if (numbers.at("carry") == 0 || !carried_.defined() || carried_.size(0) != batch.rows) return {};
    Tensor rows = carried_.to(batch.text.device());
    if (batch.goes_on.defined()) rows = rows * batch.goes_on.unsqueeze(1);
    return unflatten_state(rows, net);
  }

  // [B, T, D], behind the last norm.
  static Tensor run(const LanguageNet &net, const Tensors &parameters, const LanguageBatch &batch,
                    const Numbers &numbers, NetState &state) {
    Tensor x = net.embed(batch.text);
    if (!batch.text_only) {
      std::vector<Tensor> rows{x};
      if (batch.vectors.defined()) rows.push_back(project(parameters, batch.vectors, net.width()).to(x.scalar_type()));
      if (batch.padded) rows.push_back(torch::zeros({1, net.width()}, x.options().requires_grad(false)));
      x = torch::cat(rows).index_select(0, batch.places);
    }
    return net.forward(x.view({batch.rows, batch.time, net.width()}), state, numbers.at("grad_checkpoint") != 0);
  }

  // The parts of the loss that rows have, which add up to it, are left as "losses".
  static Tensor loss_of(const Tensor &logits, const LanguageBatch &batch, Outputs &outputs) {
    const Tensor entropy =
        torch::nll_loss_nd(torch::log_softmax(logits.to(torch::kFloat32), -1), batch.target, {}, at::Reduction::None);
    const Tensor weighted = entropy * batch.weight;
    outputs["losses"] = torch::zeros({batch.rows}, weighted.options().requires_grad(false))
                            .index_add_(0, batch.row, weighted.detach());
    return weighted.sum();
  }

  Tensor carried_;
};

} // namespace

std::unique_ptr<Model> make_language_model() { return std::make_unique<LanguageModel>(); }

} // namespace rwkv_train
