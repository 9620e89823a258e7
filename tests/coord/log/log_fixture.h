// A data directory on a simulated disk, and a model of what its log must hold.
#ifndef DROVER_TESTS_COORD_LOG_LOG_FIXTURE_H_
#define DROVER_TESTS_COORD_LOG_LOG_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/log/data_directory.h"
#include "coord/log/log.h"
#include "gtest/gtest.h"
#include "tests/sim/sim_file_system.h"

namespace drover::coord::log {

inline constexpr base::ClusterId kCluster{0x1122334455667788};
inline constexpr char kDirectory[] = "data";

inline raft::Entry MakeEntry(std::uint64_t term, std::uint64_t index, const std::string& payload,
                             raft::EntryKind kind = raft::EntryKind::kData) {
  return raft::Entry{raft::Term(term), raft::Index(index), kind, base::Bytes::Copy(payload)};
}

inline raft::HardState MakeHardState(std::uint64_t term, std::uint64_t vote) {
  return raft::HardState{raft::Term(term), base::NodeId(vote)};
}

// The end of a snapshot whose last entry is also its last configuration.
inline Restart MakeRestart(std::uint64_t index, std::uint64_t term) {
  return Restart{raft::Index(index), raft::Term(term), raft::Index(index),
                 base::Bytes::Copy("members at " + std::to_string(index))};
}

// What a log holds.
struct Model {
  raft::HardState hard_state;
  std::uint64_t base = 0;            // index of the entry before the first
  std::vector<raft::Entry> entries;  // contiguous

  [[nodiscard]] std::uint64_t last() const { return base + entries.size(); }
  void Apply(const AppendRequest& request) {
    if (request.hard_state) hard_state = *request.hard_state;
    if (request.truncate_from) entries.resize(request.truncate_from->value - 1 - base);
    if (request.restart) {
      entries.clear();
      base = request.restart->index.value;
    }
    entries.insert(entries.end(), request.entries.begin(), request.entries.end());
  }
  void DropTo(std::uint64_t new_base) {
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(new_base - base));
    base = new_base;
  }
  friend bool operator==(const Model&, const Model&) = default;
};

// Reads everything back, in pieces of `max_bytes`.
inline absl::StatusOr<Model> ReadAll(Log* log, std::size_t max_bytes = 300) {
  Model model{log->hard_state(), log->first_index().value - 1, {}};
  for (raft::Index i = log->first_index(); i <= log->last_index();) {
    auto part = log->Read(i, max_bytes);
    if (!part.ok()) return part.status();
    i = raft::Index(i.value + part->size());
    model.entries.insert(model.entries.end(), part->begin(), part->end());
  }
  return model;
}

// One run of a node's process on a disk. Destroying it does no I/O.
class Process {
 public:
  static Options SmallSegments() {
    Options options;
    options.cluster_if_new = kCluster;
    options.segment_bytes = 1024;
    options.shrink_step_bytes = 300;
    options.allocate_first_bytes = 256;
    options.allocate_step_bytes = 512;
    options.spare_step_bytes = 600;
    return options;
  }

  // Starts as a node does: directory, identity where there is none, log.
  static absl::StatusOr<std::unique_ptr<Process>> Start(base::FileSystem* fs, const Options& options = SmallSegments()) {
    auto process = std::make_unique<Process>();
    auto directory = DataDirectory::Open(fs, kDirectory);
    if (!directory.ok()) return directory.status();
    process->directory = *std::move(directory);
    if (!process->directory->identity()) {
      const absl::Status created = process->directory->CreateIdentity(base::NodeId(1), base::Incarnation(77));
      if (!created.ok()) return created;
    }
    auto log = Log::Open(process->directory.get(), options);
    if (!log.ok()) return log.status();
    process->log = *std::move(log);
    return process;
  }

  std::unique_ptr<DataDirectory> directory;
  std::unique_ptr<Log> log;
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() : fs_(1), options_(Process::SmallSegments()) {}

  void Start() {
    Stop();
    auto process = Process::Start(&fs_, options_);
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
  }
  absl::Status StartStatus() {
    Stop();
    auto process = Process::Start(&fs_, options_);
    if (process.ok()) process_ = *std::move(process);
    return process.status();
  }
  void Stop() { process_.reset(); }
  void Crash(sim::Survival survival = sim::Survival::kNothing) {
    Stop();
    fs_.Crash(survival);
  }
  Log* log() { return process_->log.get(); }

  // Appends one entry of the log's term, by default in a frame of its own.
  absl::Status Append(const std::string& payload) {
    AppendRequest request;
    request.entries.push_back(MakeEntry(log()->hard_state().term.value, log()->last_index().value + 1, payload));
    return Do(request);
  }
  absl::Status SetTerm(std::uint64_t term, std::uint64_t vote = 1) {
    AppendRequest request;
    request.hard_state = MakeHardState(term, vote);
    return Do(request);
  }
  absl::Status Do(const AppendRequest& request) {
    const absl::Status status = log()->Append(request);
    if (status.ok()) model_.Apply(request);
    return status;
  }
  void ExpectModel() {
    const absl::StatusOr<Model> read = ReadAll(log());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->hard_state, model_.hard_state);
    EXPECT_EQ(read->base, model_.base);
    EXPECT_EQ(read->entries, model_.entries);
    EXPECT_EQ(log()->last_index().value, model_.last());
    for (const raft::Entry& entry : model_.entries) EXPECT_EQ(log()->TermAt(entry.index), entry.term) << entry.index;
  }
  std::vector<std::string> Segments() const {
    std::vector<std::string> names;
    for (const std::string& path : fs_.Paths()) {
      if (path.find("segment-") != std::string::npos) names.push_back(path);
    }
    return names;
  }
  // The last segment's path.
  std::string LastSegment() const { return Segments().back(); }

  sim::SimFileSystem fs_;
  Options options_;
  std::unique_ptr<Process> process_;
  Model model_;
};

}  // namespace drover::coord::log

#endif  // DROVER_TESTS_COORD_LOG_LOG_FIXTURE_H_
