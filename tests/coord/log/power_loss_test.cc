// Every file operation of every path may be the last one before the power fails, or may fail itself. Whatever happens, the next
// process finds all that was acknowledged, and nothing else than perhaps the one request under way, whole.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "coord/log/log.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

using sim::SimFileSystem;
using sim::Survival;

// What is done to a log in one step.
struct Step {
  enum Kind { kAppend, kProve, kReopen, kCompact, kRecycle } kind = kAppend;
  AppendRequest request;
  raft::Index before = {};  // of kCompact
};

Step AppendStep(Model* model, std::optional<raft::HardState> hard_state, std::optional<std::uint64_t> truncate_from, int entries,
                std::size_t payload) {
  Step step;
  step.request.hard_state = hard_state;
  if (truncate_from) step.request.truncate_from = raft::Index(*truncate_from);
  const std::uint64_t first = truncate_from.value_or(model->last() + 1);
  const std::uint64_t term = hard_state.value_or(model->hard_state).term.value;
  for (int i = 0; i < entries; ++i) {
    std::string text = std::to_string(term) + "/" + std::to_string(first + i) + " ";
    text.resize(std::max(text.size(), payload), '.');
    step.request.entries.push_back(MakeEntry(term, first + i, text));
  }
  model->Apply(step.request);
  return step;
}

Step RestartStep(Model* model, std::uint64_t index, std::uint64_t term) {
  Step step;
  step.request.hard_state = MakeHardState(std::max(term, model->hard_state.term.value), model->hard_state.vote.value);
  step.request.restart = MakeRestart(index, term);
  model->Apply(step.request);
  return step;
}

// Append, segment switch, a frame larger than a segment, mark, truncation over several segments, a new process: with segments of
// 1 KiB. Then a snapshot, compaction, recycling, and segments in recycled files.
std::vector<Step> Script() {
  Model model;
  std::vector<Step> steps;
  steps.push_back(AppendStep(&model, MakeHardState(1, 1), {}, 1, 0));
  for (int i = 0; i < 6; ++i) steps.push_back(AppendStep(&model, {}, {}, 2, 150));
  steps.push_back(Step{Step::kProve, {}});
  steps.push_back(AppendStep(&model, MakeHardState(2, 0), {}, 0, 0));
  steps.push_back(AppendStep(&model, MakeHardState(2, 3), {}, 0, 0));
  steps.push_back(AppendStep(&model, {}, {}, 1, 2500));
  steps.push_back(Step{Step::kReopen, {}});
  for (int i = 0; i < 3; ++i) steps.push_back(AppendStep(&model, {}, {}, 3, 200));
  steps.push_back(AppendStep(&model, MakeHardState(3, 2), 4, 2, 100));  // back over at least three segments
  steps.push_back(Step{Step::kProve, {}});
  steps.push_back(AppendStep(&model, {}, {}, 1, 700));
  steps.push_back(AppendStep(&model, {}, 2, 0, 0));
  steps.push_back(Step{Step::kReopen, {}});
  steps.push_back(AppendStep(&model, MakeHardState(4, 4), {}, 1, 10));
  steps.push_back(RestartStep(&model, 50, 4));
  for (int i = 0; i < 8; ++i) steps.push_back(AppendStep(&model, {}, {}, 2, 150));
  steps.push_back(Step{Step::kCompact, {}, raft::Index(63)});
  for (int i = 0; i < 4; ++i) steps.push_back(Step{Step::kRecycle, {}});
  for (int i = 0; i < 6; ++i) steps.push_back(AppendStep(&model, {}, {}, 2, 150));
  steps.push_back(AppendStep(&model, MakeHardState(5, 1), 64, 1, 0));  // back over recycled segments
  steps.push_back(Step{Step::kReopen, {}});
  steps.push_back(AppendStep(&model, {}, {}, 1, 20));
  return steps;
}

// A disk and what its processes have been told.
struct Trial {
  explicit Trial(std::uint64_t seed) : fs(seed) {}
  SimFileSystem fs;
  Model acknowledged;
  Model attempted;           // with the request under way
  raft::Index snapshot;      // before a restart or a compaction there is one
  std::size_t recycled = 0;  // segments that were begun in spares

  [[nodiscard]] Options options() const {
    Options options = Process::SmallSegments();
    options.snapshot_index = snapshot;
    return options;
  }
  // Until the first error, which is returned. A full disk is tried once more.
  absl::Status Do(const std::vector<Step>& steps) {
    auto process = Process::Start(&fs, options());
    if (absl::IsResourceExhausted(process.status())) process = Process::Start(&fs, options());
    if (!process.ok()) return process.status();
    for (const Step& step : steps) {
      absl::Status status;
      const std::size_t spares = (*process)->log->spares();
      switch (step.kind) {
        case Step::kAppend:
          if (step.request.restart) snapshot = std::max(snapshot, step.request.restart->index);
          attempted = acknowledged;
          attempted.Apply(step.request);
          status = (*process)->log->Append(step.request);
          if (absl::IsResourceExhausted(status)) status = (*process)->log->Append(step.request);
          if (status.ok()) acknowledged = attempted;
          if (status.ok()) recycled += spares - (*process)->log->spares();
          break;
        case Step::kProve:
          status = (*process)->log->Prove();
          if (absl::IsResourceExhausted(status)) status = (*process)->log->Prove();
          break;
        case Step::kCompact:
          snapshot = std::max(snapshot, step.before.Previous());
          status = (*process)->log->Compact(step.before);
          break;
        case Step::kRecycle:
          status = (*process)->log->Recycle().status();
          break;
        case Step::kReopen:
          process->reset();
          process = Process::Start(&fs, options());
          if (absl::IsResourceExhausted(process.status())) process = Process::Start(&fs, options());
          status = process.status();
          break;
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // The same, but for entries that the snapshot has.
  [[nodiscard]] bool Shows(const Model& found, Model expected) const {
    if (found.base > expected.base && found.base <= std::min(snapshot.value, expected.last())) expected.DropTo(found.base);
    return found == expected;
  }

  // The next process: it must come up, with all that was acknowledged. Whatever it shows counts from now on.
  void Recover() {
    const auto process = Process::Start(&fs, options());
    ASSERT_TRUE(process.ok()) << process.status();
    const auto found = ReadAll((*process)->log.get());
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_TRUE(Shows(*found, acknowledged) || Shows(*found, attempted))
        << "term " << found->hard_state.term << " and entries " << found->base + 1 << " to " << found->last()
        << "; acknowledged were term " << acknowledged.hard_state.term << " and " << acknowledged.base + 1 << " to "
        << acknowledged.last();
    acknowledged = *found;
    attempted = *found;
  }

  // It goes on, and keeps what it adds.
  void GoOn() {
    {
      const auto process = Process::Start(&fs, options());
      ASSERT_TRUE(process.ok()) << process.status();
      AppendRequest request;
      request.hard_state = MakeHardState(acknowledged.hard_state.term.value + 1, 1);
      request.entries = {MakeEntry(request.hard_state->term.value, acknowledged.last() + 1, "after")};
      ASSERT_TRUE((*process)->log->Append(request).ok());
      acknowledged.Apply(request);
      attempted = acknowledged;
    }
    fs.Crash(Survival::kNothing);
    Recover();
  }
};

std::uint64_t CallsOf(const std::vector<Step>& steps) {
  Trial run(1);
  EXPECT_TRUE(run.Do(steps).ok());
  EXPECT_EQ(run.recycled, 2u) << "the script must come to segments in recycled files";
  return run.fs.calls();
}

struct Ending {
  Survival survival;
  std::uint64_t seed;
};
std::vector<Ending> Endings() {
  std::vector<Ending> endings = {{Survival::kNothing, 1}, {Survival::kEverything, 1}};
  for (std::uint64_t seed = 1; seed <= 8; ++seed) endings.push_back({Survival::kRandom, seed});
  return endings;
}

TEST(PowerLoss, AtEveryFileOperationLosesNothingAcknowledged) {
  const std::vector<Step> steps = Script();
  const std::uint64_t calls = CallsOf(steps);
  ASSERT_GT(calls, 100u);
  for (std::uint64_t n = 1; n <= calls; ++n) {
    for (const Ending& ending : Endings()) {
      SCOPED_TRACE("call " + std::to_string(n) + " survival " + std::to_string(static_cast<int>(ending.survival)) + " seed " +
                   std::to_string(ending.seed));
      Trial run(ending.seed);
      run.fs.StopAtCall(n);
      ASSERT_FALSE(run.Do(steps).ok());
      run.fs.Crash(ending.survival);
      run.Recover();
      run.fs.Crash(Survival::kNothing);
      run.Recover();
      run.GoOn();
      if (HasFatalFailure()) return;
    }
  }
}

// The recovery itself is cut off at each of its operations, and the one after it as well.
TEST(PowerLoss, DuringRecoveryLosesNothingEither) {
  const std::vector<Step> steps = Script();
  const std::uint64_t calls = CallsOf(steps);
  std::uint64_t recoveries = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    for (const Ending& ending : {Ending{Survival::kNothing, 1}, Ending{Survival::kEverything, 1}, Ending{Survival::kRandom, n}}) {
      SCOPED_TRACE("call " + std::to_string(n) + " survival " + std::to_string(static_cast<int>(ending.survival)));
      Trial run(ending.seed);
      run.fs.StopAtCall(n);
      ASSERT_FALSE(run.Do(steps).ok());
      run.fs.Crash(ending.survival);
      for (std::uint64_t m = 1;; ++m) {
        SCOPED_TRACE("recovery cut off at call " + std::to_string(m));
        run.fs.StopAtCall(m);
        const bool complete = Process::Start(&run.fs, run.options()).ok();
        const bool reached = run.fs.fault_reached();
        ++recoveries;
        run.fs.Crash(m % 2 == 0 ? ending.survival : Survival::kRandom);
        ASSERT_TRUE(complete || reached) << "a recovery that nothing disturbed has failed";
        if (!reached) break;
      }
      run.Recover();
      run.GoOn();
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(recoveries, 5'000u);
}

TEST(FailingCalls, EachOnceNeverLosesWhatWasAcknowledged) {
  const std::vector<Step> steps = Script();
  const std::uint64_t calls = CallsOf(steps);
  for (const absl::Status& error : {absl::InternalError("EIO"), absl::ResourceExhaustedError("ENOSPC")}) {
    for (const bool for_ever : {false, true}) {
      for (std::uint64_t n = 1; n <= calls; ++n) {
        for (const Ending& ending : Endings()) {
          SCOPED_TRACE("call " + std::to_string(n) + " " + std::string(error.message()) + (for_ever ? " for ever" : " once") +
                       " survival " + std::to_string(static_cast<int>(ending.survival)) + " seed " + std::to_string(ending.seed));
          Trial run(ending.seed);
          run.fs.FailCall(n, error, for_ever);
          const absl::Status status = run.Do(steps);
          ASSERT_TRUE(run.fs.fault_reached());
          ASSERT_FALSE(for_ever && status.ok());
          run.fs.Crash(ending.survival);
          run.Recover();
          run.GoOn();
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// Random requests, restarts, crashes and failures, many in a row on the same disk.
TEST(RandomHistories, KeepWhatWasAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::SeededRandom random(seed);
    Trial run(seed);
    for (int life = 0; life < 8; ++life) {
      Model model = run.acknowledged;
      std::uint64_t compacted = run.snapshot.value;
      std::vector<Step> steps;
      for (std::uint64_t i = 0, n = 1 + random.Below(25); i < n; ++i) {
        const std::uint64_t dice = random.Below(25);
        if (dice == 24) {
          steps.push_back(Step{Step::kCompact, {}, raft::Index(model.base + 1 + random.Below(model.entries.size() + 1))});
          compacted = std::max(compacted, steps.back().before.value - 1);
        } else if (dice == 23 && model.hard_state.term.value > 0) {
          const std::uint64_t index = std::max(compacted, model.base) + 1 + random.Below(30);
          steps.push_back(RestartStep(&model, index, 1 + random.Below(model.hard_state.term.value)));
        } else if (dice >= 20) {
          steps.push_back(Step{Step::kRecycle, {}});
        } else if (dice == 0) {
          steps.push_back(Step{Step::kReopen, {}});
        } else if (dice <= 2) {
          steps.push_back(Step{Step::kProve, {}});
        } else {
          std::optional<raft::HardState> hard_state;
          if (random.Below(4) == 0 || model.hard_state.term.value == 0) {
            hard_state = MakeHardState(model.hard_state.term.value + 1, random.Below(4));
          }
          std::optional<std::uint64_t> truncate_from;
          const std::uint64_t base = std::max(compacted, model.base);
          if (model.last() > base && random.Below(5) == 0) truncate_from = base + 1 + random.Below(model.last() - base);
          const std::size_t payload = random.Below(10) == 0 ? random.Below(3000) : random.Below(200);
          steps.push_back(AppendStep(&model, hard_state, truncate_from, static_cast<int>(random.Below(4)), payload));
        }
      }
      switch (random.Below(4)) {
        case 0:
          break;
        case 1:
          run.fs.FailCall(1 + random.Below(60), absl::InternalError("EIO"), random.Below(2) == 0);
          break;
        case 2:
          run.fs.FailCall(1 + random.Below(60), absl::ResourceExhaustedError("ENOSPC"));
          break;
        default:
          run.fs.StopAtCall(1 + random.Below(60));
          break;
      }
      (void)run.Do(steps);  // with or without an error
      const Survival survivals[] = {Survival::kNothing, Survival::kEverything, Survival::kRandom};
      run.fs.Crash(survivals[random.Below(3)]);
      run.Recover();
      if (HasFatalFailure()) return;
    }
    run.GoOn();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace drover::coord::log
