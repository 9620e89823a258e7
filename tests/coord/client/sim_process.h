// A process of a test that holds a session with a simulated core (sim_core.h of tests/coord/server) or cluster: its loop, dialer
// and session.
#ifndef DROVER_TESTS_COORD_CLIENT_SIM_PROCESS_H_
#define DROVER_TESTS_COORD_CLIENT_SIM_PROCESS_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drover/coord/session.h"
#include "tests/coord/server/sim_core.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::coord {

class SimProcess {
 public:
  SimProcess(server::SimCore* core, std::string host, SessionOptions options = {})
      : SimProcess(&core->world, &core->network, std::move(host), {server::SimCore::kAddress}, std::move(options)) {}
  SimProcess(sim::SimWorld* world, sim::SimNetwork* network, std::string host, std::vector<std::string> endpoints,
             SessionOptions options = {})
      : world_(world),
        network_(network),
        host_(std::move(host)),
        options_(std::move(options)),
        loop_(std::make_unique<sim::SimLoop>(world)) {
    options_.endpoints = std::move(endpoints);
    dialer_ = network->NewDialer(loop_.get(), host_);
    OpenSession();
  }
  ~SimProcess() { Kill(); }

  void OpenSession() { session_ = Session::Open(loop_.get(), dialer_.get(), options_); }
  // kill -9. What uses the session must be gone.
  void Kill() {
    if (loop_->stopped()) return;
    network_->Kill(host_);
    session_.reset();
    loop_->Stop();
  }

  [[nodiscard]] Session* session() { return session_.get(); }
  [[nodiscard]] sim::SimLoop* loop() { return loop_.get(); }
  [[nodiscard]] base::Dialer* dialer() { return dialer_.get(); }
  [[nodiscard]] const std::string& host() const { return host_; }

  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = std::chrono::seconds(30)) {
    return world_->RunUntil(condition, limit);
  }
  // Each waits for its answer.
  absl::StatusOr<CreateResult> Create(std::string path, std::string data, CreateOptions how = {.parents = true}) {
    return Await<CreateResult>(
        [&](Callback<CreateResult> done) { session_->Create(std::move(path), std::move(data), how, std::move(done)); });
  }
  absl::StatusOr<SetResult> Set(std::string path, std::string data) {
    return Await<SetResult>(
        [&](Callback<SetResult> done) { session_->Set(std::move(path), std::move(data), std::nullopt, std::move(done)); });
  }
  absl::StatusOr<DeleteResult> Delete(std::string path) {
    return Await<DeleteResult>(
        [&](Callback<DeleteResult> done) { session_->Delete(std::move(path), std::nullopt, std::move(done)); });
  }
  absl::StatusOr<TransactionResult> Commit(Transaction transaction) {
    return Await<TransactionResult>(
        [&](Callback<TransactionResult> done) { session_->Commit(std::move(transaction), std::move(done)); });
  }
  absl::StatusOr<GetResult> Get(std::string path) {
    return Await<GetResult>([&](Callback<GetResult> done) { session_->Get(std::move(path), std::move(done)); });
  }
  absl::StatusOr<ExistsResult> Exists(std::string path) {
    return Await<ExistsResult>([&](Callback<ExistsResult> done) { session_->Exists(std::move(path), std::move(done)); });
  }
  absl::StatusOr<ListPage> List(std::string path) {
    return Await<ListPage>([&](Callback<ListPage> done) { session_->List(std::move(path), "", 0, std::move(done)); });
  }

 private:
  template <typename T, typename Call>
  absl::StatusOr<T> Await(Call call) {
    auto result = std::make_shared<std::optional<absl::StatusOr<T>>>();
    call([result](absl::StatusOr<T> got) { *result = std::move(got); });
    EXPECT_TRUE(RunUntil([&] { return result->has_value(); })) << "no answer";
    if (!result->has_value()) return absl::DeadlineExceededError("no answer");
    return **std::move(result);
  }

  sim::SimWorld* const world_;
  sim::SimNetwork* const network_;
  const std::string host_;
  SessionOptions options_;
  std::unique_ptr<sim::SimLoop> loop_;
  std::unique_ptr<base::Dialer> dialer_;
  std::unique_ptr<Session> session_;
};

}  // namespace drover::coord

#endif  // DROVER_TESTS_COORD_CLIENT_SIM_PROCESS_H_
