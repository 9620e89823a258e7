#include "tests/worker/agent/agent_fixture.h"

#include <cstdlib>
#include <utility>

#include "drover/coord/cluster_time.h"
#include "master/records/spec.h"

namespace drover::worker::agent {

using coord::Compare;
using coord::Operation;
using coord::Transaction;

SimWorker::SimWorker(coord::server::SimCore* c, Stores* stores, store::Hang* hang, std::string h, AgentOptions options,
                     std::string store_url)
    : core(c), host(std::move(h)), loop(std::make_unique<sim::SimLoop>(&core->world)) {
  dialer = core->network.NewDialer(loop.get(), host);
  runner = std::make_unique<SimRunner>(loop.get());
  options.session.endpoints = {coord::server::SimCore::kAddress};
  agent = std::make_unique<Agent>(
      AgentParts{
          .loop = loop.get(),
          .open_session =
              [this](const coord::SessionOptions& s) {
                auto opened = coord::Session::Open(loop.get(), dialer.get(), s);
                session = opened.get();
                return opened;
              },
          .runner = runner.get(),
          .open_store = [this, stores, hang](const std::string& url, bool) -> absl::StatusOr<std::unique_ptr<store::ObjectStore>> {
            return std::make_unique<store::HangingStore>(loop.get(), &(*stores)[url], hang);
          },
          .store_url = std::move(store_url),
          .fresh_marker = "marker-of-" + host,
          .random = &random,
          .observer = this},
      std::move(options));
  agent->Start();
}

SimWorker::~SimWorker() {
  Kill();
}

void SimWorker::Kill() {
  if (loop->stopped()) return;
  core->network.Kill(host);
  agent.reset();
  runner.reset();
  loop->Stop();
}

AgentTest::AgentTest() {
  core_.Start();
  master_ = std::make_unique<coord::SimProcess>(&core_, "master");
}

AgentOptions AgentTest::Options() {
  AgentOptions options;
  options.name = "w1";
  options.process_id = "p1";
  options.address = "host1:7420";
  options.slots = 4;
  options.base_env = {{"PATH", "/bin"}, {"HOME", "/home"}, {"LANG", "C"}};
  return options;
}

std::unique_ptr<SimWorker> AgentTest::StartWorker(std::string host, AgentOptions options) {
  return std::make_unique<SimWorker>(&core_, &stores_, &hang_, std::move(host), std::move(options), "file:/s");
}

void AgentTest::AwaitReady(const SimWorker& worker) {
  Await([&] { return worker.agent->Ready().ok(); }, "the worker to be registered");
}

void AgentTest::Await(const std::function<bool()>& condition, const char* what, base::Duration limit) {
  ASSERT_TRUE(core_.world.RunUntil(condition, limit)) << "waited in vain for " << what;
}

base::Zxid AgentTest::Submit(const std::string& task, task::v1::Policy policy, std::string process_id) {
  task::v1::Program program;
  program.add_argv("program");
  return Submit(task, policy, program, std::move(process_id));
}

base::Zxid AgentTest::Submit(const std::string& task, const task::v1::Policy& policy, const task::v1::Program& program,
                             std::string process_id) {
  v1::TaskRecord record;
  *record.mutable_policy() = policy;
  record.set_program(records::EncodeProgram(program));
  record.set_state(task::v1::ASSIGNED);
  record.set_eligible_at(coord::ClusterTimeNow(*master_->session()).value);
  record.set_worker("w1");
  records::AddAttempt(&record, "w1", 1);
  v1::Assignment assignment;
  assignment.set_process_id(std::move(process_id));
  auto result = master_->Commit(
      Transaction{.then = {Operation::Create(paths_.Task(task), records::Encode(record), {.parents = true}),
                           Operation::Create(paths_.Assignment("w1", task), records::Encode(assignment), {.parents = true})}});
  EXPECT_TRUE(result.ok() && result->succeeded) << result.status();
  return result->zxid;
}

base::Zxid AgentTest::AssignAgain(const std::string& task, const std::string& process_id) {
  v1::TaskRecord record = Record(task);
  EXPECT_EQ(record.state(), task::v1::READY);
  record.set_state(task::v1::ASSIGNED);
  record.set_worker("w1");
  records::AddAttempt(&record, "w1", 1);
  v1::Assignment assignment;
  assignment.set_process_id(process_id);
  auto result = master_->Commit(
      Transaction{.then = {Operation::Set(paths_.Task(task), records::Encode(record)),
                           Operation::Create(paths_.Assignment("w1", task), records::Encode(assignment), {.parents = true})}});
  EXPECT_TRUE(result.ok() && result->succeeded) << result.status();
  return result->zxid;
}

void AgentTest::TakeBack(const std::string& task) {
  v1::TaskRecord record = Record(task);
  records::BackToReady(&record, task::v1::WORKER_LOST, "taken back");
  auto result = master_->Commit(Transaction{
      .then = {Operation::Set(paths_.Task(task), records::Encode(record)), Operation::Delete(paths_.Assignment("w1", task))}});
  EXPECT_TRUE(result.ok() && result->succeeded) << result.status();
}

void AgentTest::Cancel(const std::string& task, const std::string& reason) {
  v1::Assignment assignment;
  assignment.set_process_id("p1");
  assignment.set_cancel(true);
  assignment.set_cancel_reason(reason);
  EXPECT_TRUE(master_->Set(paths_.Assignment("w1", task), records::Encode(assignment)).ok());
}

v1::TaskRecord AgentTest::Record(const std::string& task) {
  const auto got = master_->Get(paths_.Task(task));
  EXPECT_TRUE(got.ok()) << got.status();
  if (!got.ok()) return {};
  const auto record = records::DecodeTaskRecord(got->node.data);
  EXPECT_TRUE(record.ok() && records::CheckBounds(*record).ok());
  return record.value_or(v1::TaskRecord());
}

bool AgentTest::HasAssignment(const std::string& task) {
  const auto exists = master_->Exists(paths_.Assignment("w1", task));
  return exists.ok() && exists->stat.has_value();
}

std::shared_ptr<SimRunner::Program> AgentTest::AwaitProgram(SimWorker& worker, std::size_t count) {
  Await([&] { return worker.runner->programs.size() >= count; }, "a program to start");
  EXPECT_EQ(worker.runner->programs.size(), count);
  if (worker.runner->programs.size() < count) std::abort();  // nothing sensible can follow
  return worker.runner->programs.back();
}

v1::TaskRecord AgentTest::AwaitEnd(const std::string& task) {
  const v1::TaskRecord record = AwaitBack(task);
  EXPECT_TRUE(records::IsTerminal(record.state())) << task::v1::State_Name(record.state());
  return record;
}

v1::TaskRecord AgentTest::AwaitBack(const std::string& task) {
  for (int i = 0; i < 2000 && HasAssignment(task); ++i) core_.world.RunFor(std::chrono::milliseconds(10));
  EXPECT_FALSE(HasAssignment(task)) << "the attempt never ended";
  return Record(task);
}

task::v1::Policy AtMostOnce() {
  task::v1::Policy policy;
  policy.set_at_most_once(true);
  return policy;
}

}  // namespace drover::worker::agent
