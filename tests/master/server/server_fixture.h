// A whole master on a tree in memory, with a store in memory and streams that remember what was sent.
#ifndef DROVER_TESTS_MASTER_SERVER_SERVER_FIXTURE_H_
#define DROVER_TESTS_MASTER_SERVER_SERVER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/store/memory_store.h"
#include "coord/base/connection.h"
#include "coord/base/random.h"
#include "coord/transport/message_bytes.h"
#include "master/pool/pool_store.h"
#include "master/records/codec.h"
#include "master/server/master.h"
#include "master/server/task_service.h"
#include "tests/client/store/hanging_store.h"
#include "tests/master/fake/fake_session.h"
#include "tests/sim/sim_loop.h"

namespace drover::master::server {

// The server's end of a stream.
template <typename Message>
class FakeConnection final : public base::Connection {
 public:
  struct Log {
    std::vector<Message> sent;
    std::optional<absl::Status> closed;
    std::size_t queued = 0;  // what the transport pretends not to have taken
  };
  explicit FakeConnection(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void Send(base::Bytes frame) override { log_->sent.push_back(*transport::Decode<Message>(frame)); }
  std::size_t queued_bytes() const override { return log_->queued; }
  void Close(const absl::Status& status) override { log_->closed = status; }

 private:
  const std::shared_ptr<Log> log_;
};

class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture() {
    Master::Hooks hooks;
    hooks.open_session = [this](const coord::SessionOptions&) {
      auto session = std::make_unique<testing::FakeSession>(&tree_);
      session_ = session.get();
      return session;
    };
    hooks.retired = [this](const std::string& id, const worker::v1::TaskRecord&) { retired_.push_back(id); };
    hooks.session_replaced = [this] { ++sessions_; };
    MasterOptions options{.pool = "p", .id = "m1", .address = "h:1"};
    master_ = std::make_unique<Master>(&loop_, options, std::move(hooks));
    MakeService();
  }
  ~ServerFixture() override {
    service_.reset();
    master_.reset();
  }
  void Start() {
    master_->Start();
    Run();
    store_->Use([](const absl::StatusOr<store::ObjectStore*>& store) { EXPECT_TRUE(store.ok()) << store.status(); });
    Run();
    ASSERT_TRUE(master_->serving());
  }
  // Nobody has given the pool a store.
  void StartWithoutStore() {
    store_options_.url.clear();
    MakeService();
    master_->Start();
    Run();
    store_->Use([](const absl::StatusOr<store::ObjectStore*>& store) { EXPECT_FALSE(store.ok()); });
    Run();
    ASSERT_TRUE(master_->serving());
  }
  void MakeService() {
    service_.reset();
    store_ = std::make_unique<pool::PoolStore>(
        &loop_, store_options_,
        [this](const std::string&, bool) { return std::make_unique<store::HangingStore>(&loop_, &objects_, &hang_); },
        [this] { return master_->session(); });
    service_ = std::make_unique<TaskService>(&loop_, master_.get(), store_.get(), &random_);
  }
  void Run(int ms = 300) { world_.RunFor(std::chrono::milliseconds(ms)); }

  // Makes a call and waits for its answer.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(void (TaskService::*method)(const Request&, Reply<Response>), const Request& request) {
    std::optional<absl::StatusOr<Response>> answer;
    (service_.get()->*method)(request, [&](absl::StatusOr<Response> a) { answer = std::move(a); });
    Run();
    EXPECT_TRUE(answer.has_value()) << "not answered";
    return answer.value_or(absl::InternalError("not answered"));
  }
  absl::StatusOr<task::v1::SubmitResponse> Submit(const task::v1::SubmitRequest& request) {
    std::optional<absl::StatusOr<task::v1::SubmitResponse>> answer;
    service_->Submit(request, request.ByteSizeLong(), [&](absl::StatusOr<task::v1::SubmitResponse> a) { answer = std::move(a); });
    Run();
    EXPECT_TRUE(answer.has_value()) << "not answered";
    return answer.value_or(absl::InternalError("not answered"));
  }
  static task::v1::TaskSpec Spec(const std::string& id, const std::string& argument = "true") {
    task::v1::TaskSpec spec;
    spec.set_id(id);
    spec.mutable_program()->add_argv(argument);
    return spec;
  }
  task::v1::SubmitResponse::Result SubmitOne(const task::v1::TaskSpec& spec) {
    task::v1::SubmitRequest request;
    *request.add_tasks() = spec;
    const auto response = Submit(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() && response->results_size() == 1 ? response->results(0) : task::v1::SubmitResponse::Result();
  }

  void Join(const std::string& worker, std::uint32_t slots) {
    worker::v1::WorkerInfo info;
    info.set_process_id("p-" + worker);
    info.set_slots(slots);
    tree_.Create(paths_.Worker(worker), records::Encode(info));
    Run();
  }
  void Finish(const std::string& worker, const std::string& task, const worker::v1::Output& output = {},
              task::v1::State state = task::v1::SUCCEEDED) {
    const coord::Node* assignment = tree_.Find(paths_.Assignment(worker, task));
    ASSERT_NE(assignment, nullptr);
    worker::v1::TaskRecord record = *records::DecodeTaskRecord(tree_.Find(paths_.Task(task))->data);
    const records::AttemptEnd end{.state = state, .fence = assignment->stat.czxid.value, .finished_at_ms = 9, .exit_code = 0};
    records::EndAttempt(&record, end);
    records::EndTask(&record, end);
    *record.mutable_output() = output;
    auto done = tree_.Apply({.then = {coord::Operation::Set(paths_.Task(task), records::Encode(record)),
                                      coord::Operation::Delete(paths_.Assignment(worker, task))}});
    ASSERT_TRUE(done.ok());
    Run();
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  testing::FakeTree tree_{&loop_};
  base::SeededRandom random_{1};
  const records::PoolPaths paths_{"p"};
  store::MemoryObjects objects_;
  store::Hang hang_;
  testing::FakeSession* session_ = nullptr;
  int sessions_ = 0;
  std::vector<std::string> retired_;
  pool::PoolStoreOptions store_options_{.path = paths_.Store(), .url = "mem:", .fresh_marker = "fresh"};
  std::unique_ptr<Master> master_;
  std::unique_ptr<pool::PoolStore> store_;
  std::unique_ptr<TaskService> service_;
};

}  // namespace drover::master::server

#endif  // DROVER_TESTS_MASTER_SERVER_SERVER_FIXTURE_H_
