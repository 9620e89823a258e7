// What tests of the session client share: scripted nodes on a simulated network, and what the session tells.
#ifndef DROVER_TESTS_COORD_CLIENT_SESSION_FIXTURE_H_
#define DROVER_TESTS_COORD_CLIENT_SESSION_FIXTURE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drover/coord/session.h"
#include "gtest/gtest.h"
#include "tests/coord/client/fake_node.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::coord {

struct Watcher final : SessionObserver {
  void OnConnected() override { heard.push_back("connected"); }
  void OnSuspended(const absl::Status& /*why*/) override { heard.push_back("suspended"); }
  void OnLeaseLost() override { heard.push_back("lease lost"); }
  void OnLeaseRestored() override { heard.push_back("lease restored"); }
  void OnExpired(const absl::Status& /*why*/) override { heard.push_back("expired"); }
  std::vector<std::string> heard;
};

struct Events final : WatchListener {
  void OnArmed(Zxid zxid) override { armed.push_back(zxid.value); }
  void OnEvent(const Event& event) override {
    seen.push_back({event.zxid.value, event.ordinal});
    order.push_back("event");
  }
  void OnProgress(Zxid zxid) override { progress = zxid.value; }
  void OnCompacted() override { ++compacted; }
  void OnEnded(const absl::Status& why) override { ended = why; }
  std::vector<std::uint64_t> armed;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> seen;
  std::vector<std::string> order;
  std::uint64_t progress = 0;
  int compacted = 0;
  std::optional<absl::Status> ended;
};

inline v1::Item EventItem(std::uint64_t zxid, std::uint32_t ordinal, std::vector<std::uint64_t> watches) {
  v1::Item item;
  item.mutable_event()->set_zxid(zxid);
  item.mutable_event()->set_ordinal(ordinal);
  item.mutable_event()->set_type(v1::Event::CHANGED);
  item.mutable_event()->set_path("/a");
  for (const std::uint64_t id : watches) item.mutable_event()->add_watch_ids(id);
  return item;
}

class SessionMachineTest : public ::testing::Test {
 protected:
  void Nodes(int n) {
    for (int i = 1; i <= n; ++i) {
      nodes_.push_back(std::make_unique<FakeNode>(&world_, &network_, "n" + std::to_string(i), i));
      options_.endpoints.push_back(nodes_.back()->address());
    }
  }
  void Open() {
    dialer_ = network_.NewDialer(&loop_, "client");
    session_ = Session::Open(&loop_, dialer_.get(), options_);
    session_->AddObserver(&observer_);
  }
  void Connect() {
    Open();
    ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kConnected; }, std::chrono::seconds(5)));
  }
  // The n-th node's newest stream, once it has `requests` requests.
  FakeNode::Stream* Requests(int node, std::size_t requests) {
    FakeNode& n = *nodes_[node - 1];
    EXPECT_TRUE(
        world_.RunUntil([&] { return n.stream() != nullptr && n.stream()->requests.size() >= requests; }, std::chrono::seconds(5)))
        << requests << " requests at node " << node;
    return n.stream();
  }
  DoneCallback Note(const std::string& name) {
    return [this, name](const absl::Status& status) { Record(name, status); };
  }
  void Record(const std::string& name, const absl::Status& status) {
    outcomes_[name] = status;
    order_.push_back(name);
  }
  void Set(const std::string& name, WriteOptions options = {}) {
    session_->Set(
        "/" + name, "x", std::nullopt, [this, name](absl::StatusOr<SetResult> r) { Record(name, r.status()); }, options);
  }
  void Get(const std::string& name, ReadOptions options = {}) {
    session_->Get(
        "/" + name, [this, name](absl::StatusOr<GetResult> r) { Record(name, r.status()); }, options);
  }
  bool Done(const std::string& name, base::Duration limit = std::chrono::seconds(5)) {
    return world_.RunUntil([&] { return outcomes_.count(name) > 0; }, limit);
  }
  void Settle() { world_.RunFor(std::chrono::milliseconds(50)); }
  static std::vector<std::uint64_t> Numbers(const FakeNode::Stream& stream) {
    std::vector<std::uint64_t> numbers;
    for (const v1::Request& request : stream.requests) numbers.push_back(request.number());
    return numbers;
  }

  sim::SimWorld world_{1};
  sim::SimNetwork network_{&world_};
  sim::SimLoop loop_{&world_};
  std::vector<std::unique_ptr<FakeNode>> nodes_;
  SessionOptions options_;
  std::unique_ptr<base::Dialer> dialer_;
  Watcher observer_;
  std::unique_ptr<Session> session_;
  std::map<std::string, absl::Status> outcomes_;
  std::vector<std::string> order_;
};

}  // namespace drover::coord

#endif  // DROVER_TESTS_COORD_CLIENT_SESSION_FIXTURE_H_
