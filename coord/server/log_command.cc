#include "coord/server/log_command.h"

#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coord/log/inspect.h"
#include "coord/process/options.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/rolled_back.h"
#include "coord/server/seed.h"

namespace drover::coord::server {
namespace {

using Json = nlohmann::ordered_json;

// On one line. Names of files may be any bytes; JSON is UTF-8.
std::string Dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A node that runs may drop segments at any time, but hardly each time they are looked at.
constexpr int kTries = 5;

// As everywhere else; a string in JSON, for it takes all 64 bits.
std::string IdText(base::ClusterId cluster) {
  return absl::StrCat(cluster.value);
}

const char* NameOf(log::FrameType type) {
  switch (type) {
    case log::FrameType::kSegment:
      return "segment";
    case log::FrameType::kBatch:
      return "batch";
    case log::FrameType::kProof:
      return "mark";
    case log::FrameType::kRestart:
      return "restart";
  }
  return "unknown";
}

const char* NameOf(raft::EntryKind kind) {
  switch (kind) {
    case raft::EntryKind::kNoop:
      return "noop";
    case raft::EntryKind::kConfig:
      return "config";
    case raft::EntryKind::kData:
      return "data";
    case raft::EntryKind::kExpiry:
      return "expiry";
  }
  return "unknown";
}

// One line for each header, frame and entry: columns, or a JSON object.
class Dump final : public log::InspectVisitor {
 public:
  Dump(LogFormat format, std::ostream* out) : format_(format), out_(*out) {
    if (format_ == LogFormat::kJson) out_ << "[";
    if (format_ == LogFormat::kTable) Row("SEGMENT", "OFFSET", "WHAT", "INDEX", "TERM", "VOTE", "BYTES", "NOTES");
  }
  // After the last line.
  void End() {
    if (format_ == LogFormat::kJson) out_ << (lines_ == 0 ? "]\n" : "\n]\n");
  }

  void OnSegment(const std::string& /*path*/, const log::SegmentHeader& header) override {
    if (format_ == LogFormat::kTable) {
      std::string notes = absl::StrCat("cluster ", IdText(header.cluster), ", commit ", header.commit.value);
      if (header.previous.segment != 0) {
        absl::StrAppend(&notes, ", follows segment ", header.previous.segment, " offset ", header.previous.offset);
      }
      for (const auto& [index, configuration] : header.configurations) absl::StrAppend(&notes, ", configuration ", index.value);
      return Row(header.number, 0, "segment", header.base_index.value, header.hard_state.term.value, header.hard_state.vote.value,
                 "-", notes);
    }
    Json line = {{"what", "segment"},
                 {"segment", header.number},
                 {"offset", 0},
                 {"cluster", IdText(header.cluster)},
                 {"follows_segment", header.previous.segment},
                 {"follows_offset", header.previous.offset},
                 {"term", header.hard_state.term.value},
                 {"vote", header.hard_state.vote.value},
                 {"base_index", header.base_index.value},
                 {"base_term", header.base_term.value},
                 {"commit", header.commit.value},
                 {"configurations", Json::array()}};
    for (const auto& [index, configuration] : header.configurations) line["configurations"].push_back(index.value);
    Line(line);
  }

  void OnFrame(const log::Frame& frame, bool proven) override {
    frame_ = frame.ref;
    const log::FrameHeader& header = frame.header;
    const absl::StatusOr<log::Restart> restart = log::DecodeRestart(frame);
    const bool restarts = header.type == log::FrameType::kRestart && restart.ok();
    if (format_ == LogFormat::kTable) {
      std::string notes = absl::StrCat(header.entry_count, " entries");
      if (header.truncates) absl::StrAppend(&notes, ", voids entries from ", header.first_index.value, " on");
      if (restarts) {
        absl::StrAppend(&notes, ", after a snapshot up to entry ", restart->index.value, " of term ", restart->term.value);
      }
      if (!proven) absl::StrAppend(&notes, ", may not have been synced");
      return Row(frame.ref.segment, frame.ref.offset, NameOf(header.type), header.first_index.value, header.hard_state.term.value,
                 header.hard_state.vote.value, frame.size, notes);
    }
    Json line = {{"what", NameOf(header.type)},
                 {"segment", frame.ref.segment},
                 {"offset", frame.ref.offset},
                 {"first_index", header.first_index.value},
                 {"entries", header.entry_count},
                 {"term", header.hard_state.term.value},
                 {"vote", header.hard_state.vote.value},
                 {"truncates", header.truncates},
                 {"proven", proven},
                 {"bytes", frame.size}};
    if (restarts) {
      line["snapshot_index"] = restart->index.value;
      line["snapshot_term"] = restart->term.value;
      line["configuration_index"] = restart->configuration_index.value;
    }
    Line(line);
  }

  void OnEntry(const raft::Entry& entry) override {
    if (format_ == LogFormat::kTable) {
      return Row(frame_.segment, "", "entry", entry.index.value, entry.term.value, "", entry.payload.size(), NameOf(entry.kind));
    }
    Line({{"what", "entry"},
          {"segment", frame_.segment},
          {"frame_offset", frame_.offset},
          {"index", entry.index.value},
          {"term", entry.term.value},
          {"kind", NameOf(entry.kind)},
          {"bytes", entry.payload.size()}});
  }

 private:
  template <typename Segment, typename Offset, typename Index, typename Term, typename Vote, typename Bytes>
  void Row(Segment segment, Offset offset, const char* what, Index index, Term term, Vote vote, Bytes bytes,
           const std::string& notes) {
    out_ << std::left << std::setw(8) << segment << std::setw(10) << offset << std::setw(8) << what << std::setw(11) << index
         << std::setw(7) << term << std::setw(6) << vote << std::setw(9) << bytes << notes << '\n';
    ++lines_;
  }
  void Line(const Json& line) {
    if (format_ == LogFormat::kJson) out_ << (lines_ == 0 ? "\n" : ",\n");
    out_ << Dumped(line);
    if (format_ == LogFormat::kJsonl) out_ << '\n';
    ++lines_;
  }

  const LogFormat format_;
  std::ostream& out_;
  log::FrameRef frame_;
  std::uint64_t lines_ = 0;
};

int FailWith(const absl::Status& status, std::ostream& err) {
  err << "drover-coord: " << status.message() << '\n';
  return 1;
}

// Output that cannot be written is no success.
int EndOutput(std::ostream& out, std::ostream& err) {
  if (out.flush()) return 0;
  return FailWith(absl::UnknownError("the output could not be written"), err);
}

}  // namespace

int DumpLog(base::FileSystem* files, const std::string& directory, LogFormat format, std::ostream& out, std::ostream& err) {
  Dump dump(format, &out);
  absl::StatusOr<log::Inspection> found = log::Inspect(files, directory, &dump);
  dump.End();
  const int written = EndOutput(out, err);
  if (!found.ok()) return FailWith(found.status(), err);
  for (const std::string& note : found->notes) err << "drover-coord: " << note << '\n';
  return written;
}

namespace {

// What a restore has made, and no node has taken up yet.
int ShowSeed(const Seed& seed, LogFormat format, std::ostream& out, std::ostream& err) {
  if (format == LogFormat::kTable) {
    out << "ok: restored for the new cluster " << IdText(seed.cluster) << " of the members " << TextOf(seed.members)
        << "; it begins when its nodes are started\n";
  } else {
    out << Dumped({{"ok", true}, {"restored", true}, {"cluster", IdText(seed.cluster)}, {"members", TextOf(seed.members)}}) << '\n';
  }
  return EndOutput(out, err);
}

}  // namespace

int VerifyLog(base::FileSystem* files, const std::string& directory, LogFormat format, std::ostream& out, std::ostream& err) {
  log::InspectVisitor nothing;
  absl::StatusOr<log::Inspection> found = log::Inspect(files, directory, &nothing);
  for (int i = 1; i < kTries && absl::IsAborted(found.status()); ++i) found = log::Inspect(files, directory, &nothing);
  if (found.ok() && found->identity) {
    const absl::Status current = CheckNotRolledBack(files, directory, found->identity->node);
    if (!current.ok()) found = current;
  }
  if (found.ok() && !found->damaged_snapshots.empty()) {
    const bool none = found->snapshots.empty();
    found = absl::DataLossError(absl::StrCat(found->damaged_snapshots.back().message(), ". The node can start all the same: ",
                                             none ? "the log is" : "another snapshot and the log are",
                                             " whole. While it runs it mends the file by itself"));
  }
  if (absl::IsNotFound(found.status())) {
    const absl::StatusOr<std::optional<Seed>> seed = FindSeed(files, directory);
    const absl::Status whole = seed.ok() && *seed ? VerifySeed(files, directory) : seed.status();
    if (!whole.ok()) found = whole;
    if (whole.ok() && *seed) return ShowSeed(**seed, format, out, err);
  }
  if (!found.ok()) {
    if (format != LogFormat::kTable) out << Dumped(Json{{"ok", false}, {"error", std::string(found.status().message())}}) << '\n';
    (void)EndOutput(out, err);
    return FailWith(found.status(), err);
  }
  const std::uint64_t entries = found->last_index.value + 1 - found->first_index.value;
  if (format == LogFormat::kTable) {
    out << "ok: node " << (found->identity ? found->identity->node.value : 0) << " of cluster " << IdText(found->cluster)
        << ", term " << found->hard_state.term.value << ", vote " << found->hard_state.vote.value << '\n'
        << found->segments << " segments, " << found->frames << " frames, " << found->entries_written << " entries written; "
        << entries << " count";
    if (entries > 0) out << ": " << found->first_index.value << " to " << found->last_index.value;
    out << "; committed at least to " << found->commit.value << '\n';
    for (const log::Inspection::Snapshot& s : found->snapshots) {
      out << "snapshot up to entry " << s.index.value << ": " << s.bytes << " bytes, " << s.parts << " parts\n";
    }
    for (const std::string& note : found->notes) out << "note: " << note << '\n';
  } else {
    Json snapshots = Json::array();
    for (const log::Inspection::Snapshot& s : found->snapshots) {
      snapshots.push_back({{"index", s.index.value}, {"bytes", s.bytes}, {"parts", s.parts}});
    }
    out << Dumped({{"ok", true},
                   {"node", found->identity ? found->identity->node.value : 0},
                   {"cluster", IdText(found->cluster)},
                   {"term", found->hard_state.term.value},
                   {"vote", found->hard_state.vote.value},
                   {"segments", found->segments},
                   {"frames", found->frames},
                   {"entries_written", found->entries_written},
                   {"entries", entries},
                   {"first_index", found->first_index.value},
                   {"last_index", found->last_index.value},
                   {"commit", found->commit.value},
                   {"snapshots", snapshots},
                   {"notes", found->notes}})
        << '\n';
  }
  return EndOutput(out, err);
}

int LogCommand(int argc, const char* const* argv) {
  std::string directory;
  std::string output = "table";
  process::OptionSet options("drover-coord log",
                             "Looks at a node's data directory, whether the node runs or not; changes nothing.");
  process::OptionSet& dump = options.Command("dump", "One line for each segment, frame and entry");
  process::OptionSet& verify = options.Command("verify", "Reads everything; exits 0 and says ok, or 1 and says what is wrong");
  verify.Footer(
      "It cannot tell a directory from an older copy of it, or from one whose newest segments were removed: no file says how far "
      "the log went. In a cluster of several the leader tells, as a rule, when the node is started, and the node ends; from then "
      "on this tells it, too.");
  for (process::OptionSet* command : {&dump, &verify}) {
    command->Choice("-o,--output", &output, {"table", "json", "jsonl"}, "How to print");
    command->Argument("DIR", &directory, "The node's --data directory");
  }
  if (const std::optional<int> code = options.Parse(argc, argv)) return *code;
  const LogFormat format = output == "json" ? LogFormat::kJson : output == "jsonl" ? LogFormat::kJsonl : LogFormat::kTable;
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  return dump.chosen() ? DumpLog(files.get(), directory, format, std::cout, std::cerr)
                       : VerifyLog(files.get(), directory, format, std::cout, std::cerr);
}

}  // namespace drover::coord::server
