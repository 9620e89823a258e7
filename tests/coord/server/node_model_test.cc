// Several clients, a watcher and a node under random faults, against a model of what each client was promised.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/server/sim_core.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Sets its own node to 1, 2, 3 ... and reads it in between; reconnects and resends whenever its stream ends.
class Worker {
 public:
  Worker(SimCore* core, const std::string& name) : client_(core, name), path_("/" + name) {
    client_.KeepContact(milliseconds(700));
  }

  // Without a generator: sends nothing new.
  void Drive(base::Random* random) {
    if (!client_.connection || client_.closed) {
      if (client_.closed && client_.status.code() == absl::StatusCode::kNotFound) lost_session_ = true;
      if (lost_session_) return;
      client_.Dial();
      resent_ = false;
      reads_.clear();
      if (client_.session == 0) {
        client_.Open(5'000);
      } else {
        client_.Resume();
      }
      return;
    }
    if (!client_.grant) return;
    if (!resent_) {
      resent_ = true;
      const std::uint64_t first = Answered() + 1;
      EXPECT_GE(client_.grant->last_write(), Answered()) << path_ << ": an acknowledged write is gone";
      if (first <= sent_) client_.Resend(first);
      return;
    }
    CheckReads();
    if (random == nullptr || sent_ - Answered() >= 8) return;
    const std::uint64_t count = 1 + random->Below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      sent_ = sent_ == 0 ? client_.Create(path_, "1") : client_.Set(path_, std::to_string(sent_ + 1));
      if (random->Below(2) == 0) reads_[client_.Get(path_, random->Below(2) == 0)] = sent_;
    }
    client_.Flush(Answered());
  }

  // A read sent after write n and before write n + 1 shows n.
  void CheckReads() {
    for (auto it = reads_.begin(); it != reads_.end();) {
      const v1::Answer* answer = client_.Read(it->first);
      if (answer == nullptr) {
        ++it;
        continue;
      }
      EXPECT_EQ(answer->data(), std::to_string(it->second)) << path_;
      it = reads_.erase(it);
    }
  }

  // Writes are answered in order; each exactly once as far as the client can tell.
  [[nodiscard]] std::uint64_t Answered() const { return client_.write_answers.empty() ? 0 : client_.write_answers.rbegin()->first; }
  void CheckAnswers() const {
    std::uint64_t n = 0;
    std::uint64_t zxid = 0;
    for (const auto& [number, answer] : client_.write_answers) {
      EXPECT_EQ(number, ++n);
      EXPECT_EQ(answer.code(), v1::OK) << path_ << " write " << number << ": " << answer.message();
      EXPECT_GT(answer.zxid(), zxid);
      zxid = answer.zxid();
    }
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] bool lost_session() const { return lost_session_; }
  SimClient client_;

 private:
  const std::string path_;
  std::uint64_t sent_ = 0;
  bool resent_ = false;
  bool lost_session_ = false;
  std::map<std::uint64_t, std::uint64_t> reads_;  // id -> the write before it
};

// Watches everything, from the beginning, resuming after the last event it has.
class Watcher {
 public:
  explicit Watcher(SimCore* core) : client_(core, "watcher") { client_.KeepContact(milliseconds(700)); }

  void Drive() {
    if (!client_.connection || client_.closed) {
      client_.Dial();
      armed_ = false;
      if (client_.session == 0) {
        client_.Open(5'000);
      } else {
        client_.Resume();
      }
      return;
    }
    if (!client_.grant || armed_) return;
    armed_ = true;
    v1::Position after;
    after.set_ordinal(4294967295);
    if (!client_.events.empty()) {
      after.set_zxid(client_.events.back().zxid());
      after.set_ordinal(client_.events.back().ordinal());
    }
    client_.Watch("/", after);
    client_.Flush();
  }

  SimClient client_;

 private:
  bool armed_ = false;
};

void RunSchedule(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  SimCore core(seed);
  base::SeededRandom random(seed * 31);
  core.options.batch_bytes = 200 + random.Below(2'000);
  core.options.raft.uncommitted_bytes_max = 1'000 + random.Below(10'000);
  core.options.log.segment_bytes = 4'096 + random.Below(20'000);
  core.options.stream.outbound_pause_bytes = 1'000;
  core.Start();
  std::vector<std::unique_ptr<Worker>> workers;
  for (const char* name : {"a", "b", "c"}) workers.push_back(std::make_unique<Worker>(&core, name));
  Watcher watcher(&core);

  const auto fault = [&] {
    const std::string victim = random.Below(4) == 3 ? "watcher" : workers[random.Below(3)]->path().substr(1);
    switch (random.Below(7)) {
      case 0:
        core.network.Reset(victim, SimCore::kHost);
        break;
      case 1:
        core.network.Cut(SimCore::kHost, victim);
        core.world.RunFor(milliseconds(random.Below(1'500)));
        core.network.HealAll();
        break;
      case 2:
        core.disk->Stall(milliseconds(random.Below(2'000)));
        break;
      case 3:
        core.loop->Pause();
        core.world.RunFor(milliseconds(random.Below(8'000)));
        core.loop->Resume();
        break;
      case 4:
        core.files.FailNextSync(absl::InternalError("EIO"));
        break;
      default: {
        const sim::Survival survivals[] = {sim::Survival::kNothing, sim::Survival::kEverything, sim::Survival::kRandom};
        core.Crash(survivals[random.Below(3)]);
        core.world.RunFor(milliseconds(random.Below(3'000)));
        core.files.ClearFaults();
        core.Start();
        break;
      }
    }
  };

  const auto restart_after_fatal = [&core] {
    if (core.fatal.ok()) return;
    core.Crash(sim::Survival::kNothing);
    core.files.ClearFaults();
    core.Start();
  };
  for (int turn = 0; turn < 1'500; ++turn) {
    if (turn < 1'200 && random.Below(40) == 0) fault();
    restart_after_fatal();
    for (auto& worker : workers) worker->Drive(&random);
    watcher.Drive();
    core.world.RunFor(milliseconds(1 + random.Below(5)));
    if (::testing::Test::HasFailure()) return;
  }
  // At rest: everything sent is answered, and the watcher has heard of each change once and in order.
  const auto at_rest = [&] {
    for (auto& worker : workers) {
      if (worker->Answered() != worker->sent()) return false;
    }
    return watcher.client_.bookmark == core.node->state().last_zxid().value && watcher.client_.grant && !watcher.client_.closed;
  };
  for (int i = 0; i < 3'000 && !at_rest(); ++i) {
    restart_after_fatal();
    for (auto& worker : workers) worker->Drive(nullptr);
    watcher.Drive();
    core.world.RunFor(milliseconds(10));
  }
  std::uint64_t total = 0;
  for (auto& worker : workers) {
    EXPECT_FALSE(worker->lost_session()) << worker->path() << ": a live session was expired";
    worker->CheckReads();
    worker->CheckAnswers();
    EXPECT_EQ(worker->Answered(), worker->sent()) << worker->path() << " " << worker->client_.status;
    total += worker->sent();
  }
  EXPECT_GT(total, 300U) << "the schedule went nowhere";
  std::map<std::string, std::uint64_t> heard;
  std::uint64_t zxid = 0;
  for (const v1::Event& event : watcher.client_.events) {
    EXPECT_GT(event.zxid(), zxid) << "out of order or twice";
    zxid = event.zxid();
    EXPECT_EQ(event.data(), std::to_string(++heard[event.path()])) << event.path() << ": an event is missing or came twice";
  }
  for (auto& worker : workers) EXPECT_EQ(heard[worker->path()], worker->sent()) << worker->path();
}

TEST(NodeModelTest, PromisesHoldUnderRandomFaults) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    RunSchedule(seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace drover::coord::server
