#include "coord/server/snapshot_saves.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/base/wire.h"
#include "coord/log/inspect.h"
#include "coord/log/snapshot_file.h"

namespace drover::coord::server {
namespace {

// A drover.coord.v1.SnapshotPiece.
base::Bytes EncodePiece(absl::string_view data) {
  std::string out;
  base::WireWriter(&out).Bytes(1, data);
  return base::Bytes::Adopt(std::move(out));
}

}  // namespace

// One snapshot's file, read and checked from its first to its last byte. The executor's.
class SnapshotSaves::Source {
 public:
  Source(base::FileSystem* files, const std::string& directory, raft::Index of)
      : index(of), files_(files), path_(absl::StrCat(directory, "/", log::SnapshotName(of))) {}

  // The next piece of it.
  absl::StatusOr<std::string> Read(std::size_t bytes) {
    if (file_ == nullptr) DROVER_RETURN_IF_ERROR(Open());
    DROVER_ASSIGN_OR_RETURN(std::string piece, file_->ReadAt(at_, bytes));
    if (piece.empty()) return absl::DataLossError(absl::StrCat(path_, " was cut"));
    at_ += piece.size();
    while (!whole_ && (checker_->bytes_read() < at_ || at_ >= checker_->bytes())) {
      DROVER_ASSIGN_OR_RETURN(const std::optional<std::string> part, checker_->Next());
      whole_ = !part.has_value();
    }
    return piece;
  }
  // All of it was read.
  [[nodiscard]] bool whole() const { return whole_; }

  const raft::Index index;

 private:
  absl::Status Open() {
    DROVER_ASSIGN_OR_RETURN(checker_, log::SnapshotReader::Open(files_, path_, std::nullopt));
    DROVER_ASSIGN_OR_RETURN(file_, files_->Open(path_, base::OpenMode::kRead));
    return absl::OkStatus();
  }

  base::FileSystem* const files_;
  const std::string path_;
  std::unique_ptr<base::File> file_;
  std::unique_ptr<log::SnapshotReader> checker_;
  std::uint64_t at_ = 0;  // read so far
  bool whole_ = false;
};

class SnapshotSaves::Save final : public base::ConnectionEvents {
 public:
  Save(SnapshotSaves* owner, std::uint64_t id, std::unique_ptr<base::Connection> c)
      : connection(std::move(c)), patience(owner->seams_.loop), owner_(owner), id_(id) {}

  void OnFrame(base::Bytes /*frame*/) override {}
  void OnDrained() override {
    Progressed();
    owner_->Pump(id_);
  }
  void OnClosed(base::CloseCause /*cause*/, const absl::Status& /*status*/) override { owner_->Forget(id_); }

  // From now on its patience counts anew.
  void Progressed() {
    if (ended) return;
    const base::Duration wait = owner_->options_.patience;
    patience.Set(wait, [owner = owner_, id = id_] {
      owner->End(id, absl::DeadlineExceededError("this backup was given up: its client has taken nothing for too long"));
      owner->Forget(id);
    });
  }

  const std::unique_ptr<base::Connection> connection;
  base::Timer patience;
  std::shared_ptr<Source> source;  // null: the snapshot is not taken yet
  bool reading = false;
  bool ended = false;

 private:
  SnapshotSaves* const owner_;
  const std::uint64_t id_;
};

SnapshotSaves::SnapshotSaves(SnapshotSeams seams, const Options& options, std::function<void(SnapshotTakenDone)> take, Bad bad)
    : seams_(std::move(seams)),
      options_(options),
      take_(std::move(take)),
      bad_(std::move(bad)),
      self_(std::make_shared<SnapshotSaves*>(this)) {}

SnapshotSaves::~SnapshotSaves() = default;

base::ConnectionEvents* SnapshotSaves::Accept(std::unique_ptr<base::Connection> connection) {
  if (stopped_) {
    connection->Close(absl::UnavailableError("this node is stopping"));
    return nullptr;
  }
  if (saves_.size() >= options_.saves_max) {
    connection->Close(absl::ResourceExhaustedError(absl::StrCat(
        "this node gives ", saves_.size(), " backups already, as many as it does at a time: ask another node, or later")));
    return nullptr;
  }
  const std::uint64_t id = ++last_id_;
  Save* const save = saves_.emplace(id, std::make_unique<Save>(this, id, std::move(connection))).first->second.get();
  // Not from inside: the answer may come at once, and whoever accepts has not heard of the events yet.
  seams_.loop->Post([weak = std::weak_ptr<SnapshotSaves*>(self_), id] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    (*self)->take_([weak, id](absl::StatusOr<raft::Index> index) {
      if (const auto still = weak.lock()) (*still)->OnTaken(id, index);
    });
  });
  return save;
}

void SnapshotSaves::OnTaken(std::uint64_t id, const absl::StatusOr<raft::Index>& index) {
  const auto found = saves_.find(id);
  if (found == saves_.end() || found->second->ended) return;
  if (!index.ok()) return End(id, index.status());
  Save& save = *found->second;
  save.source = std::make_shared<Source>(seams_.files, seams_.directory, *index);
  save.Progressed();
  Pump(id);
}

void SnapshotSaves::Pump(std::uint64_t id) {
  const auto found = saves_.find(id);
  if (found == saves_.end()) return;
  Save& save = *found->second;
  if (save.ended || save.reading || save.source == nullptr || save.connection->queued_bytes() >= options_.window_bytes) return;
  struct Read {
    absl::StatusOr<std::string> bytes = std::string();
    bool last = false;
  };
  auto read = std::make_shared<Read>();
  save.reading = true;
  seams_.executor->Submit(
      [source = save.source, read, bytes = options_.piece_bytes] {
        read->bytes = source->Read(bytes);
        read->last = source->whole();
      },
      [weak = std::weak_ptr<SnapshotSaves*>(self_), id, read] {
        const auto self = weak.lock();
        if (self == nullptr) return;
        const auto still = (*self)->saves_.find(id);
        if (still == (*self)->saves_.end() || still->second->ended) return;
        Save& to = *still->second;
        to.reading = false;
        if (!read->bytes.ok()) return (*self)->EndOfBad(id, read->bytes.status());
        to.connection->Send(EncodePiece(*read->bytes));
        if (read->last) return (*self)->End(id, absl::OkStatus());
        (*self)->Pump(id);
      });
}

// Whoever asks again gets another one; and so does whoever asks another node.
void SnapshotSaves::EndOfBad(std::uint64_t id, const absl::Status& why) {
  const raft::Index index = saves_.at(id)->source->index;
  const char* const what = absl::IsNotFound(why) ? "gone" : absl::IsDataLoss(why) ? "damaged" : "not to be read";
  End(id,
      absl::UnavailableError(absl::StrCat("its snapshot is ", what, ", and this node takes another one: try again in a moment")));
  bad_(index, absl::Status(why.code(), log::WithoutAdvice(why)));
}

// What was sent goes out first; then OnClosed follows. Of one that ends well the patience goes on: it may be slow to the last.
void SnapshotSaves::End(std::uint64_t id, const absl::Status& status) {
  const auto found = saves_.find(id);
  if (found == saves_.end() || found->second->ended) return;
  Save& save = *found->second;
  save.Progressed();
  save.ended = true;
  save.source = nullptr;
  save.connection->Close(status);
}

void SnapshotSaves::Forget(std::uint64_t id) {
  // Not from inside of its own events or timer.
  seams_.loop->Post([weak = std::weak_ptr<SnapshotSaves*>(self_), id] {
    if (const auto self = weak.lock()) (*self)->saves_.erase(id);
  });
}

void SnapshotSaves::Stop(const absl::Status& status) {
  stopped_ = true;
  for (const auto& [id, save] : saves_) End(id, status);
}

}  // namespace drover::coord::server
